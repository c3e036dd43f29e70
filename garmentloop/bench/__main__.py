"""`python -m garmentloop.bench [NAMES...] [--small | --large]`: what `make bench` runs."""

import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from garmentloop.bench import FULL, LARGE, SMALL, Figure, apart, benches, growth
from garmentloop.bench.machine import machine
from garmentloop.console import err, out

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAMES", help="Left out: all but growth and suspects."),
    ] = None,
    small: Annotated[
        bool, typer.Option("--small", help="Try it out; the figures mean nothing.")
    ] = False,
    large: Annotated[
        bool, typer.Option("--large", help="As many as in the README's table of large sizes.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the figures.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of growth: also draw it, as SVG.")
    ] = None,
    scratch: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to work; default: the temp folder.")
    ] = None,
) -> None:
    """Measure speed and memory on this machine: the figures in the README."""
    known = benches() | apart()
    unknown = [name for name in names or [] if name not in known]
    if unknown:
        expected = f"expected some of {', '.join(known)}, but got {', '.join(unknown)}"
        raise typer.BadParameter(expected)
    if small and large:
        raise typer.BadParameter("expected --small or --large, but got both")
    size = SMALL if small else LARGE if large else FULL
    figures: dict[str, float | int] = {}
    out.print(machine(), markup=False)
    began = time.perf_counter()
    for name in names or benches():
        err.print(f"{name} ...", markup=False)
        with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as folder:
            for figure in known[name](Path(folder), size):
                figures[figure.key] = round(figure.value, 4)
                out.print(line(figure), markup=False)
        err.print(f"{name}: done after {time.perf_counter() - began:.0f} s", markup=False)
    growth.print_tables(figures)
    if plot:
        plot.write_text(growth.drawn(figures), encoding="utf-8")
    if json_file:
        seconds = round(time.perf_counter() - began)
        told = {"machine": machine(), "seconds": seconds} | asdict(size) | figures
        json_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def line(figure: Figure) -> str:
    """One figure as it is printed."""
    value = f"{figure.value:,}" if isinstance(figure.value, int) else f"{figure.value:,.2f}"
    note = f"  ({figure.note})" if figure.note else ""
    return f"{figure.key:<32} {value:>12} {figure.unit}{note}"


if __name__ == "__main__":
    app(prog_name="python -m garmentloop.bench")
