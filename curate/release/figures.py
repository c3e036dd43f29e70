"""The figures of a release that its datasheet and card show."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.release.choose import SPLITS, Choice, Item, Origin
from garments.agreement import Agreement, agreement, annotators_answers
from garments.answers import NOT_VISIBLE, answer_of
from garments.said import Basis, Held, LabelKind, audit_slice

if TYPE_CHECKING:
    from garments.dataset import Dataset
    from garments.taxonomy import Attribute

NOTHING = ""
"""Stands for an answer without any value: nothing applies."""

Counts = Mapping[str, int]


@dataclass(frozen=True)
class SplitFigures:
    """What is in one split. `blind`: garments whose annotators saw no proposal."""

    garments: int
    photos: int
    people: int
    groups: int
    gold: int
    blind: int
    regions: Counts


@dataclass(frozen=True)
class AttributeFigures:
    """What people hold about one attribute.

    `asked` are garments in whose region it is asked, or of which it was said all the same.
    `values` counts garments by value and split, in the taxonomy's order, with `NOTHING` and
    `not_visible` at the end where they occur; `bases` counts what holds by why it holds, `answers`
    by how many annotators' answers it rests on.
    """

    attribute: "Attribute"
    asked: int
    labelled: Counts
    disputed: int
    values: Mapping[str, Counts]
    bases: Counts
    answers: Mapping[int, int]
    agreement: Agreement | None

    @property
    def total(self) -> int:
        """Garments that have a label."""
        return sum(self.labelled.values())

    @property
    def coverage(self) -> float:
        """Share of the garments it is asked about that have a label, in [0, 1]."""
        return self.total / self.asked if self.asked else 0.0

    def count(self, value: str) -> int:
        """Garments with that value in all splits."""
        return sum(self.values.get(value, {}).values())


@dataclass(frozen=True)
class Licence:
    """Photos and garments of one licence and consent, as stated."""

    licence: str
    consent: str
    photos: int
    garments: int


@dataclass(frozen=True)
class Shared:
    """How many things of one kind stand in both of two splits."""

    what: str
    splits: tuple[str, str]
    count: int


@dataclass(frozen=True)
class Figures:
    """Everything that was counted. `annotators` and `handles` are numbers, never names.

    `products` are garments that nobody wears: product shots.
    """

    splits: Mapping[str, SplitFigures]
    attributes: Sequence[AttributeFigures]
    licences: Sequence[Licence]
    shared: Sequence[Shared]
    products: int
    annotators: int
    handles: int
    largest_handle: float
    sets: Counts

    @property
    def garments(self) -> int:
        """In all splits."""
        return sum(split.garments for split in self.splits.values())

    @property
    def photos(self) -> int:
        """In all licences, each photo once."""
        return sum(licence.photos for licence in self.licences)

    @property
    def labels(self) -> int:
        """Attributes of garments that have a label."""
        return sum(attribute.total for attribute in self.attributes)

    @property
    def disjoint(self) -> bool:
        """Whether no photo, person and group stands in two splits."""
        return not any(shared.count for shared in self.shared if shared.what in MUST_NOT)


MUST_NOT = ("photo", "person", "group")
"""What a split must never share; a handle may be, where there is but one."""


def figures(dataset: "Dataset", choice: Choice) -> Figures:
    """Count what is in a release, from its own choice and the catalogue it was made from."""
    items = choice.items
    ids = {item.garment.garment_id for item in items}
    labels = dataset.catalog.rows("labels").to_pylist()
    answers = annotators_answers(labels, ids, dataset.settings.simulated)
    handles = Counter(_handle(choice, item) for item in items)
    named = {name: count for name, count in handles.items() if name}
    people = {who for by_garment in answers.values() for a in by_garment.values() for who in a}
    return Figures(
        splits=_splits(items, audit_slice(dataset)),
        attributes=[_attribute(a, items, dataset, answers) for a in dataset.taxonomy.attributes],
        licences=_licences(choice),
        shared=shared(choice),
        products=sum(item.garment.person_id is None for item in items),
        annotators=len(people),
        handles=len(named),
        largest_handle=max(named.values(), default=0) / max(1, len(items)),
        sets=_sets(labels, ids),
    )


def shared(choice: Choice) -> list[Shared]:
    """How many photos, people, groups and handles stand in two splits; pairs of splits in order."""
    keys: dict[str, Callable[[Item], str | None]] = {
        "photo": lambda item: item.garment.photo_id,
        "person": lambda item: item.garment.person_id,
        "group": lambda item: item.group,
        "handle": lambda item: _handle(choice, item),
    }
    present = list(choice.counts())
    pairs = [(a, b) for at, a in enumerate(present) for b in present[at + 1 :]]
    found = []
    for what, key in keys.items():
        by_split: dict[str, set[str]] = defaultdict(set)
        for item in choice.items:
            by_split[item.split].add(key(item) or "")
        found += [Shared(what, (a, b), len((by_split[a] & by_split[b]) - {""})) for a, b in pairs]
    return found


def _handle(choice: Choice, item: Item) -> str:
    return choice.origins.get(item.garment.photo_id, Origin()).stated("handle")


def _splits(items: Iterable[Item], audit: set[str]) -> dict[str, SplitFigures]:
    by_split: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_split[item.split].append(item)
    return {
        name: SplitFigures(
            garments=len(own),
            photos=len({item.garment.photo_id for item in own}),
            people=len({item.garment.person_id for item in own} - {None}),
            groups=len({item.group for item in own}),
            gold=sum(item.garment.gold for item in own),
            blind=sum(item.garment.garment_id in audit for item in own),
            regions=dict(Counter(item.garment.region for item in own).most_common()),
        )
        for name in SPLITS.values()
        if (own := by_split[name])
    }


def _attribute(
    attribute: "Attribute",
    items: Sequence[Item],
    dataset: "Dataset",
    answers: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> AttributeFigures:
    regions = {item.garment.region for item in items}
    asked = {region for region in regions if attribute.id in dataset.taxonomy.asked(region)}
    said = [(item.split, held) for item in items if (held := item.held.get(attribute.id))]
    holding = [(split, held) for split, held in said if held.value is not None]
    by_garment = answers.get(attribute.id, {})
    return AttributeFigures(
        attribute,
        asked=sum(i.garment.region in asked or attribute.id in i.held for i in items),
        labelled=_in_order(Counter(split for split, _ in holding)),
        disputed=sum(held.basis is Basis.DISPUTED for _, held in said),
        values=_values(attribute, holding),
        bases={str(b): n for b in Basis if (n := sum(h.basis is b for _, h in holding))},
        answers=dict(sorted(Counter(h.answers for _, h in holding if h.answers).items())),
        agreement=agreement(list(unit.values()) for unit in by_garment.values()),
    )


def _values(attribute: "Attribute", holding: Iterable[tuple[str, Held]]) -> dict[str, Counts]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for split, held in holding:
        for value in answer_of(held.value or "[]") or {NOTHING}:
            counts[value][split] += 1
    ordered = [*attribute.ids, *(v for v in (NOTHING, NOT_VISIBLE) if v in counts)]
    return {value: _in_order(counts[value]) for value in ordered}


def _in_order(counts: Counts) -> dict[str, int]:
    return {name: counts[name] for name in SPLITS.values() if counts.get(name)}


def _licences(choice: Choice) -> list[Licence]:
    garments = Counter(item.garment.photo_id for item in choice.items)
    photos: dict[tuple[str, str], list[int]] = defaultdict(list)
    for photo, count in garments.items():
        origin = choice.origins.get(photo, Origin())
        photos[origin.stated("licence"), origin.stated("consent")].append(count)
    found = [Licence(*key, len(counts), sum(counts)) for key, counts in photos.items()]
    return sorted(found, key=lambda licence: (-licence.photos, licence.licence, licence.consent))


def _sets(labels: Iterable[Mapping[str, Any]], ids: set[str]) -> dict[str, int]:
    """Garments by the public set whose labels were imported."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in labels:
        if row["kind"] == LabelKind.IMPORT and row["garment_id"] in ids:
            found[row["annotator"] or "unknown"].add(row["garment_id"])
    return {name: len(garments) for name, garments in sorted(found.items())}
