"""The context picture of a garment: its photo, with the person and the garment boxed."""

import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garments.boxes import Box
from garments.catalog import one_of
from garments.errors import GarmentLoopError
from garments.files import read_bytes
from garments.images import Pixels, decode, size_of
from garments.jpeg import encode_quickly
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.dataset import Dataset

SHORTEST = 400
"""A context picture's longer side is at least this and less than twice this, if it can be."""

PERSON, GARMENT, EDGE = (255, 255, 255), (255, 64, 160), (20, 20, 20)
"""Colors of the two boxes, and of the edge that sets them off from any background."""

_QUALITY = 82
_FEW = 10_000

Row = Mapping[str, Any]
Color = tuple[int, int, int]


class ContextPictures:
    """Draws context pictures of some garments (rows of the table); safe to use from threads."""

    def __init__(self, dataset: "Dataset", garments: Iterable[Row]) -> None:
        rows = list(garments)
        self._dataset = dataset
        self._photos = _by_id(dataset, "photos", {r["photo_id"] for r in rows}, "width", "height")
        people = {row["person_id"] for row in rows if row["person_id"]}
        self._people = _by_id(dataset, "people", people, "x1", "y1", "x2", "y2")

    def draw(self, garments: Sequence[Row]) -> list[Path | None]:
        """The pictures for garments of one photo, drawn now where they are not there.

        None for all that are not there where the photo has no preview that can be read.
        """
        paths = [context_path(self._dataset, r["garment_id"], r["crop_sha"]) for r in garments]
        missing = [n for n, path in enumerate(paths) if not is_plain(path)]
        if not missing:
            return list(paths)
        photo = garments[0]["photo_id"]
        try:
            pixels = _small(read_bytes(self._dataset.preview_path(photo)))
        except GarmentLoopError:
            return [None if n in missing else path for n, path in enumerate(paths)]
        side = max(pixels.shape[:2])
        scale = side / (max(self._photos.get(photo, (0.0,))) or side)
        for number in missing:
            drawn = boxed(pixels, self._boxes(garments[number]), scale)
            write_whole(paths[number], encode_quickly(drawn, _QUALITY))
        return list(paths)

    def _boxes(self, row: Row) -> list[tuple[Box, Color]]:
        boxes = [(Box(row["x1"], row["y1"], row["x2"], row["y2"]), GARMENT)]
        person = self._people.get(row["person_id"] or "")
        return [(Box(*person), PERSON), *boxes] if person else boxes


def media_folder(dataset: "Dataset") -> Path:
    """Where pictures are kept that are made for annotators only."""
    return dataset.run / "studio-media"


def context_path(dataset: "Dataset", garment_id: str, crop_sha: str) -> Path:
    """Where the context picture is kept; it has another name when the garment is cut anew."""
    name = f"{garment_id}-{crop_sha}.jpg"
    return media_folder(dataset) / "context" / garment_id[:2] / name


def boxed(pixels: Pixels, boxes: Iterable[tuple[Box, Color]], scale: float) -> Pixels:
    """A copy of `pixels` with boxes (photo pixels, times `scale`) drawn in their colors."""
    drawn = pixels.copy()
    height, width = drawn.shape[:2]
    thick = max(2, round(max(height, width) / 256))
    for box, color in boxes:
        x1, y1, x2, y2 = (round(value * scale) for value in box)
        low = max(0, min(x1, width - 1)), max(0, min(y1, height - 1))
        high = max(0, min(x2, width) - 1), max(0, min(y2, height) - 1)
        _frame(drawn, low, high, thick + 2, EDGE)
        _frame(drawn, low, high, thick, color)
    return drawn


def _frame(
    pixels: Pixels, low: tuple[int, int], high: tuple[int, int], thick: int, color: Color
) -> None:
    """Four bars along a rectangle's sides: ten times as quick as OpenCV's thick lines."""
    before, after = thick // 2, thick - thick // 2
    (left, top), (right, bottom) = low, high
    rows = slice(max(0, top - before), bottom + after)
    columns = slice(max(0, left - before), right + after)
    for at in (top, bottom):
        pixels[max(0, at - before) : at + after, columns] = color
    for at in (left, right):
        pixels[rows, max(0, at - before) : at + after] = color


def is_plain(path: Path) -> bool:
    """Whether `path` is a file itself, not a link to one: the server would follow a link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _small(preview: bytes) -> Pixels:
    """The picture, by half, a quarter or an eighth: to those a JPEG is decoded quickly."""
    longest = max(size_of(preview))
    while longest >= 2 * SHORTEST:
        longest = -(-longest // 2)
    return decode(preview, longest=longest).pixels


def _by_id(
    dataset: "Dataset", table: str, ids: set[str], *columns: str
) -> dict[str, tuple[float, ...]]:
    """Numbers of the rows of `table` with these ids."""
    name = {"photos": "photo_id", "people": "person_id"}[table]
    where = one_of(name, ids) if 0 < len(ids) <= _FEW else None
    found = dataset.catalog.rows(table, [name, *columns], where)
    rows = zip(*(found.column(column).to_pylist() for column in (name, *columns)), strict=True)
    return {key: tuple(numbers) for key, *numbers in rows if key in ids}
