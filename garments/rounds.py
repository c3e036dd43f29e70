"""Rounds of the loop, as they are kept in the catalogue's table `rounds`.

A round is a row that says how it was begun (`NAME/begin`), one for every step that was finished
(`NAME/STEP`) and one that ends it (`NAME/end`). Rows are only ever added, so whoever is killed
leaves what was finished, and the next run goes on behind it. `annotate push` by itself writes
rows without a slash, which are no part of the loop.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from garments.errors import BadSetting, CatalogError

if TYPE_CHECKING:
    from garments.dataset import Dataset

Details = Mapping[str, Any]

BEGIN, END = "begin", "end"

_NAME = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
_LONGEST = 48
_NUMBERED = re.compile(r"round-(\d+)")


@dataclass(frozen=True)
class Round:
    """One turn of the loop: `begun` is what it was begun with, `done` what each step recorded."""

    name: str
    begun: Details = field(default_factory=dict)
    done: Mapping[str, Details] = field(default_factory=dict)
    finished: bool = False

    def of(self, step: str) -> Details:
        """What that step recorded, empty while it is not done."""
        return self.done.get(step, {})


def rounds(dataset: "Dataset") -> list[Round]:
    """All rounds of the loop, oldest first; `CatalogError` for a record that is damaged."""
    rows = dataset.catalog.rows("rounds", ["round_id", "kind", "details", "seq"]).to_pylist()
    found: dict[str, Round] = {}
    for row in sorted(rows, key=lambda row: int(row["seq"])):
        name, slash, step = row["round_id"].rpartition("/")
        if slash:
            found[name] = _with(found.get(name, Round(name)), step, _read(row))
    return list(found.values())


def unfinished(dataset: "Dataset") -> Round | None:
    """The round that was begun last, if it has not ended."""
    known = rounds(dataset)
    return known[-1] if known and not known[-1].finished else None


def record(dataset: "Dataset", name: str, step: str, details: Details) -> bool:
    """Say that a step is done; whether that is new. What was said before stays."""
    row = {"round_id": f"{name}/{step}", "kind": step, "details": _json(details)}
    return bool(dataset.catalog.add("rounds", [row]))


def next_name(dataset: "Dataset") -> str:
    """The next free `round-N`: free among rounds, tasks, releases and trained taggers."""
    used = {found.name for found in rounds(dataset)} | set(dataset.catalog.counts("tasks", "round"))
    for folder in (dataset.releases, dataset.models / "tagger"):
        used |= {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    numbers = [int(found[1]) for name in used if (found := _NUMBERED.fullmatch(name))]
    return f"round-{max(numbers, default=0) + 1}"


def checked_name(name: str) -> str:
    """The name, if releases and models may bear it too; else `BadSetting`."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise BadSetting(
            f"expected a round's name of letters and digits, joined by single . _ or -, at most "
            f"{_LONGEST} characters, but got {name!r}; give another --round"
        )
    return name


def _with(known: Round, step: str, details: Details) -> Round:
    if step == BEGIN:
        return Round(known.name, details, known.done, known.finished)
    if step == END:
        return Round(known.name, known.begun, known.done, True)
    return Round(known.name, known.begun, {**known.done, step: details}, known.finished)


def _read(row: Mapping[str, Any]) -> Details:
    try:
        found = json.loads(row["details"] or "{}")
        if not isinstance(found, dict):
            raise ValueError(f"it is a {type(found).__name__}")
        return found
    except ValueError as error:
        raise CatalogError(
            f"expected a JSON object as the record of {row['round_id']}, but {error}; was it "
            "written by a newer version?"
        ) from error


def _json(details: Details) -> str:
    return json.dumps(_plain(details), ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    """`value` without NaN, which JSON does not have."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and value != value else value
