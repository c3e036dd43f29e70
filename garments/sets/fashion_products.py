"""Fashion Product Images (a subset): catalogue photos with the attributes of a shop.

`labels.csv` has at least the header `file,gender,masterCategory,subCategory,articleType,
baseColour,usage`; `split`, `season`, `name_pattern_weak` (words found in the product's name,
`|`-separated, not a source label), `productDisplayName`, `source`, `width` and `height` are read
where they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from garments.mappings import mapping
from garments.sets.tables import Row, check_files, of_split, read_table

NATIVE = ("gender", "masterCategory", "subCategory", "articleType", "baseColour", "usage")
"""The set's own label columns that are required."""

_SET = "fashion_products"


@dataclass(frozen=True)
class Product:
    """One product; `labels` are the set's own words by column, `split` train, val or "" (none)."""

    path: Path
    file: str
    split: str
    name: str
    labels: Mapping[str, str]
    pattern_words: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, str]:
        """Value of the default taxonomy by attribute: what the columns say, mapped.

        The pattern comes from a weak source; a particular word goes before `graphic_print`.
        """
        found: dict[str, str] = {}
        for column in ("articleType", "baseColour", "usage", "gender"):
            found |= mapping(f"{_SET}.{column}").values(self.labels[column])
        words = sorted(self.pattern_words, key=lambda word: word == "graphic_print")
        return found | (mapping(f"{_SET}.name_pattern_weak").values(words[0]) if words else {})

    @property
    def ignored(self) -> bool:
        """Whether the article type is outside the taxonomy (innerwear, personal care, ...)."""
        return mapping(f"{_SET}.articleType").ignored(self.labels["articleType"])


def read_fashion_products(
    root: Path | str, split: str | None = None, *, complete: bool = True
) -> list[Product]:
    """Products in `root` in the table's order; only those of `split` if given. Raises `BadTable`.

    Every label must be known to its mapping, else `BadTaxonomy` tells which one is not. Where the
    set need not be `complete`, missing files and unknown labels are left to the caller.
    """
    root = Path(root)
    table = root / "labels.csv"
    products = [_product(root, row) for row in read_table(table, ("file", *NATIVE))]
    if complete:
        check_files(table, (product.path for product in products))
        for product in products:
            _ = product.values
    return of_split(products, split, table)


def _product(root: Path, row: Row) -> Product:
    optional = ("season", "source", "width", "height", "id")
    return Product(
        path=root / row["file"],
        file=row["file"],
        split=row.get("split", ""),
        name=row.get("productDisplayName", ""),
        labels={column: row[column] for column in (*NATIVE, *optional) if column in row},
        pattern_words=tuple(word for word in row.get("name_pattern_weak", "").split("|") if word),
    )
