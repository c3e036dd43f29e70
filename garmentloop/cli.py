"""The command `garmentloop`: puts the commands together and turns errors into exit codes.

Nothing heavy is imported here or at the top of a command module, so that `--help` comes at once.
"""

import sys
import warnings
from typing import Any

import typer
from typer.core import TyperGroup

from garmentloop import commands
from garmentloop.console import err
from garments.errors import GarmentLoopError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""


class Face(TyperGroup):
    """The outermost group: an error meant for the user is printed without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; exit 1 on a GarmentLoopError, 130 on Ctrl-C."""
        try:
            return super().invoke(ctx)
        except GarmentLoopError as error:
            err.print(f"Error: {error}", style="red", markup=False)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as stop:
            err.print("Stopped. What was finished is kept: run the same command again to go on.")
            raise typer.Exit(INTERRUPTED) from stop


app = typer.Typer(
    cls=Face,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def garmentloop() -> None:
    """Photos of dressed people in, garment crops with verified attributes out.

    Examples:

      garmentloop demo                              see it work, no photo needed
      garmentloop extract photos/ -d datasets/mine  cut garments out of photos
      garmentloop status -d datasets/mine           what is there now

    Every command tells more: garmentloop extract --help
    """


commands.register(app)


def main() -> None:
    """Run the command line; the entry point of the script `garmentloop`."""
    # Libraries fork only to start other programs, which touch no table.
    warnings.filterwarnings("ignore", message="lance is not fork-safe")
    try:
        app(prog_name="garmentloop")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
