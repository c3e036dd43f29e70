"""Clothing dataset (small): single garments photographed by volunteers, 10 classes.

`labels.csv` has the header `file,category,split`, paths relative to the folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from garments.mappings import mapping
from garments.sets.tables import check_files, of_split, read_table


@dataclass(frozen=True)
class ClothingPhoto:
    """One photo of one garment with its class; `split` is train, validation or "" (none given)."""

    path: Path
    file: str
    category: str
    split: str

    @property
    def values(self) -> dict[str, str]:
        """Value of the default taxonomy by attribute."""
        return mapping("clothing").values(self.category)


def read_clothing(
    root: Path | str, split: str | None = None, *, complete: bool = True
) -> list[ClothingPhoto]:
    """Photos in `root` in the table's order; only those of `split` if given. Raises `BadTable`.

    Where the folder need not be `complete`, files that are missing are left to the caller.
    """
    root = Path(root)
    table = root / "labels.csv"
    photos = [
        ClothingPhoto(root / row["file"], row["file"], row["category"], row.get("split", ""))
        for row in read_table(table, ("file", "category"))
    ]
    if complete:
        check_files(table, (photo.path for photo in photos))
    return of_split(photos, split, table)


def evaluation_photos(photos: Sequence[ClothingPhoto]) -> list[ClothingPhoto]:
    """The photos evaluated unless told otherwise: those of `validation` if any, else all."""
    return [photo for photo in photos if photo.split == "validation"] or list(photos)
