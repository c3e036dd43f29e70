"""Options that several commands of `garmentloop annotate` share."""

from typing import Annotated

import typer

UrlOption = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A Label Studio that is there already; see annotate --help."),
]
