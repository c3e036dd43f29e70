"""What a curator did in the App, read back into the catalogue.

Tags (`fields.DECISION_TAGS`) become decisions, removed tags withdraw them, and a label that was
edited becomes the curator's word. A decision that is in force is not taken again, so that a sync
that was stopped may be repeated.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curate.curator import Change, Word, append, decision_rows, label_rows, send_file
from curate.fiftyone.fields import DECISION_TAGS, NOTHING_APPLIES
from curate.fiftyone.standing import attribute_field
from garments.answers import NOT_VISIBLE
from garments.taxonomy import Attribute
from garments.words import normalised

if TYPE_CHECKING:
    from curate.fiftyone.window import Window
    from garments.dataset import Dataset

__all__ = ["ReadBack", "read_back", "send_file"]

Row = dict[str, Any]


@dataclass(frozen=True)
class ReadBack:
    """What came from the App; in a dry run what would have.

    `decided` and `withdrawn` count decisions by kind, `relabelled` edited labels by attribute.
    `unknown` has garments with what was typed there and is no label of the taxonomy, in words.
    """

    decided: Counter[str] = field(default_factory=Counter)
    withdrawn: Counter[str] = field(default_factory=Counter)
    relabelled: Counter[str] = field(default_factory=Counter)
    unknown: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        tags = {str(kind): tag for kind, tag in DECISION_TAGS.items()}
        parts = [f"{count} tagged {tags[kind]}" for kind, count in sorted(self.decided.items())]
        parts += [
            f"{count} no longer {tags[kind]}" for kind, count in sorted(self.withdrawn.items())
        ]
        parts += [f"{count} {name} corrected" for name, count in sorted(self.relabelled.items())]
        if self.unknown:
            shown = "; ".join(text for _, text in self.unknown[:3])
            shown += "; ..." if len(self.unknown) > 3 else ""
            parts.append(f"{len(self.unknown)} labels left out ({shown})")
        return ", ".join(parts)


def read_back(
    window: "Window",
    who: str,
    dry_run: bool = False,
    since: datetime | None = None,
    only: Collection[str] | None = None,
) -> ReadBack:
    """Append to the catalogue what was tagged and edited in the App since the last sync, by `who`.

    Only samples that were modified after `since` are looked at, or the garments in `only`; all of
    them where both are None. Also writes `send.txt` anew.
    """
    changed = _changed(window, since, only)
    added, removed = _tag_changes(changed)
    decided, withdrawn = decision_rows(window.dataset, added, removed, who)
    words, unknown = _edits(window.dataset, changed)
    labels = label_rows(window.dataset, words, who)
    if not dry_run:
        append(window.dataset, labels, decided + withdrawn)
    return ReadBack(
        Counter(row["kind"] for row in decided),
        Counter(row["kind"] for row in withdrawn),
        Counter(row["attribute"] for row in labels),
        tuple(unknown),
    )


def _changed(window: "Window", since: datetime | None, only: Collection[str] | None) -> list[Row]:
    """Samples with tags of ours, or labels, that are not as the sync wrote them.

    One look for all of them: it goes through every sample that FiftyOne modified since.
    """
    ours = list(DECISION_TAGS.values())
    tags = {"$setIntersection": [{"$ifNull": ["$tags", []]}, ours]}
    tagged = {"$not": {"$setEquals": [tags, {"$ifNull": ["$synced_tags", []]}]}}
    names = [attribute_field(attribute.id) for attribute in window.dataset.taxonomy.attributes]
    edited = [{"$ne": [f"${name}.label", f"${name}.written"]} for name in names]
    where: Row = {"$expr": {"$or": [tagged, *edited]}}
    if since is not None:
        where = {"last_modified_at": {"$gt": since}, **where}
    if only is not None:
        where = {"garment_id": {"$in": list(only)}, **where}
    parts = [f"{name}.{part}" for name in names for part in ("label", "written")]
    wanted = ["garment_id", "crop_sha", "tags", "synced_tags", *parts]
    found = window.garments._sample_collection.find(where, dict.fromkeys(wanted, True))
    documents = (document for document in found if document.get("garment_id"))
    return sorted(documents, key=lambda document: str(document["garment_id"]))


def _tag_changes(changed: Iterable[Row]) -> tuple[list[Change], list[Change]]:
    """Tags of ours that were added and removed in the App."""
    added, removed = list[Change](), list[Change]()
    for document in changed:
        now, before = set(document.get("tags") or ()), set(document.get("synced_tags") or ())
        for kind, tag in DECISION_TAGS.items():
            if tag in now - before:
                added.append((document["garment_id"], kind))
            elif tag in before - now:
                removed.append((document["garment_id"], kind))
    return sorted(added), sorted(removed)


def _edits(dataset: "Dataset", changed: Sequence[Row]) -> tuple[list[Word], list[tuple[str, str]]]:
    """Labels that are no longer as the sync wrote them, and what cannot be one."""
    words, unknown = list[Word](), list[tuple[str, str]]()
    for attribute in dataset.taxonomy.attributes:
        for document in changed:
            held = document.get(attribute_field(attribute.id)) or {}
            label, garment = held.get("label"), document["garment_id"]
            if not isinstance(label, str) or label == held.get("written"):
                continue
            values = _values(attribute, label)
            if values is None:
                unknown.append((garment, f"{label!r} is no {attribute.id}, garment {garment}"))
            else:
                answer = frozenset(values)
                words.append(Word(garment, document["crop_sha"], attribute.id, answer))
    return words, unknown


def _values(attribute: Attribute, label: str) -> list[str] | None:
    """The values that a label names, by id, title or synonym; None where it names none."""
    if label.strip().lower() == NOTHING_APPLIES:
        return []
    if normalised(label) == normalised(NOT_VISIBLE):
        return [NOT_VISIBLE]
    found = [_value(attribute, word) for word in label.split("+")]
    if None in found or (len(found) > 1 and not attribute.multiple):
        return None
    return sorted({value for value in found if value is not None})


def _value(attribute: Attribute, word: str) -> str | None:
    wanted = normalised(word)
    return next((value.id for value in attribute.values if wanted in value.words), None)
