"""Which logits of a fine-tuned tagger mean what, and whether they fit a data set's taxonomy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from garments.errors import ModelError, UnfitModel
from garments.migration.history import History
from garments.tagger import Activation
from garments.taxonomy import Taxonomy

LEAST_KNOWN = 0.5
"""Share of an attribute's values that a model has to know to be asked for it."""

BELOW = 10.0
"""How far below a crop's lowest logit a value is put that the model has never learnt."""


@dataclass(frozen=True)
class Head:
    """One attribute's part of the logits: its values in the order that was learnt.

    `vocabulary` is the attribute's vocabulary hash then; `multiple` whether several may hold.
    """

    attribute: str
    values: tuple[str, ...]
    multiple: bool
    vocabulary: str

    @property
    def activation(self) -> Activation:
        """Each value by itself where several may hold, else one among all."""
        return Activation.SIGMOID if self.multiple else Activation.SOFTMAX


@dataclass(frozen=True)
class Layout:
    """The heads one after the other, as their logits are."""

    heads: tuple[Head, ...]

    @classmethod
    def of(cls, taxonomy: Taxonomy, attributes: Sequence[str]) -> "Layout":
        """A head for each of these attributes, in this order."""
        asked = [taxonomy.attribute(name) for name in attributes]
        return cls(
            tuple(Head(a.id, a.ids, a.multiple, taxonomy.vocabulary_hash(a.id)) for a in asked)
        )

    @property
    def size(self) -> int:
        """Number of logits."""
        return sum(len(head.values) for head in self.heads)

    def slices(self) -> dict[str, slice]:
        """Where the logits of each attribute are."""
        ends = np.cumsum([0, *(len(head.values) for head in self.heads)]).tolist()
        pairs = zip(self.heads, ends[:-1], ends[1:], strict=True)
        return {head.attribute: slice(start, end) for head, start, end in pairs}

    def head(self, attribute: str) -> Head:
        """The head of an attribute that the model has."""
        return next(head for head in self.heads if head.attribute == attribute)

    def content(self) -> list[dict[str, Any]]:
        """As kept in a model's configuration; `read` reads it."""
        return [
            {
                "attribute": head.attribute,
                "values": list(head.values),
                "multiple": head.multiple,
                "vocabulary": head.vocabulary,
            }
            for head in self.heads
        ]

    def now(self, taxonomy: Taxonomy, history: History) -> "Layout":
        """The same heads with attributes and values as migrations call them by now.

        Values that were merged have one name; those that went keep theirs, which nothing has now.
        """
        return Layout(tuple(_now(head, taxonomy, history) for head in self.heads))

    @classmethod
    def read(cls, content: object, where: str) -> "Layout":
        """The layout in a configuration; `ModelError` where it is damaged."""
        try:
            heads = [
                Head(h["attribute"], tuple(h["values"]), bool(h["multiple"]), h["vocabulary"])
                for h in content  # type: ignore[attr-defined]
            ]
        except (KeyError, TypeError) as error:
            raise ModelError(
                f"expected heads with attribute, values, multiple and vocabulary in {where}, but "
                f"{error!r}; copy the model again, or train it again"
            ) from error
        return cls(tuple(heads))


@dataclass(frozen=True, eq=False)
class Mapped:
    """How a head's logits become those of an attribute of another taxonomy.

    `places` (K,) are indices into the head's logits, -1 for values that it never learnt. `same`
    where nothing has to be done. `merged` has all indices of values that are several of the head's,
    of which any may hold by itself where that is `multiple`.
    """

    places: NDArray[np.int64]
    same: bool
    merged: Mapping[int, Sequence[int]] = field(default_factory=dict)
    multiple: bool = False

    def apply(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, K) in the taxonomy's order from (N, H) in the head's."""
        if self.same:
            return logits
        unknown = logits.min(axis=1, keepdims=True) - np.float32(BELOW)
        found = np.where(self.places >= 0, logits[:, self.places], unknown)
        for place, parts in self.merged.items():
            together = np.maximum if self.multiple else np.logaddexp
            found[:, place] = together.reduce(logits[:, list(parts)], axis=1)
        return found.astype(np.float32)


def mapped(head: Head, taxonomy: Taxonomy, reference: str) -> Mapped:
    """Map a head to the attribute of that name as `taxonomy` has it.

    Values are matched by id: dropped ones are left out, new ones are never proposed. Raises
    `UnfitModel` where too few are known, or where one value holds now and several did then.
    """
    attribute = taxonomy.attribute(head.attribute)
    known: dict[str, list[int]] = {}
    for place, value in enumerate(head.values):
        known.setdefault(value, []).append(place)
    places = np.array([known.get(value, [-1])[0] for value in attribute.ids], np.int64)
    share = float((places >= 0).mean())
    if attribute.multiple != head.multiple or share < LEAST_KNOWN:
        why = (
            f"it knows {share:.0%} of its values"
            if share < LEAST_KNOWN
            else "one value holds in the one, several in the other"
        )
        raise UnfitModel(
            f"expected a model for this taxonomy, but {reference} learnt another {head.attribute} "
            f"({why}); train it again by `garmentloop finetune tagger`, or ask it for other "
            "attributes. If it is in force, `garmentloop models rollback` takes it out of force"
        )
    merged = {
        at: parts
        for at, value in enumerate(attribute.ids)
        if len(parts := known.get(value, [])) > 1
    }
    same = taxonomy.vocabulary_hash(head.attribute) == head.vocabulary
    return Mapped(places, same, merged, head.multiple)


def _now(head: Head, taxonomy: Taxonomy, history: History) -> Head:
    name = history.attribute(head.attribute)
    if name is None or all(name != found.id for found in taxonomy.attributes):
        return head
    ids = taxonomy.values(name)
    values = tuple(_value(head.attribute, value, ids, history) for value in head.values)
    return replace(head, attribute=name, values=values)


def _value(attribute: str, value: str, ids: Sequence[str], history: History) -> str:
    became = None if value in ids else history.present(attribute, value)
    if became is None or not became.holds:
        return value
    return next(iter(became.answer), value)


def answerable(
    layout: Layout, taxonomy: Taxonomy, attributes: Sequence[str] | None, reference: str
) -> dict[str, Mapped]:
    """The attributes that a model answers under a taxonomy, in the taxonomy's order.

    `attributes` None asks for all: then those that it never learnt are left out. Raises
    `UnfitModel` where one that is asked for is among these, or none remains.
    """
    heads: Mapping[str, Head] = {head.attribute: head for head in layout.heads}
    everything = [attribute.id for attribute in taxonomy.attributes]
    asked = everything if attributes is None else [taxonomy.attribute(a).id for a in attributes]
    lacking = [name for name in asked if name not in heads]
    if (attributes is not None and lacking) or len(lacking) == len(asked):
        raise UnfitModel(
            f"expected a model for {', '.join(lacking)}, but {reference} was trained for "
            f"{', '.join(heads)}; train another by `garmentloop finetune tagger`"
        )
    return {name: mapped(heads[name], taxonomy, reference) for name in asked if name in heads}
