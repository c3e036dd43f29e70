"""Options of the commands that work with FiftyOne."""

from typing import Annotated

import typer

MongoOption = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        envvar="GARMENTLOOP_MONGO",
        help="A MongoDB that runs, mongodb://HOST:PORT; left out: our own is started.",
    ),
]
WhoOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Whose decisions these are; left out: your login name."),
]
