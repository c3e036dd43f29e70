"""`garmentloop curate open` and `close`."""

import os
import platform
import signal
import sys
import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.curate.options import MongoOption, WhoOption
from garmentloop.commands.curate.sync import tell
from garmentloop.console import err, out
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from curate.fiftyone.opening import Opened
    from garments.dataset import Dataset


def open_app(
    dataset: DatasetOption,
    remote: Annotated[
        bool, typer.Option("--remote", help="You sit at another machine: say how to get here.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="N", help="Exactly this port; left out: 5151 or the next."
        ),
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="Come back at once; `curate close` ends it.")
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print addresses, open nothing.")
    ] = False,
    view: Annotated[
        str | None, typer.Option(metavar="NAME", help="The saved view to look at first.")
    ] = None,
    who: WhoOption = None,
    mongo: MongoOption = None,
) -> None:
    """Open FiftyOne on all that the catalogue knows, until Ctrl-C.

    It listens on 127.0.0.1 only and keeps its data in DIR/run/fiftyone. What
    you tag there becomes decisions in the catalogue with the next `curate
    sync`, or the next time you open it.

    The buttons at the right above the grid (or the key ` and a word) act on
    all selected crops at once, in the catalogue too: set a value, exclude,
    send to annotators, mark gold, explain a crop's labels, show what else its
    person wears, select all of a view.

    Examples:

      garmentloop curate open --dataset datasets/mine
      garmentloop curate open -d datasets/mine --remote --port 5151
      garmentloop curate open -d datasets/mine --view "most uncertain"
      garmentloop curate open -d datasets/mine --who mara
    """
    from curate.fiftyone.app import expect_port
    from curate.fiftyone.opening import open_app as show
    from curate.fiftyone.sync import sync_window
    from curate.fiftyone.window import open_window
    from garmentloop.progress import follow_syncing
    from garments.atwork import at_work
    from garments.dataset import Dataset

    data = Dataset.open(dataset)
    expect_port(data, port)
    with at_work(data), open_window(data, mongo) as window:
        if end := follow_syncing(sync_window(window, who=who), err):
            tell(end)
        with err.status("starting FiftyOne") as status:
            opened = show(window, port, view, who=who, tell=status.update)
    _tell_pages(opened)
    if remote:
        _tell_tunnel(opened.app.port)
    elif not no_browser:
        _browse(opened.first.url)
    if opened.new and not background:
        _stay(data)


def close_app(dataset: DatasetOption) -> None:
    """Close the FiftyOne of a data set; what was tagged there stays.

    Example:

      garmentloop curate close --dataset datasets/mine
    """
    from curate.fiftyone.opening import close
    from garments.dataset import Dataset

    data = Dataset.open(dataset)
    with err.status("closing FiftyOne"):
        closed = close(data)
    out.print(f"FiftyOne of {dataset} {'is closed' if closed else 'was not open'}", markup=False)


def _tell_pages(opened: "Opened") -> None:
    out.print(f"FiftyOne {'is open' if opened.new else 'was open already'}:", markup=False)
    width = max(len(page.title) for page in opened.pages)
    for page in opened.pages:
        out.print(f"  {page.title:<{width}}  {page.url}", markup=False)
    if opened.first != opened.pages[0]:
        out.print(f"Look at first: {opened.first.url}", markup=False)


def _tell_tunnel(port: int) -> None:
    host = platform.node() or "HOST"
    err.print(
        f"Where you sit: ssh -N -L {port}:127.0.0.1:{port} {host}, then open the address above",
        markup=False,
    )


def _browse(url: str) -> None:
    # Elsewhere `webbrowser` may take over the terminal with a text browser.
    shown = sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if not (shown and webbrowser.open(url)):
        err.print("There is no browser here: open the address where there is one.")


def _stay(data: "Dataset") -> None:
    """Until Ctrl-C, or until somebody ends us: then FiftyOne is closed too."""
    from curate.fiftyone.opening import close, wait

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    err.print("Ctrl-C closes it.")
    try:
        wait(data)
    except KeyboardInterrupt:
        err.print("Closing.")
    finally:
        close(data)
