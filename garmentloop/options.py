"""Options that several commands share, so that they read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

DatasetOption = Annotated[
    Path, typer.Option("--dataset", "-d", metavar="DIR", help="The data set's folder.")
]
DeviceOption = Annotated[
    str, typer.Option(help="Where models run: auto, cpu, cuda, cuda:1.", metavar="NAME")
]
EngineOption = Annotated[
    str | None, typer.Option(help="What runs models: auto, torch, openvino.", metavar="NAME")
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(help="How models reckon: auto, fp32, bf16.", metavar="NAME"),
]
LimitOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Stop after this many photos.")
]
DetectorOption = Annotated[
    str | None,
    typer.Option(metavar="REF", help="Who finds people: starter, hf:OWNER/NAME or dir:PATH."),
]
ParserOption = Annotated[
    str | None,
    typer.Option(
        metavar="REF",
        help="Who tells garments apart: starter, hf:OWNER/NAME or dir:PATH.",
    ),
]
TaggerOption = Annotated[
    str | None,
    typer.Option(
        metavar="REF",
        help="Who proposes labels: starter, hf:OWNER/NAME, openclip:MODEL, dir:PATH.",
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Also write the figures as one flat JSON object."),
]
