"""Packages that only some commands need, and the extra that brings them."""

from importlib.util import find_spec

from garments.errors import ModelError


def expect_installed(what: str, extra: str, *modules: str) -> None:
    """`ModelError` with the command that helps where one of `modules` is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"{what} needs {', '.join(missing)}, which is not installed: "
            f"pip install 'garmentloop[{extra}]'"
        )
