"""`garmentloop annotate up | open | down`."""

import os
import sys
import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from garmentloop.commands.annotate.options import UrlOption
from garmentloop.console import err, out
from garmentloop.options import DatasetOption

if TYPE_CHECKING:
    from annotate.studio.client import Studio
    from annotate.studio.server import ServerState
    from garments.dataset import Dataset


def up(
    dataset: DatasetOption,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="N", help="Exactly this port; left out: 8080 or the next."
        ),
    ] = None,
    pulling: Annotated[
        bool,
        typer.Option("--pull/--no-pull", help="Bring answers into the catalogue as they come."),
    ] = True,
    url: UrlOption = None,
) -> None:
    """Start Label Studio for a data set, or find the one that runs.

    It listens on 127.0.0.1 only, keeps its data in DIR/run/labelstudio and
    tells nobody about you. The first start makes its database, which takes up
    to 90 seconds. While it is up, what people answer is brought into the
    catalogue within seconds, as `pull --watch` does. With --url nothing is
    started: address and token are tried.

    Examples:

      garmentloop annotate up --dataset datasets/mine
      garmentloop annotate up -d datasets/mine --port 9000
      garmentloop annotate up -d datasets/mine --url https://labels.example.org
    """
    from annotate.studio.client import connect
    from garments.dataset import Dataset

    data = Dataset.open(dataset)
    if url:
        with err.status(f"asking {url}"):
            version = connect(data, url).check()
        out.print(f"Label Studio {version} at {url} accepts the token", markup=False)
        return
    state, new = bring_up(data, port, pulling)
    out.print(f"Label Studio {'is up' if new else 'was up already'}: {state.url}", markup=False)
    tell_access(data, state)


def bring_up(
    data: "Dataset", port: int | None = None, pulling: bool = True
) -> "tuple[ServerState, bool]":
    """A healthy server with a pull in the background; and whether the server is new."""
    from annotate.studio.client import connect, serve_again
    from annotate.studio.server import start
    from garmentloop import following

    with err.status("starting Label Studio") as status:
        state, new = start(data, port, tell=status.update)
    if new:
        serve_again(connect(data, state.url, state.token))
    if pulling:
        following.begin(data)
    return state, new


def tell_access(data: "Dataset", state: "ServerState") -> None:
    """Say how to log in, and how a second person does."""
    from annotate.studio.client import Studio
    from annotate.studio.server import log_path, state_path

    studio = Studio(state.url, state.token, data)
    out.print(f"Log in as:      {state.username}", markup=False)
    # A log is read by others; a terminal is the user's own.
    password = state.password if out.is_terminal else f"in {state_path(data)}"
    out.print(f"Password:       {password}", markup=False)
    out.print(f"Others sign up: {studio.invitation()}", markup=False)
    out.print(f"Log:            {log_path(data)}", markup=False)


def down(dataset: DatasetOption) -> None:
    """Stop the Label Studio of a data set; answers stay where they are.

    Example:

      garmentloop annotate down --dataset datasets/mine
    """
    from annotate.studio.server import stop
    from garmentloop import following
    from garments.dataset import Dataset

    data = Dataset.open(dataset)
    with err.status("stopping Label Studio"):
        following.end(data)
        stopped = stop(data)
    out.print(
        f"Label Studio of {dataset} {'is stopped' if stopped else 'was not running'}", markup=False
    )


def open_page(dataset: DatasetOption, url: UrlOption = None) -> None:
    """Open the labelling project in a browser; print its address.

    Example:

      garmentloop annotate open --dataset datasets/mine
    """
    from annotate.studio.client import connect
    from garments.dataset import Dataset

    show(_page(connect(Dataset.open(dataset), url)))


def show(page: str) -> None:
    """Print an address, and open it where there is a browser."""
    out.print(page, markup=False)
    # Elsewhere `webbrowser` may take over the terminal with a text browser.
    shown = sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if not (shown and webbrowser.open(page)):
        err.print("There is no browser here: open the address where there is one.")


def _page(studio: "Studio") -> str:
    """Address of the main project, or of all projects where nothing was pushed yet."""
    from annotate.studio.project import Kind, find_record

    if find_record(studio.dataset, Kind.MAIN) is None:
        err.print("Nothing was pushed yet: `garmentloop annotate push` makes the project.")
        return f"{studio.url}/projects/"
    return studio.project(Kind.MAIN).url
