"""The taxonomy: which attributes a garment has, and which values each can take.

A taxonomy is a TOML file; the default one is package data, a data set has its own copy. It is
immutable once read. Hashes tell what changed: the vocabulary hash of an attribute (ids, order,
structure) belongs to labels, tasks and models, its prompt hash only to proposals, so that mending
a prompt invalidates no label.
"""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from garments.errors import BadTaxonomy
from garments.parts import Region
from garments.taxonomy_check import check
from garments.toml import dumps
from garments.words import normalised

HASH_LENGTH = 16
"""Hex digits of a taxonomy's hashes."""


class Value(BaseModel):
    """One answer to an attribute's question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(title="Lower-case words joined by hyphens", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str = Field(title="What people read", min_length=1)
    definition: str = Field("", title="When this value holds")
    parent: str | None = Field(None, title="Value of the parent attribute that it stands under")
    regions: tuple[Region, ...] = Field((), title="Regions it may belong to; empty = any")
    synonyms: tuple[str, ...] = Field((), title="Other words for it")
    prompts: tuple[str, ...] = Field((), title="Whole prompts besides the templates")
    hotkey: str | None = Field(None, title="Key in the labelling form", min_length=1)
    anchors: tuple[str, ...] = Field((), title="Typical sRGB colors, #rrggbb")

    @cached_property
    def words(self) -> frozenset[str]:
        """Everything that names this value, normalised."""
        return frozenset(normalised(word) for word in (self.id, self.title, *self.synonyms))


class Attribute(BaseModel):
    """One question about a garment, with its values in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(title="Lower-case name", pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(title="What people read", min_length=1)
    description: str = Field("", title="What is asked")
    multiple: bool = Field(False, title="Several values may hold at once")
    parent: str | None = Field(None, title="Attribute whose value limits this one's")
    regions: tuple[Region, ...] = Field((), title="Regions it is asked for; empty = all")
    templates: tuple[str, ...] = Field((), title="Prompts with {} for a value's title or synonym")
    values: tuple[Value, ...] = Field(title="The answers in order")

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Value ids in order: the order of logits."""
        return tuple(value.id for value in self.values)

    def value(self, value_id: str) -> Value:
        """The value called `value_id`, or `BadTaxonomy`."""
        for value in self.values:
            if value.id == value_id:
                return value
        raise BadTaxonomy(
            f"expected a value of {self.id}, one of {', '.join(self.ids)}, but got {value_id!r}"
        )

    def prompts(self, value_id: str) -> list[str]:
        """All prompts for a value: templates filled with title and synonyms, then its own."""
        value = self.value(value_id)
        names = [value.title.lower(), *(word.lower() for word in value.synonyms)]
        filled = [template.replace("{}", name) for name in names for template in self.templates]
        return list(dict.fromkeys([*filled, *value.prompts]))


class Taxonomy(BaseModel):
    """All attributes in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attributes: tuple[Attribute, ...] = Field(title="The questions in order")

    @classmethod
    def default(cls) -> "Taxonomy":
        """The taxonomy that ships with the project."""
        return _default()

    @classmethod
    def load(cls, path: Path | str) -> "Taxonomy":
        """Read a taxonomy file; `BadTaxonomy` says what is wrong with it."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadTaxonomy(
                f"expected a taxonomy in UTF-8 at {path}, but it cannot be read ({error}); "
                "write one, for example with `garmentloop init`"
            ) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, name: str = "taxonomy") -> "Taxonomy":
        """The taxonomy in the TOML `text`; `name` is what errors call it."""
        try:
            taxonomy = cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise BadTaxonomy(f"expected TOML in {name}, but {error}; correct that line") from error
        except ValidationError as error:
            raise BadTaxonomy(f"expected a taxonomy in {name}, but {_explain(error)}") from error
        check(taxonomy.attributes, name)
        return taxonomy

    def dumps(self) -> str:
        """This taxonomy as TOML, one line a value; `parse` reads it back unchanged."""
        return dumps(self.model_dump(mode="json", exclude_defaults=True))

    def save(self, path: Path | str) -> None:
        """Write this taxonomy as TOML to `path`."""
        Path(path).write_text(self.dumps(), encoding="utf-8")

    def attribute(self, attribute: str) -> Attribute:
        """The attribute called `attribute`, or `BadTaxonomy`."""
        for found in self.attributes:
            if found.id == attribute:
                return found
        known = ", ".join(found.id for found in self.attributes)
        raise BadTaxonomy(f"expected an attribute, one of {known}, but got {attribute!r}")

    def values(self, attribute: str) -> tuple[str, ...]:
        """Value ids of `attribute` in order."""
        return self.attribute(attribute).ids

    def vocabulary_hash(self, attribute: str) -> str:
        """Hash of what labels depend on: ids, order, structure; not words, prompts, anchors."""
        found = self.attribute(attribute)
        values = [[value.id, value.parent, sorted(value.regions)] for value in found.values]
        return _hash([found.id, found.multiple, found.parent, sorted(found.regions), values])

    def prompt_hash(self, attribute: str) -> str:
        """Hash of every prompt of `attribute`, by value."""
        found = self.attribute(attribute)
        return _hash([[value, found.prompts(value)] for value in found.ids])

    @property
    def hash(self) -> str:
        """Hash of everything in this taxonomy."""
        return _hash(self.model_dump(mode="json"))

    def resolve(self, attribute: str, word: str) -> str | None:
        """Value id that `word` names by id, title or synonym; None if none does.

        Case, hyphens, underscores and blanks do not count.
        """
        wanted = normalised(word)
        for value in self.attribute(attribute).values:
            if wanted in value.words:
                return value.id
        return None

    def children(self, attribute: str, parent: str) -> tuple[str, ...]:
        """Value ids of `attribute` that stand under the value `parent`, in order."""
        return tuple(v.id for v in self.attribute(attribute).values if v.parent == parent)

    def sub_categories(self, category: str) -> tuple[str, ...]:
        """Sub-categories of `category` in order; none if it has none."""
        self.attribute("category").value(category)
        if all(found.id != "sub_category" for found in self.attributes):
            return ()
        return self.children("sub_category", category)

    def categories(self, region: str) -> tuple[str, ...]:
        """Categories that may belong to `region` in order; all of them for `unknown`."""
        return self.allowed("category", region)

    def allowed(self, attribute: str, region: str) -> tuple[str, ...]:
        """Value ids of `attribute` that may belong to `region`, all of them for `unknown`."""
        wanted = Region(region)
        return tuple(
            value.id
            for value in self.attribute(attribute).values
            if wanted == Region.UNKNOWN or not value.regions or wanted in value.regions
        )

    def asked(self, region: str) -> tuple[str, ...]:
        """Attributes that are asked about a garment in `region`, all of them for `unknown`."""
        wanted = Region(region)
        return tuple(
            found.id
            for found in self.attributes
            if wanted == Region.UNKNOWN or not found.regions or wanted in found.regions
        )

    def anchors(self, attribute: str = "color") -> tuple[list[str], NDArray[np.float32]]:
        """Value ids (one an anchor, repeated) and the anchors as sRGB (N, 3) in [0, 1]."""
        pairs = [(v.id, anchor) for v in self.attribute(attribute).values for anchor in v.anchors]
        rgb = [[int(anchor[i : i + 2], 16) / 255 for i in (1, 3, 5)] for _, anchor in pairs]
        return [value for value, _ in pairs], np.array(rgb, np.float32).reshape(-1, 3)


def lab(rgb: NDArray[np.floating]) -> NDArray[np.float32]:
    """CIELAB (D65, 2 degrees) of sRGB colors (..., 3) in [0, 1], by IEC 61966-2-1 and CIE 15."""
    rgb = np.asarray(rgb, np.float64)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = linear @ np.array(to_xyz).T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


@lru_cache(maxsize=1)
def _default() -> Taxonomy:
    path = resources.files("garments") / "data" / "taxonomy.toml"
    return Taxonomy.parse(path.read_text(encoding="utf-8"), "garments/data/taxonomy.toml")


def _hash(content: Sequence[Any] | dict[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def _explain(error: ValidationError) -> str:
    """The first fault in words, with its place in the file."""
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    message = "there is an unknown key" if first["type"] == "extra_forbidden" else first["msg"]
    return f"{place}: {message}{more}; correct it"
