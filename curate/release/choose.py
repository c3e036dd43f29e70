"""Which garments go into a release, with what is known of them; and why the others do not."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from curate.state import GarmentRow, GarmentState, garment_rows
from garments.answers import NOT_VISIBLE, answer_of
from garments.said import Held, people_say_in

if TYPE_CHECKING:
    from garments.dataset import Dataset
    from garments.taxonomy import Taxonomy

SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""Names in a release by name in the catalogue: Hugging Face's tools know these."""

QUARANTINE = "quarantine"


class LeftOut(StrEnum):
    """Why a garment is not in a release. Where several hold, the first of them counts."""

    RETIRED = "retired"
    EXCLUDED = "excluded"
    BAD_CROP = "bad_crop"
    LICENCE = "licence"
    UNLABELLED = "unlabelled"
    NO_SPLIT = "no_split"
    QUARANTINE = "quarantine"
    NO_PICTURE = "no_picture"


WORDS = {
    LeftOut.RETIRED: "not found again by a later extraction",
    LeftOut.EXCLUDED: "excluded by a curator",
    LeftOut.BAD_CROP: "a bad crop",
    LeftOut.LICENCE: "not under a licence that was asked for",
    LeftOut.UNLABELLED: "without any label by people",
    LeftOut.NO_SPLIT: "not in the split yet",
    LeftOut.QUARANTINE: "in quarantine: linked to the test or val split",
    LeftOut.NO_PICTURE: "without a readable crop",
}
"""Reasons as people read them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a photo came from: the rows of `sources` that have it, oldest first."""

    sources: tuple[Mapping[str, Any], ...] = ()

    def stated(self, column: str) -> str:
        """What its sources say (`licence`, `consent`, `handle`), without repetition."""
        words = dict.fromkeys((source[column] or "").strip() for source in self.sources)
        return "; ".join(word for word in words if word)

    def allowed(self, licences: Collection[str]) -> bool:
        """Whether it is stated to be under one of these licences, and under no other."""
        words = {(source["licence"] or "").strip().casefold() for source in self.sources} - {""}
        return bool(words) and words <= {licence.strip().casefold() for licence in licences}


@dataclass(frozen=True, slots=True)
class Item:
    """One garment of a release: `split` as in `SPLITS.values()`, what people hold by attribute."""

    garment: GarmentRow
    split: str
    group: str
    held: Mapping[str, Held]


@dataclass(frozen=True)
class Choice:
    """All garments of a data set, each in a release or left out.

    `outdated` counts labels whose values the taxonomy no longer has, by attribute.
    """

    items: list[Item]
    left_out: dict[str, LeftOut]
    origins: Mapping[str, Origin]
    split_versions: tuple[str, ...]
    outdated: Mapping[str, int]

    def counts(self) -> dict[str, int]:
        """Garments by split, those of a release first to last."""
        found = Counter(item.split for item in self.items)
        return {name: found[name] for name in SPLITS.values() if found[name]}

    def reasons(self) -> dict[LeftOut, int]:
        """Garments that are left out, by reason."""
        found = Counter(self.left_out.values())
        return {reason: found[reason] for reason in LeftOut if found[reason]}

    def without(self, unreadable: Collection[str]) -> "Choice":
        """The same without garments that turned out to have no picture."""
        more = dict.fromkeys(unreadable, LeftOut.NO_PICTURE)
        return Choice(
            [item for item in self.items if item.garment.garment_id not in more],
            {**self.left_out, **more},
            self.origins,
            self.split_versions,
            self.outdated,
        )


def choose(dataset: "Dataset", licences: Sequence[str] = ()) -> Choice:
    """Choose from what the catalogue holds; with `licences` only photos under one of these.

    Items come in the order of splits and garment ids, so that the same catalogue gives the same
    files.
    """
    rows = garment_rows(dataset)
    held, outdated = _held(dataset)
    splits, origins = _newest_splits(dataset), origins_of(dataset)
    items, left_out = [], {}
    for row in rows:
        split = splits.get(row.garment_id)
        reason = _why_not(row, held, split)
        origin = origins.get(row.photo_id, Origin())
        if reason is None and licences and not origin.allowed(licences):
            reason = LeftOut.LICENCE
        if reason is None and split:
            name = SPLITS[split["split"]]
            items.append(Item(row, name, split["group"] or "", held[row.garment_id]))
        elif reason:
            left_out[row.garment_id] = reason
    order = {name: place for place, name in enumerate(SPLITS.values())}
    items.sort(key=lambda item: (order[item.split], item.garment.garment_id))
    used = {splits[item.garment.garment_id]["version"] or "" for item in items}
    return Choice(items, left_out, origins, tuple(sorted(used)), outdated)


def origins_of(dataset: "Dataset") -> dict[str, Origin]:
    """Where photos came from, by photo."""
    rows = dataset.catalog.rows("sources", where="photo_id IS NOT NULL").sort_by("seq").to_pylist()
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["photo_id"]].append(row)
    return {photo: Origin(tuple(sources)) for photo, sources in found.items()}


def _why_not(
    row: GarmentRow, held: Mapping[str, object], split: Mapping[str, Any] | None
) -> LeftOut | None:
    if row.state is not GarmentState.ACTIVE:
        return LeftOut(row.state)
    if row.garment_id not in held:
        return LeftOut.UNLABELLED
    if split is None:
        return LeftOut.NO_SPLIT
    return LeftOut.QUARANTINE if split["split"] not in SPLITS else None


def _newest_splits(dataset: "Dataset") -> dict[str, dict[str, Any]]:
    """The newest row of `splits` by garment."""
    columns = ["garment_id", "version", "split", "group", "seq"]
    rows = dataset.catalog.rows("splits", columns).sort_by("seq").to_pylist()
    return {row["garment_id"]: row for row in rows}


def _held(dataset: "Dataset") -> tuple[dict[str, dict[str, Held]], dict[str, int]]:
    """What people hold of garments with at least one value; and how many labels are outdated."""
    values = {a.id: {*a.ids, NOT_VISIBLE} for a in dataset.taxonomy.attributes}
    found: dict[str, dict[str, Held]] = defaultdict(dict)
    outdated: Counter[str] = Counter()
    for (garment, attribute), held in people_say_in(dataset).items():
        if attribute not in values:
            continue
        if held.value is not None and not answer_of(held.value) <= values[attribute]:
            outdated[attribute] += 1
        else:
            found[garment][attribute] = held
    known = {
        g: said for g, said in found.items() if any(h.value is not None for h in said.values())
    }
    return known, dict(outdated)


def clashes(taxonomy: "Taxonomy", columns: Collection[str]) -> list[str]:
    """Attributes whose columns would have the name of another column."""
    taken, found = set(columns), []
    for attribute in taxonomy.attributes:
        own = attribute_columns(attribute.id)
        if taken & set(own):
            found.append(attribute.id)
        taken |= set(own)
    return found


def attribute_columns(attribute: str) -> tuple[str, str, str]:
    """Columns of an attribute: its values, on what basis they hold, how many answers it took."""
    return attribute, f"{attribute}_source", f"{attribute}_answers"
