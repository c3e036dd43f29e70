"""Labelled pictures for scoring a tagger, from any folder laid out like the public sets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from annotate.native import (
    NATIVE_COLUMNS,
    NOT_GIVEN,
    column_mapping,
    native_attribute,
    native_taxonomy,
    native_value,
)
from garments.errors import BadTable
from garments.images import decode
from garments.mappings import LabelMapping, mapping
from garments.sets.clothing import ClothingPhoto, read_clothing
from garments.sets.crops import LabelledCrop, ccp_crops, street_crops
from garments.sets.fashion_products import Product, read_fashion_products
from garments.sets.tables import find_table
from garments.tagger import Crop
from garments.taxonomy import Attribute, Taxonomy
from garments.words import normalised

Vocabulary = Literal["native", "mapped"]

MAPPED = ("category", "sub_category", "color", "pattern", "style", "gender")
"""Attributes of the default taxonomy that the columns of fashion_products are mapped to."""

_LAYOUTS = {
    "fashion_products": ("file", "articleType", "baseColour"),
    "street": ("file", "region", "category", "color", "pattern"),
    "clothing": ("file", "category"),
    "ccp": ("photo", "label"),
}
"""Columns by which a folder is recognised, the more particular first."""

EVALUATED = ("val", "validation")
"""Splits that are evaluated unless told otherwise, where a folder has one of them."""


@dataclass(frozen=True)
class Sample:
    """One labelled garment.

    `truth` has by attribute every value that counts as right, the label's own one first.
    """

    name: str
    split: str
    truth: Mapping[str, tuple[str, ...]]
    load: Callable[[], Crop]


@dataclass(frozen=True)
class SampleSet:
    """What a folder holds, under one vocabulary.

    `kind` is fashion_products, clothing, ccp or street. `columns` has, by the name under which a
    figure is reported, the attribute of `taxonomy` that is asked.
    """

    kind: str
    samples: Sequence[Sample]
    taxonomy: Taxonomy
    columns: Mapping[str, str]

    def of_split(self, split: str | None) -> list[Sample]:
        """The samples of `split`; None: of val or validation where there is one, else all."""
        if split is None:
            chosen = [sample for sample in self.samples if sample.split in EVALUATED]
            return chosen or list(self.samples)
        chosen = [sample for sample in self.samples if sample.split == split]
        if not chosen:
            known = ", ".join(sorted({s.split for s in self.samples} - {""})) or "none"
            raise BadTable(
                f"expected labelled garments of split {split!r}, but the splits are: {known}; "
                "choose one of these or leave the split out"
            )
        return chosen

    def reference(self, evaluated: Sequence[Sample]) -> list[Sample]:
        """What baselines learn from: split train, or the evaluated themselves without one."""
        return [sample for sample in self.samples if sample.split == "train"] or list(evaluated)


def read_samples(data: Path | str, vocabulary: Vocabulary) -> SampleSet:
    """All labelled garments of the folder `data`; which set it is like shows in its tables.

    Raises `BadTable` for a layout that is none of these, `BadTaxonomy` for an unknown label.
    """
    root = Path(data)
    kind = kind_of(root)
    if kind == "fashion_products":
        return _fashion_products(root, vocabulary)
    if kind == "clothing":
        return _clothing(root, vocabulary)
    crops = street_crops(root) if kind == "street" else ccp_crops(root)
    return _crops(kind, crops, vocabulary)


def kind_of(root: Path) -> str:
    """Which set the folder is laid out like: fashion_products, street, clothing or ccp."""
    for kind, columns in _LAYOUTS.items():
        try:
            find_table(root, columns)
        except BadTable:
            continue
        return kind
    known = "; ".join(f"{kind}: {','.join(columns)}" for kind, columns in _LAYOUTS.items())
    raise BadTable(
        f"expected a folder with a CSV table of one of these layouts ({known}), but {root} has "
        "none; check the path, or see datasets/README.md"
    )


def _fashion_products(root: Path, vocabulary: Vocabulary) -> SampleSet:
    products = read_fashion_products(root)
    if vocabulary == "native":
        samples = [_sample(p, _native("fashion_products", p.labels)) for p in products]
        return _native_set("fashion_products", samples)
    samples = [_sample(p, _mapped(p)) for p in products if not p.ignored]
    return SampleSet("fashion_products", samples, Taxonomy.default(), _same(MAPPED))


def _clothing(root: Path, vocabulary: Vocabulary) -> SampleSet:
    """Mapped, only the category is scored: one class alone tells a sub-category."""
    photos = read_clothing(root)
    if vocabulary == "native":
        samples = [_sample(p, _native("clothing", {"category": p.category})) for p in photos]
        return _native_set("clothing", samples)
    labels = mapping("clothing")
    samples = [
        _sample(photo, {"category": labels.accepted(photo.category, "category")})
        for photo in photos
    ]
    return SampleSet("clothing", samples, Taxonomy.default(), _same(("category",)))


def _crops(kind: str, crops: Sequence[LabelledCrop], vocabulary: Vocabulary) -> SampleSet:
    """Garments cut out along their true masks, of a set whose words are the taxonomy's own.

    For `native`, CCP is asked no other categories than its own labels can tell.
    """
    own = vocabulary == "native" and kind == "ccp"
    told = ("category", "color", "pattern") if kind == "street" else ("category", "gender")
    asked = ("category",) if own else told
    taxonomy = _ccp_taxonomy() if own else Taxonomy.default()
    samples = [
        Sample(c.name, c.split, {name: (value,) for name, value in c.values.items()}, c.load)
        for c in crops
    ]
    return SampleSet(kind, samples, taxonomy, _same(asked))


def _ccp_taxonomy() -> Taxonomy:
    labels = mapping("ccp")
    told = {labels.values(label).get("category") for label in labels.labels}
    category = Taxonomy.default().attribute("category")
    fields = category.model_dump() | {"values": [v for v in category.values if v.id in told]}
    return Taxonomy(attributes=(Attribute.model_validate(fields),))


def _sample(photo: Product | ClothingPhoto, truth: Mapping[str, tuple[str, ...]]) -> Sample:
    return Sample(photo.file, photo.split, truth, partial(_load, photo.path))


def _load(path: Path) -> Crop:
    """A product shot: one garment, whose mask nobody knows."""
    return Crop(decode(path.read_bytes()).pixels)


def _native_set(kind: str, samples: Sequence[Sample]) -> SampleSet:
    columns = {column: native_attribute(kind, column) for column in NATIVE_COLUMNS[kind]}
    return SampleSet(kind, samples, native_taxonomy(kind), columns)


def _native(kind: str, words: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The set's own words by native attribute, without those that say that none was given."""
    return {
        native_attribute(kind, column): (native_value(words[column]),)
        for column in NATIVE_COLUMNS[kind]
        if normalised(words[column]) not in NOT_GIVEN
        and column_mapping(kind, column).known(words[column])
    }


def _mapped(product: Product) -> dict[str, tuple[str, ...]]:
    """Accepted values by attribute; the weak pattern word is the one `Product.values` takes."""
    found: dict[str, tuple[str, ...]] = {}
    for column in ("articleType", "baseColour", "usage", "gender"):
        found |= _accepted(column_mapping("fashion_products", column), product.labels[column])
    weak = mapping("fashion_products.name_pattern_weak")
    for word in product.pattern_words:
        accepted = _accepted(weak, word)
        if accepted.get("pattern", ("",))[0] == product.values["pattern"]:
            found |= accepted
    return found


def _accepted(labels: LabelMapping, word: str) -> dict[str, tuple[str, ...]]:
    return {name: labels.accepted(word, name) for name in labels.values(word)}


def _same(attributes: Sequence[str]) -> dict[str, str]:
    return {name: name for name in attributes}
