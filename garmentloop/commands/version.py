"""`garmentloop version`."""

from garmentloop import __version__
from garmentloop.console import out


def version() -> None:
    """Print the version of garmentloop.

    Example:

      garmentloop version
    """
    out.print(__version__)
