"""`garmentloop curate ...`: look at garments in FiftyOne, choose, split and release them."""

import typer

from garmentloop.commands.curate import findings, release, select, split, sync
from garmentloop.commands.curate import open as opening

app = typer.Typer(
    no_args_is_help=True,
    help="""Curate garments in FiftyOne; split and release what is good.

    Examples:

      garmentloop curate open -d datasets/mine      look at them in a browser
      garmentloop curate sync -d datasets/mine      bring your tags back
      garmentloop curate close -d datasets/mine     close FiftyOne
      garmentloop curate suspects -d datasets/mine    labels probably wrong
      garmentloop curate duplicates -d datasets/mine  pictures there twice
      garmentloop curate select -d datasets/mine    what to annotate next
      garmentloop curate split -d datasets/mine     train, val and test
      garmentloop curate release v1 -d datasets/mine  freeze what is good
    """,
)

app.command("open")(opening.open_app)
app.command()(sync.sync)
app.command("close")(opening.close_app)
app.command()(findings.suspects)
app.command()(findings.duplicates)
app.command()(select.select)
app.command()(split.split)
app.command()(release.release)
app.command()(release.releases)
app.command()(release.diff)
app.command()(release.verify)
