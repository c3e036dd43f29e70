"""Sets of which each photo shows one garment: clothing, and Fashion Product Images."""

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from curate.imports.entries import Entry, Look, Piece, PublicSet
from curate.imports.words import Lexicon, Words
from garments.mappings import mapping
from garments.parts import GARMENT_REGIONS, Region
from garments.sets.clothing import read_clothing
from garments.sets.fashion_products import Product, read_fashion_products

CLOTHING_LICENCE = "CC0 1.0"
PRODUCTS_LICENCE = "declared open by the uploader (MIT or CC0), not verified; a shop's photos"

_COLUMNS = ("articleType", "baseColour", "usage", "gender")
_WEAK = "graphic_print"  # "print" in a product's name may mean anything: other words go first


def clothing(root: Path, lexicon: Lexicon) -> PublicSet:
    """Clothing dataset (small): one word a photo."""
    entries = [
        Entry(
            photo.file,
            photo.path,
            partial(_clothing_look, photo.category, lexicon),
            photo.split,
            CLOTHING_LICENCE,
        )
        for photo in read_clothing(root, complete=False)
    ]
    return PublicSet("clothing", entries, edition(root / "labels.csv"))


def fashion_products(root: Path, lexicon: Lexicon) -> PublicSet:
    """Fashion Product Images: the attributes that the shop entered."""
    entries = [
        Entry(
            product.file,
            product.path,
            partial(_product_look, product, lexicon),
            product.split,
            PRODUCTS_LICENCE,
        )
        for product in read_fashion_products(root, complete=False)
    ]
    return PublicSet("fashion-products", entries, edition(root / "labels.csv"))


def edition(*tables: Path) -> str:
    """Hash of the files that labels are read from, missing ones left out."""
    return "-".join(_digest(path) for path in tables if path.is_file())


def _digest(path: Path) -> str:
    """Hash of a table, of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _clothing_look(word: str, lexicon: Lexicon) -> Look:
    words = Words()
    values = lexicon.translate(mapping("clothing"), word, words)
    return _look(_region("clothing", word), values, words)


def _product_look(product: Product, lexicon: Lexicon) -> Look:
    words, values = Words(), dict[str, str]()
    kind = product.labels["articleType"]
    entry = mapping("fashion_products.articleType").entry(kind)
    if entry is not None and entry.ignored:
        words.left_out[f"articleType {kind}"] += 1
        return Look(words=words, outside=entry.reason)
    for column in _COLUMNS:
        labels = mapping(f"fashion_products.{column}")
        values |= lexicon.translate(labels, product.labels[column], words, column)
    for word in sorted(product.pattern_words, key=lambda word: word == _WEAK)[:1]:
        weak = mapping("fashion_products.name_pattern_weak")
        values |= lexicon.translate(weak, word, words, "pattern in the name")
    return _look(_region("fashion_products.articleType", kind), values, words)


def _look(region: Region, values: Mapping[str, str], words: Words) -> Look:
    return Look(pieces=(Piece("0", region, values),), words=words)


def _region(name: str, word: str) -> Region:
    """The region that a word covers, unknown where it does not tell."""
    entry = mapping(name).entry(word)
    part = entry.part if entry else None
    return Region(part) if part in GARMENT_REGIONS else Region.UNKNOWN
