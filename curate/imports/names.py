"""The public sets that can be imported, by name, and which one a folder looks like."""

import difflib
import os
from collections.abc import Callable
from pathlib import Path

from curate.imports.entries import PublicSet
from curate.imports.instances import imaterialist
from curate.imports.options import ImportOptions
from curate.imports.people import persons
from curate.imports.pixels import ccp
from curate.imports.shop import clothing, fashion_products
from curate.imports.words import Lexicon
from extract.crops import cut_regions
from garments.dataset import Dataset
from garments.errors import BadSetting, BadTable
from garments.sets.coco import annotation_files
from garments.sets.imaterialist import TABLE
from garments.sets.tables import find_table

CCP, CCP_TAGS, CLOTHING = "ccp", "ccp-tags", "clothing"
PRODUCTS, PERSONS, IMATERIALIST = "fashion-products", "persons", "imaterialist"

NAMES = (CCP, CCP_TAGS, CLOTHING, PRODUCTS, PERSONS, IMATERIALIST)
"""Names of the sets, as the command line takes them."""

_ALSO = {"coco": PERSONS, "coco-persons": PERSONS, "products": PRODUCTS}


def set_name(text: str) -> str:
    """The set that somebody means, in any spelling of case, - and _; `BadSetting` otherwise."""
    name = text.strip().lower().replace("_", "-").removesuffix("-2020")
    name = _ALSO.get(name, name)
    if name in NAMES:
        return name
    close = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"did you mean {close[0]}?" if close else "for other photos use `garmentloop extract`"
    raise BadSetting(f"expected a set of {', '.join(NAMES)}, but got {text!r}; {hint}")


def open_set(
    name: str, root: Path, dataset: Dataset, options: ImportOptions | None = None
) -> PublicSet:
    """Read the tables of a set in `root`, all but `ccp-tags`. Raises `BadTable` with advice."""
    options = options or ImportOptions()
    lexicon = Lexicon.of(dataset, options.exact)
    regions = cut_regions(options.settings(dataset).crops)
    readers: dict[str, Callable[[], PublicSet]] = {
        CCP: lambda: ccp(root, lexicon, regions),
        CLOTHING: lambda: clothing(root, lexicon),
        PRODUCTS: lambda: fashion_products(root, lexicon),
        PERSONS: lambda: persons(root, dataset.settings.framing),
        IMATERIALIST: lambda: imaterialist(root, lexicon, regions),
    }
    check_folder(root)
    try:
        found = readers[name]()
    except BadTable as error:
        raise BadTable(f"{error}{_hint(name, root)}") from error
    _check(found, root)
    return found


def _check(found: PublicSet, root: Path) -> None:
    """Raise `BadTable` where there are no photos, or some that lie elsewhere."""
    if not found.entries:
        raise BadTable(f"expected photos in the tables of {root}, but they name none; copy again")
    if not any(entry.path.is_file() for entry in found.entries):
        raise BadTable(
            f"expected photos beside the tables in {root}, but none of {len(found.entries):,} is "
            f"there, such as {found.entries[0].path}; copy the whole folder"
        )
    own = Path(os.path.normpath(root.absolute()))
    for entry in found.entries:
        if own not in Path(os.path.normpath(entry.path.absolute())).parents:
            raise BadTable(
                f"expected photos in {root}, but its tables name {entry.path}, which lies "
                "elsewhere; where you trust the set, copy that photo into its folder"
            )


def check_folder(root: Path) -> None:
    """Raise `BadTable` where there is no such folder."""
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise BadTable(f"expected a set's folder, but {root} {what}; check the path")


def looks_like(root: Path) -> str | None:
    """The set that the folder `root` is laid out like, None if none."""
    if (root / TABLE).is_file() and _has_table(root, "EncodedPixels"):
        return IMATERIALIST
    if (root / "images.csv").is_file() or annotation_files(root):
        return PERSONS
    if _has_table(root, "file", "articleType"):
        return PRODUCTS
    if _has_table(root, "file", "category"):
        return CLOTHING
    return CCP if _has_table(root, "photo", "label") else None


def _has_table(root: Path, *columns: str) -> bool:
    try:
        find_table(root, columns)
    except BadTable:
        return False
    return True


def _hint(name: str, root: Path) -> str:
    """Which set the folder may be instead, or in which folder below it the set may be."""
    other = looks_like(root)
    if other and other != name:
        return f". It looks like {other}: `garmentloop import {other} {root} ...`"
    below = [path for path in sorted(root.iterdir())[:100] if path.is_dir()]
    inside = next((path for path in below if looks_like(path) == name), None)
    return f". Did you mean {inside}?" if inside else ""
