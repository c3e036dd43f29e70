"""A data set of a thousand labels and a new taxonomy; a process that migrates it and dies.

`python migrating.py DATASET NEW MAP` migrates. With DIE_AT=N it kills itself at its Nth write: even
before, odd after it.
"""

import itertools
import os
import signal
import sys
from pathlib import Path

from garmentloop.migration.run import Request, migrate
from garments.answers import NOT_VISIBLE, value_of
from garments.catalog import Catalog
from garments.dataset import Dataset
from garments.ids import stable_id
from garments.taxonomy import Taxonomy

COLORS = ("red", "blue", "navy", "olive", "pink", "green", "black", "white")
PATTERNS = ("solid", "striped", "checked", "dotted")
LABELS = 1000

MAP = """
[color]
split = { red = ["crimson", "scarlet"] }
merge = { blue = ["blue", "navy"] }
rename = { olive = "moss" }
remove = ["pink"]

[pattern]
rename = { dotted = "spotted" }
"""

WRITES = 16
"""Moments of a migration: before and after each of its eight writes."""


def changed(taxonomy: Taxonomy) -> Taxonomy:
    """The default taxonomy as the map above leaves it."""
    data = taxonomy.model_dump()
    for attribute in data["attributes"]:
        gone, more = {
            "color": ({"red", "navy", "olive", "pink"}, ("crimson", "scarlet", "moss")),
            "pattern": ({"dotted"}, ("spotted",)),
        }.get(attribute["id"], (set(), ()))
        values = [value for value in attribute["values"] if value["id"] not in gone]
        values += [{"id": name, "title": name.title()} for name in more]
        attribute["values"] = values
    return Taxonomy.model_validate(data)


def files(folder: Path, taxonomy: Taxonomy, map_: str = MAP) -> tuple[Path, Path]:
    """The new taxonomy and the map, as somebody writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    new, said = folder / "new.toml", folder / "map.toml"
    new.write_text("# mine\n" + changed(taxonomy).dumps())
    said.write_text(map_)
    return new, said


def fill(dataset: Dataset, labels: int = LABELS) -> list[dict]:
    """So many labels of every kind, some superseded, some withdrawn; their rows."""
    rows = [_label(dataset, number) for number in range(labels)]
    for number in range(0, labels, 50):
        rows.append(_label(dataset, number, turn=1))
    for number in range(10, labels, 100):
        source = rows[number]
        names = ("garment_id", "attribute", "kind", "annotator")
        back = {name: source[name] for name in names} | {"withdraws": source["label_id"]}
        rows.append(back | {"label_id": stable_id("back", source["label_id"])})
    dataset.catalog.add("labels", rows)
    return rows


def _label(dataset: Dataset, number: int, turn: int = 0) -> dict:
    pattern = number % 5 == 4
    name = "pattern" if pattern else "color"
    kind = ("annotator", "annotator", "curator", "import", "adjudicated")[number % 7 % 5]
    return {
        "label_id": stable_id("label", number, turn),
        "garment_id": f"{number // 2:016x}",
        "attribute": name,
        "value": _value(number + turn, pattern),
        "kind": kind,
        "annotator": ("ann", "bob")[number % 2] if kind == "annotator" else kind,
        "vocabulary_hash": dataset.taxonomy.vocabulary_hash(name) if number % 3 else None,
    }


def _value(number: int, pattern: bool) -> str:
    if number % 37 == 0:
        return value_of([NOT_VISIBLE])
    if pattern:
        return value_of([PATTERNS[number % len(PATTERNS)]])
    first = COLORS[number % len(COLORS)]
    return value_of({first, COLORS[number % 3 + 4]} if number % 11 == 0 else [first])


def die_at(number: int) -> None:
    """Kill this process at a write to the catalogue or of a file."""
    counter = itertools.count(0, 2)

    def deadly(write):
        def call(*args, **kwargs):
            mine = next(counter)
            if mine == number:
                os.kill(os.getpid(), signal.SIGKILL)
            result = write(*args, **kwargs)
            if mine + 1 == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for owner, name in ((Catalog, "add"), (Path, "replace")):
        setattr(owner, name, deadly(getattr(owner, name)))


if __name__ == "__main__":
    if "DIE_AT" in os.environ:
        die_at(int(os.environ["DIE_AT"]))
    print("begun", flush=True)
    migrate(Dataset.open(sys.argv[1]), Request(Path(sys.argv[2]), Path(sys.argv[3])))
    print("done", flush=True)
