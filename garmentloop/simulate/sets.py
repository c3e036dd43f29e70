"""Sets that can be rehearsed on: photos with the truth about their garments.

Part of each is held out: its photos are annotated blind, once, before the first round. They are
the audit slice and so the test split of all rounds, and the edit rate is measured on them. Of
`clothing` that is its own validation split; of a street that has none, every fifth picture.
"""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.samples import EVALUATED, kind_of
from garments.errors import BadInput, BadTable
from garments.ids import stable_id
from garments.mappings import mapping
from garments.sets.clothing import read_clothing

if TYPE_CHECKING:
    from garments.dataset import Dataset

HELD_OUT = 5
"""One picture in so many is held out where a set does not say which."""

Accepted = Mapping[str, tuple[str, ...]]
"""By attribute every value that is right, the one that an annotator gives first."""


@dataclass(frozen=True)
class RehearsalSet:
    """Photos to rehearse on. `name` is what a model's card would call the set.

    `as_crops`: each photo shows one garment. `truth` tells what is known of the garments of a data
    set that was made of these photos.
    """

    name: str
    root: Path
    as_crops: bool
    licence: str
    held_out: tuple[Path, ...]
    rest: tuple[Path, ...]
    attributes: tuple[str, ...]
    truth: "Callable[[Dataset], dict[str, Accepted]]"

    def some(self, count: int | None, seed: int) -> "RehearsalSet":
        """About `count` of the photos, drawn at random, the same share of those held out."""
        whole = len(self.held_out) + len(self.rest)
        if count is None or count >= whole:
            return self
        held_out = max(1, round(count * len(self.held_out) / whole))
        return replace(
            self,
            held_out=_drawn(self.held_out, held_out, self.root, seed),
            rest=_drawn(self.rest, count - held_out, self.root, seed),
        )


def read_set(root: Path | str) -> RehearsalSet:
    """The set in a folder laid out like `clothing` or a street; `BadInput` for another one."""
    folder = Path(root)
    try:
        kind = kind_of(folder)
    except BadTable as error:
        raise BadInput(_unfit(folder, "has no table of either")) from error
    if kind == "clothing":
        return _clothing(folder)
    if kind == "street":
        return _street(folder)
    raise BadInput(_unfit(folder, f"is laid out like {kind}"))


def write_photos(path: Path, photos: Sequence[Path], licence: str, part: str) -> Path:
    """A table of photos for `extract`, with licence and part of the set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [("path", "licence", "consent", "split")]
    lines += [(str(photo.resolve()), licence, "of the set", part) for photo in photos]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    return path


def _clothing(root: Path) -> RehearsalSet:
    """The truth is the category alone, as its mapping has it: one class stands for several."""
    photos, labels = read_clothing(root), mapping("clothing")
    known = {
        photo.path.resolve(): {"category": labels.accepted(photo.category, "category")}
        for photo in photos
        if labels.accepted(photo.category, "category")
    }
    held_out = [photo.path for photo in photos if photo.split in (*EVALUATED, "test")]
    rest = [photo.path for photo in photos if photo.split not in (*EVALUATED, "test")]
    if not held_out:
        held_out, rest = _divided(rest)

    def truth(dataset: "Dataset") -> dict[str, Accepted]:
        files = _files(dataset)
        rows = dataset.catalog.active_garments(columns=["garment_id", "photo_id"]).to_pylist()
        pairs = ((row["garment_id"], files.get(row["photo_id"], ())) for row in rows)
        return {g: known[f] for g, paths in pairs for f in paths if f in known}

    return RehearsalSet(
        "clothing", root, True, "CC0", tuple(held_out), tuple(rest), ("category",), truth
    )


def _street(root: Path) -> RehearsalSet:
    from garments.sets.crops import street_crops

    drawn = street_crops(root)
    photos = list(dict.fromkeys(crop.photo.photo for crop in drawn))
    splits = {crop.photo.photo: crop.split for crop in drawn}
    held_out = [photo for photo in photos if splits[photo] in EVALUATED]
    rest = [photo for photo in photos if splits[photo] not in EVALUATED]
    if not rest:  # a whole street of the look that is kept out of training is `val`
        held_out, rest = _divided(photos)
    attributes = ("category", "sub_category", "color", "pattern")

    def truth(dataset: "Dataset") -> dict[str, Accepted]:
        from garmentloop.demo_labels import matched

        return {
            garment: {name: (value,) for name, value in crop.values.items()}
            for garment, crop in matched(dataset, drawn)
        }

    name = f"street:{_look(root)}"
    licence = "Apache-2.0"
    return RehearsalSet(name, root, False, licence, tuple(held_out), tuple(rest), attributes, truth)


def _look(root: Path) -> str:
    try:
        found = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
        return str(found["look"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"expected the street's look in {root / 'dataset.json'}, but {error}; draw it with "
            "`garmentloop street OUT --look unseen`"
        ) from error


def _divided(photos: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    held_out = list(photos[::HELD_OUT])
    return held_out, [photo for photo in photos if photo not in set(held_out)]


def _drawn(photos: Sequence[Path], count: int, root: Path, seed: int) -> tuple[Path, ...]:
    turn = {photo: stable_id("rehearsal", seed, photo.relative_to(root)) for photo in photos}
    return tuple(sorted(photos, key=lambda photo: turn[photo])[:count])


def _files(dataset: "Dataset") -> dict[str, list[Path]]:
    """Files of each photo."""
    rows = dataset.catalog.rows("sources", ["photo_id", "origin"], "photo_id IS NOT NULL")
    found: dict[str, list[Path]] = {}
    for row in rows.to_pylist():
        found.setdefault(row["photo_id"], []).append(Path(row["origin"]).resolve())
    return found


def _unfit(root: Path, what: str) -> str:
    return (
        f"expected a folder laid out like the set clothing (labels.csv with file,category,split) "
        f"or a synthetic street, but {root} {what}; `garmentloop street OUT --look unseen` draws "
        "one"
    )
