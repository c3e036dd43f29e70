"""Person boxes on everyday photos (a COCO 2017 subset), and any folder laid out like it.

`images.csv` has at least `file,width,height`; `boxes.csv` has `file,x,y,w,h` and maybe `iscrowd`
in pixels of the photo, top-left origin; `keypoints.csv` (17 COCO keypoints, `v`: 0 not labelled,
1 hidden, 2 visible) is optional.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from garments.errors import BadTable
from garments.sets.tables import Row, check_files, hash_percent, number, of_split, read_table

HELD_OUT_PERCENT, VAL_PERCENT = 20, 25
"""Shares of the photos in `test`, and of the others in `val`, in percent."""

_PAIRED = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
KEYPOINTS = ("nose", *(f"{side}_{joint}" for joint in _PAIRED for side in ("left", "right")))
"""Names of the COCO keypoints in their order."""


@dataclass(frozen=True)
class PersonsPhoto:
    """A photo with its person boxes.

    `boxes` is (N, 4) float32 xyxy pixels, NaN where the source is damaged; `crowd` tells a box's
    crowd flag, None = not known.
    `framing` is full_body, no_feet, head_shoulders, head_only, no_head or None (not judged).
    `boxes_truncated`: the source kept only some boxes, so the photo says nothing about recall.
    `keypoints` is (17, 3) float32 of x, y, v, or None. `licence` is the photo's own, as stated.
    """

    path: Path
    file: str
    width: int
    height: int
    boxes: NDArray[np.float32]
    crowd: tuple[bool | None, ...]
    framing: str | None
    has_crowd: bool | None
    boxes_truncated: bool
    split: str
    keypoints: NDArray[np.float32] | None = None
    licence: str = ""


def persons_split(file: str) -> str:
    """`test` for the held-out part of the set, else `val` or `train`, by hashes of the name.

    The bare file name without its folder (`000000000139.jpg`) is the key: `test` if
    `sha256("persons/" + name) % 100 < 20`, `val` if `sha256("persons/val/" + name) % 100 < 25`.
    """
    name = PurePosixPath(file).name
    if hash_percent(f"persons/{name}") < HELD_OUT_PERCENT:
        return "test"
    return "val" if hash_percent(f"persons/val/{name}") < VAL_PERCENT else "train"


def read_persons(
    root: Path | str, split: str | None = None, *, complete: bool = True
) -> list[PersonsPhoto]:
    """Photos in `root` in the order of `images.csv`; only those of `split` if given.

    A `split` column in `images.csv` overrules the hash rule. Where the folder need not be
    `complete`, files that are missing are left to the caller. Raises `BadTable`.
    """
    root = Path(root)
    table = root / "images.csv"
    rows = read_table(table, ("file", "width", "height"))
    if complete:
        check_files(table, (root / row["file"] for row in rows))
    boxes = _boxes(root / "boxes.csv", {row["file"] for row in rows})
    keypoints = _keypoints(root / "keypoints.csv")
    photos = [_photo(root, row, boxes[row["file"]], keypoints.get(row["file"])) for row in rows]
    return of_split(photos, split, table)


def _photo(
    root: Path,
    row: Row,
    boxes: list[tuple[tuple[float, ...], bool | None]],
    keypoints: NDArray[np.float32] | None,
) -> PersonsPhoto:
    table = root / "images.csv"
    return PersonsPhoto(
        path=root / row["file"],
        file=row["file"],
        width=int(number(row, "width", table)),
        height=int(number(row, "height", table)),
        boxes=np.array([box for box, _ in boxes], np.float32).reshape(-1, 4),
        crowd=tuple(crowd for _, crowd in boxes),
        framing=row.get("framing") or None,
        has_crowd=_flag(row.get("has_crowd", "")),
        boxes_truncated=bool(_flag(row.get("boxes_truncated", ""))),
        split=row.get("split") or persons_split(row["file"]),
        keypoints=keypoints,
        licence=row.get("license_url", ""),
    )


def _boxes(
    path: Path, files: set[str]
) -> Mapping[str, list[tuple[tuple[float, ...], bool | None]]]:
    """Boxes (xyxy pixels) and crowd flags by file."""
    found: defaultdict[str, list[tuple[tuple[float, ...], bool | None]]] = defaultdict(list)
    for row in read_table(path, ("file", "x", "y", "w", "h")):
        if row["file"] not in files:
            raise BadTable(
                f"expected files of images.csv in {path}, but got {row['file']!r}; "
                "the two tables belong to different copies"
            )
        x, y, width, height = (number(row, column, path) for column in "xywh")
        box = (x, y, x + width, y + height)
        found[row["file"]].append((box, _flag(row.get("iscrowd", ""))))
    return found


def _keypoints(path: Path) -> dict[str, NDArray[np.float32]]:
    """Keypoints (17, 3) by file, empty where there is no such table."""
    if not path.is_file():
        return {}
    columns = [f"{name}_{axis}" for name in KEYPOINTS for axis in "xyv"]
    return {
        row["file"]: np.array(
            [number(row, column, path) for column in columns], np.float32
        ).reshape(-1, 3)
        for row in read_table(path, ("file", *columns))
    }


def _flag(cell: str) -> bool | None:
    """A cell 0 or 1 as bool; empty = not known."""
    return None if cell == "" else cell not in ("0", "0.0", "false", "False")
