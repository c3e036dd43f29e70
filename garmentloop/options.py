"""Options that several commands share, so that they read the same everywhere."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

RAY, RAY_AUTO = "ray", "ray://auto"

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
    typer.Option(help="How models reckon: auto, fp32, bf16, int8.", metavar="NAME"),
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


@dataclass(frozen=True)
class WorkersChoice:
    """Who does the work: so many threads of this process, or the Ray cluster of that name.

    `cluster` is ray (one is started on this machine), ray://auto or ray://HOST:PORT.
    """

    threads: int | None = None
    cluster: str | None = None

    @classmethod
    def parse(cls, text: str) -> "WorkersChoice":
        """The choice that the value of `--workers` means; `BadParameter` for another."""
        if text.isdecimal() and int(text):
            return cls(threads=int(text))
        if text in (RAY, RAY_AUTO) or re.fullmatch(r"ray://.+:\d{1,5}", text):
            return cls(cluster=text)
        raise typer.BadParameter(
            f"expected a number of threads (1 or more), ray, ray://auto or ray://HOST:PORT, but "
            f"got {text!r}"
        )

    def __str__(self) -> str:
        return self.cluster or str(self.threads)


WorkersOption = Annotated[
    WorkersChoice | None,
    typer.Option(
        metavar="N|ray[://ADDRESS]",
        parser=WorkersChoice.parse,
        help="Threads that decode and cut, or a Ray cluster: ray starts one here, ray://auto and "
        "ray://HOST:PORT join one.",
    ),
]
