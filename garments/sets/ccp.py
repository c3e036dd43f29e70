"""Clothing Co-Parsing (Yang, Luo, Lin, CVPR 2014), and any folder laid out like it.

The folder holds a table with the header `photo,label` (and maybe `split`), paths relative to the
folder, and `labels.csv` (`id,name`). A label map is an 8-bit PNG, its values are the ids. Names
are those of CCP or the part names themselves, as the synthetic street writes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from garments.boxes import Box
from garments.errors import BadImage, BadTable
from garments.mappings import mapping, part_index
from garments.parts import IGNORED, Region
from garments.records import Verdict
from garments.sets.tables import check_files, find_table, number, of_split, read_table


@dataclass(frozen=True)
class ParsedPhoto:
    """A photo with its label map; `names` is the table that names the label ids."""

    photo: Path
    label: Path
    split: str
    names: Path


@dataclass(frozen=True)
class TaggedPhoto:
    """A photo of which only the labels that it shows are known, and not where."""

    path: Path
    file: str
    tags: tuple[str, ...]


def read_ccp(
    root: Path | str, split: str | None = None, *, complete: bool = True
) -> list[ParsedPhoto]:
    """Photos with label maps in `root`, in the table's order; only those of `split` if given.

    `split` is "" where the table has no such column. Where the folder need not be `complete`, files
    that are missing are left to the caller. Raises `BadTable`.
    """
    root = Path(root)
    table = find_table(root, ("photo", "label"), preferred="split")
    names = root / "labels.csv"
    items = [
        ParsedPhoto(root / row["photo"], root / row["label"], row.get("split", ""), names)
        for row in read_table(table, ("photo", "label"))
    ]
    if complete:
        check_files(table, (path for item in items for path in (item.photo, item.label)))
    return of_split(items, split, table)


def read_ccp_tags(root: Path | str) -> list[TaggedPhoto]:
    """Photos with image-level tags, `|`-separated in `image_tags.csv`; some may not be there."""
    root = Path(root)
    return [
        TaggedPhoto(root / row["image"], row["image"], _tags(row["tags"]))
        for row in read_table(root / "image_tags.csv", ("image", "tags"))
    ]


def _tags(cell: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in cell.split("|") if tag.strip())


def default_split(items: Sequence[ParsedPhoto]) -> list[ParsedPhoto]:
    """The photos that are evaluated unless told otherwise: those of `val` if any, else all."""
    return [item for item in items if item.split == "val"] or list(items)


def read_garment_boxes(root: Path | str) -> dict[Path, list[tuple[Region, Box]]]:
    """Garments by photo from `garments.csv`, empty where a set has no such table.

    Needed where a photo shows several people, whom a label map cannot tell apart. With a column
    `framing`, garments of people who are not to be accepted are left out. Boxes: xyxy pixels.
    """
    root = Path(root)
    table = root / "garments.csv"
    if not table.is_file():
        return {}
    columns = ("x1", "y1", "x2", "y2")
    found: dict[Path, list[tuple[Region, Box]]] = {}
    for row in read_table(table, ("file", "region", *columns)):
        boxes = found.setdefault(root / row["file"], [])
        if row.get("framing", Verdict.ACCEPTED) == Verdict.ACCEPTED:
            box = Box(*(number(row, column, table) for column in columns))
            boxes.append((Region(row["region"]), box))
    return found


def read_label_map(path: Path) -> NDArray[np.uint8]:
    """Label ids (height, width) of an 8-bit PNG; palette indices are kept, not their colours."""
    try:
        with Image.open(path) as image:
            if image.mode not in ("P", "L", "1"):
                raise BadImage(
                    f"expected a label map of 8 bits a pixel at {path}, but its mode is "
                    f"{image.mode}; save it as a palette or grey PNG of label ids"
                )
            return np.array(image, np.uint8)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadImage(
            f"expected a label map at {path}, but it cannot be read ({error}); copy it again"
        ) from error


def read_names(path: Path) -> dict[int, str]:
    """Label names by id from a table `id,name`."""
    return {int(number(row, "id", path)): row["name"] for row in read_table(path, ("id", "name"))}


def load_parts(item: ParsedPhoto) -> NDArray[np.uint8]:
    """The label map of `item` over `garments.parts.PARTS`: (height, width), 255 = ignored.

    Ids that `labels.csv` does not name are ignored; a name that no label set knows is `BadTable`.
    """
    table = _part_table(item.names, _modified(item.names))
    return table[read_label_map(item.label)]


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # read_names says what is wrong


@lru_cache(maxsize=32)
def _part_table(path: Path, modified: int) -> NDArray[np.uint8]:
    """Part by label id, (256,) uint8; `modified` makes an edited table be read again."""
    table = np.full(256, IGNORED, np.uint8)
    for label, name in read_names(path).items():
        if not 0 <= label < 255:
            raise BadTable(f"expected label ids 0 to 254 in {path}, but got {label}")
        table[label] = _part_of(name, path)
    return table


def _part_of(name: str, path: Path) -> int:
    """Index of the part for a name of CCP, else of any known label set; 255 if ignored."""
    known = mapping("ccp").entry(name)
    index = known.part_index if known else part_index(name)
    if index is None:
        raise BadTable(
            f"expected names of Clothing Co-Parsing or part names in {path}, but got {name!r}; "
            "rename it, or add it to garments/data/mappings/ccp.toml"
        )
    return index
