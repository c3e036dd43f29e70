"""Mappings from the vocabularies of public data sets to parts and to the taxonomy.

A mapping is a data file in `garments/data/mappings`. Each source label is given the part of a
dressed person that it covers (`part`), values of the default taxonomy (`values`), or is ignored
with a reason. `covers` lists further values that a coarse label may stand for: "pants" may be
jeans. `outfit` is what a label tells, weakly, of everything that is worn with it. Labels are
compared without regard to case, blanks, hyphens and underscores.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from garments.errors import BadTaxonomy
from garments.parts import IGNORED, PART_INDEX, PARTS
from garments.words import normalised

PARSING_SETS = ("ccp", "atr", "lip", "imaterialist")
"""Label sets of pixel labels, asked in this order when a checkpoint's labels are looked up."""

PartName = Literal["background", "hair", "skin", "upper", "lower", "whole", "feet", "accessories"]


class Entry(BaseModel):
    """What one source label means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    part: PartName | None = Field(None, title="Part of a dressed person that the label covers")
    values: dict[str, str] = Field(default={}, title="Value by attribute of the default taxonomy")
    covers: dict[str, list[str]] = Field(
        default={}, title="Further values that a coarse label may stand for, by attribute"
    )
    outfit: dict[str, str] = Field(
        default={}, title="Value by attribute of all that the same person wears"
    )
    ignored: bool = Field(False, title="The label is left out")
    reason: str = Field("", title="Why the label is ignored or mapped as it is")

    @model_validator(mode="after")
    def _says_something(self) -> "Entry":
        said = self.part is not None or bool(self.values)
        if self.ignored and said:
            raise ValueError("a label is either ignored or mapped, not both")
        if self.ignored and not self.reason:
            raise ValueError("an ignored label needs a reason")
        if not self.ignored and not said:
            raise ValueError("expected a part, values, or ignored = true with a reason")
        if set(self.covers) - set(self.values):
            raise ValueError("covers is for attributes that values has too")
        return self

    @property
    def part_index(self) -> int:
        """The part's value in label maps, 255 where the label has none."""
        return IGNORED if self.part is None else PART_INDEX[self.part]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    source: str
    labels: dict[str, Entry] = Field(min_length=1)


class LabelMapping:
    """One label set's mapping; get it by `mapping(name)`."""

    def __init__(self, name: str, title: str, source: str, labels: Mapping[str, Entry]) -> None:
        """Keep `labels` in their order; two that differ only in writing are `BadTaxonomy`."""
        self.name, self.title, self.source = name, title, source
        self.labels = tuple(labels)
        self._entries: dict[str, Entry] = {}
        for label, entry in labels.items():
            if normalised(label) in self._entries:
                raise BadTaxonomy(
                    f"expected each label once in mapping {name}, but {label!r} is twice"
                )
            self._entries[normalised(label)] = entry

    def entry(self, label: str) -> Entry | None:
        """What `label` means, or None when the set has no such label."""
        return self._entries.get(normalised(label))

    def known(self, label: str) -> Entry:
        """What `label` means, or `BadTaxonomy` when the set has no such label."""
        entry = self.entry(label)
        if entry is None:
            raise BadTaxonomy(
                f"expected a label of {self.title}, but got {label!r}; add it, with a mapping or "
                f"ignored = true, to garments/data/mappings/{self.name}.toml"
            )
        return entry

    def part(self, label: str) -> str | None:
        """Name of the part that `label` covers, None when it is ignored or covers none."""
        return self.known(label).part

    def values(self, label: str) -> dict[str, str]:
        """Value of the default taxonomy by attribute; empty when the label says none."""
        return dict(self.known(label).values)

    def accepted(self, label: str, attribute: str) -> tuple[str, ...]:
        """Every value that `label` may stand for, the mapped one first; empty when it says none."""
        entry = self.known(label)
        if attribute not in entry.values:
            return ()
        return (entry.values[attribute], *entry.covers.get(attribute, ()))

    def outfit(self, labels: Iterable[str]) -> dict[str, str]:
        """What labels of one person tell of all of its garments; nothing where they disagree."""
        told: dict[str, set[str]] = {}
        for label in labels:
            entry = self.entry(label)
            for attribute, value in (entry.outfit if entry else {}).items():
                told.setdefault(attribute, set()).add(value)
        return {name: min(values) for name, values in told.items() if len(values) == 1}

    def ignored(self, label: str) -> bool:
        """Whether `label` is left out on purpose."""
        return self.known(label).ignored

    def label_to_part_array(self, id_names: Mapping[int, str]) -> NDArray[np.uint8]:
        """Part by label id, (256,) uint8; 255 for ignored labels and for ids without a name."""
        table = np.full(256, IGNORED, np.uint8)
        for label, name in id_names.items():
            table[label] = self.known(name).part_index
        return table


def mapping_names() -> list[str]:
    """Names of all mappings that ship with the project."""
    folder = resources.files("garments") / "data" / "mappings"
    return sorted(path.name[:-5] for path in folder.iterdir() if path.name.endswith(".toml"))


@lru_cache(maxsize=64)
def mapping(name: str) -> LabelMapping:
    """The mapping called `name`, such as "ccp" or "fashion_products.articleType"."""
    if name not in mapping_names():
        raise BadTaxonomy(
            f"expected one of the mappings {', '.join(mapping_names())}, but got {name!r}"
        )
    return load_mapping(name, mapping_text(name))


def mapping_text(name: str) -> str:
    """The file of the mapping called `name`, as it is."""
    path = resources.files("garments") / "data" / "mappings" / f"{name}.toml"
    return path.read_text(encoding="utf-8")


def load_mapping(name: str, text: str) -> LabelMapping:
    """The mapping in the TOML `text`; `BadTaxonomy` when it contradicts itself."""
    try:
        file = _File.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadTaxonomy(f"expected a mapping in {name}.toml, but {error}; correct it") from error
    return LabelMapping(name, file.title, file.source, file.labels)


def part_index(label: str) -> int | None:
    """Index in `PARTS` for a label of any known label set, 255 if ignored, None if unknown."""
    return _parts_by_label().get(normalised(label))


def parts_by_name(labels: Sequence[str]) -> list[int | None]:
    """Index in `PARTS` for each of a checkpoint's labels; None if unknown, ignored or no part.

    Part names themselves and the labels of `PARSING_SETS` are known, in any spelling of case,
    blanks, hyphens and underscores.
    """
    found = (part_index(label) for label in labels)
    return [None if index == IGNORED else index for index in found]


@lru_cache(maxsize=1)
def _parts_by_label() -> dict[str, int]:
    table = {name: index for index, name in enumerate(PARTS)}
    for name in PARSING_SETS:
        labels = mapping(name)
        for label in labels.labels:
            table.setdefault(normalised(label), labels.known(label).part_index)
    return table
