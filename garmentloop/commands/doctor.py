"""`garmentloop doctor`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from garmentloop.console import out
from garmentloop.options import JsonFlag

STYLE = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(
    as_json: JsonFlag = False,
    offline: Annotated[bool, typer.Option(help="Do not ask whether the hub answers.")] = False,
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the data will be: its disk is checked.")
    ] = Path(),
) -> None:
    """Check this machine and say what to do about what is missing.

    Exits 1 only where something is broken; what is merely absent or busy is a
    warning.

    Examples:

      garmentloop doctor
      garmentloop doctor --offline --json
    """
    from garmentloop.doctor import examine

    checks = examine(folder=folder, ask_hub=not offline)
    if as_json:
        out.print(json.dumps([asdict(check) for check in checks], indent=2), markup=False)
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark = f"[{STYLE[check.level]}]{check.level:<4}[/]"
            out.print(f"{mark} {check.name:<{width}}  ", end="")
            out.print(check.found, markup=False)
            if check.advice:
                out.print(f"{'':<{width + 7}}-> {check.advice}", markup=False)
    if any(check.level == "fail" for check in checks):
        raise typer.Exit(1)
