"""iMaterialist (Fashion) 2020, as it is published: instance masks with fine-grained attributes.

The folder holds `train.csv` (`ImageId,EncodedPixels,Height,Width,ClassId,AttributesIds`, a row a
garment), `label_descriptions.json` (`categories` and `attributes` with `id`, `name`,
`supercategory`) and `train/<ImageId>.jpg`. EncodedPixels are pairs of start and length; pixels are
numbered from 1, from top to bottom, then from left to right.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from garments.errors import BadInput, BadTable
from garments.images import MAX_PIXELS
from garments.masks import RunLengthMask
from garments.sets.tables import Row, check_columns, number

TABLE, NAMES = "train.csv", "label_descriptions.json"
COLUMNS = ("ImageId", "EncodedPixels", "Height", "Width", "ClassId", "AttributesIds")


@dataclass(frozen=True)
class Label:
    """A category or an attribute by name, and the group that it belongs to."""

    name: str
    group: str


@dataclass(frozen=True)
class Instance:
    """One labelled garment (or part of one): its class, attributes and mask over the photo."""

    category: int
    attributes: tuple[int, ...]
    mask: RunLengthMask


@dataclass(frozen=True, eq=False)
class InstancePhoto:
    """A photo and where its rows begin in the table, in bytes: the table may be very large."""

    path: Path
    file: str
    table: Path
    rows: list[int] = field(default_factory=list)

    def instances(self) -> list[Instance]:
        """Read the photo's rows; `BadInput` for one that makes no sense."""
        with self.table.open("rb") as file:
            return [_instance(_row_at(file, row, self), self.table) for row in self.rows]


def read_imaterialist(root: Path | str) -> list[InstancePhoto]:
    """Photos in `root` in the table's order; files may be missing. Raises `BadTable`."""
    root = Path(root)
    table = root / TABLE
    photos: dict[str, InstancePhoto] = {}
    try:
        with table.open("rb") as file:
            header = file.readline()
            columns = tuple(header.decode("utf-8-sig").strip().split(","))
            check_columns(table, columns, COLUMNS)
            if columns != COLUMNS:
                raise BadTable(
                    f"expected the columns {','.join(COLUMNS)} in this order in {table}, but got "
                    f"{','.join(columns)}; use the table as it was published"
                )
            _index(file, len(header), root, photos)
    except FileNotFoundError:
        raise BadTable(
            f"expected iMaterialist 2020 in {root}, with {TABLE}, {NAMES} and photos in train/, "
            f"but there is no {TABLE}; check the folder"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadTable(
            f"expected a CSV table in UTF-8 at {table}, but reading it failed ({error}); "
            "download it again"
        ) from error
    return list(photos.values())


def read_labels(root: Path | str) -> tuple[dict[int, Label], dict[int, Label]]:
    """Categories and attributes by id, from `label_descriptions.json`. Raises `BadTable`."""
    path = Path(root) / NAMES
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = [
            {int(e["id"]): Label(e["name"], e.get("supercategory", "")) for e in data[kind]}
            for kind in ("categories", "attributes")
        ]
    except FileNotFoundError:
        raise BadTable(
            f"expected the names of categories and attributes in {path}, but there is no such "
            "file; copy it from the competition's data"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadTable(
            f"expected categories and attributes with id and name in {path}, but got "
            f"{type(error).__name__}: {error}; download it again"
        ) from error
    return found[0], found[1]


def run_lengths(text: str, height: int, width: int) -> RunLengthMask:
    """The mask in EncodedPixels; `BadInput` where it leaves the photo or contradicts itself."""
    try:
        numbers = np.array(text.split(), np.int64)
    except (ValueError, OverflowError):
        raise BadInput(f"expected numbers in EncodedPixels, but got {text[:40]!r}") from None
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    if len(numbers) % 2 or not len(numbers):
        raise BadInput(f"expected pairs of start and length, but got {len(numbers)} numbers")
    order = np.argsort(starts, kind="stable")
    starts, lengths = starts[order], lengths[order]
    ends = starts + lengths
    if starts[0] < 0 or lengths.min() < 1 or ends[-1] > height * width:
        raise BadInput(
            f"expected runs within the {height} x {width} pixels of the photo, but they go from "
            f"{starts[0] + 1} to {ends[-1]}"
        )
    if (starts[1:] < ends[:-1]).any():
        raise BadInput("expected runs that do not overlap, but some do")
    counts = np.empty(2 * len(starts) + 1, np.int64)
    counts[1::2] = lengths
    counts[0:-1:2] = np.diff(starts, prepend=0)
    counts[2:-1:2] -= lengths[:-1]
    counts[-1] = height * width - ends[-1]
    return RunLengthMask(height, width, tuple(counts.tolist()))


def _index(
    file: BinaryIO,
    at: int,
    root: Path,
    photos: dict[str, InstancePhoto],
) -> None:
    """Note where each photo's rows begin; those of one photo need not follow each other."""
    for line in file:
        name = line.split(b",", 1)[0].strip().decode("utf-8").strip('"')
        if name:
            file_name = name if name.endswith(".jpg") else f"{name}.jpg"
            photo = photos.get(file_name)
            if photo is None:
                path = root / "train" / file_name
                photo = InstancePhoto(path, f"train/{file_name}", root / TABLE)
                photos[file_name] = photo
            photo.rows.append(at)
        at += len(line)


def _row_at(file: BinaryIO, at: int, photo: InstancePhoto) -> Row:
    """One row. Only its last cell may be quoted; others may be longer than `csv` allows."""
    file.seek(at)
    cells = file.readline().decode("utf-8", "replace").strip().split(",", len(COLUMNS) - 1)
    if len(cells) != len(COLUMNS):
        raise BadTable(
            f"expected {len(COLUMNS)} cells in the rows of {photo.file} in {photo.table}, "
            f"but got {len(cells)}; download it again"
        )
    return dict(zip(COLUMNS, (cell.strip().strip('"') for cell in cells), strict=True))


def _instance(row: Row, table: Path) -> Instance:
    height, width = (int(number(row, name, table)) for name in ("Height", "Width"))
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        raise BadInput(
            f"expected a photo of 1 to {MAX_PIXELS:,} pixels, but its row says {width} x {height}"
        )
    attributes = row["AttributesIds"] if row["AttributesIds"] != "nan" else ""
    try:
        ids = [int(name) for name in (row["ClassId"], *filter(None, attributes.split(",")))]
    except ValueError:
        raise BadTable(
            f"expected ids of classes and attributes in {table}, but got {row['ClassId']!r} and "
            f"{row['AttributesIds']!r}; download it again"
        ) from None
    return Instance(ids[0], tuple(ids[1:]), run_lengths(row["EncodedPixels"], height, width))
