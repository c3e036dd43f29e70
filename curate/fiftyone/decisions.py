"""What a curator did in the App, read back into the catalogue.

Tags (`fields.DECISION_TAGS`) become decisions, removed tags withdraw them, and a label that was
edited becomes the curator's word. A decision that is in force is not taken again, so that a sync
that was stopped may be repeated.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.fiftyone.fields import DECISION_TAGS, NOTHING_APPLIES
from curate.fiftyone.standing import attribute_field
from curate.state import Decision, decisions_in_force
from garments.answers import value_of
from garments.catalog import one_of
from garments.ids import stable_id
from garments.said import LabelKind
from garments.taxonomy import Attribute
from garments.whole import write_whole

if TYPE_CHECKING:
    from curate.fiftyone.window import Window
    from garments.dataset import Dataset

SEND_FILE = "send.txt"
"""In DIR/run/curate: garments that a curator wants annotated, for `annotate push --select`."""

Row = dict[str, Any]
Change = tuple[str, Decision]
"""(garment_id, kind)"""


@dataclass(frozen=True)
class ReadBack:
    """What came from the App; in a dry run what would have.

    `decided` and `withdrawn` count decisions by kind, `relabelled` edited labels by attribute.
    `unknown` names garments with the label that was typed and is none of the taxonomy.
    """

    decided: Counter[str] = field(default_factory=Counter)
    withdrawn: Counter[str] = field(default_factory=Counter)
    relabelled: Counter[str] = field(default_factory=Counter)
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        tags = {str(kind): tag for kind, tag in DECISION_TAGS.items()}
        parts = [f"{count} tagged {tags[kind]}" for kind, count in sorted(self.decided.items())]
        parts += [
            f"{count} no longer {tags[kind]}" for kind, count in sorted(self.withdrawn.items())
        ]
        parts += [f"{count} {name} corrected" for name, count in sorted(self.relabelled.items())]
        if self.unknown:
            shown = "; ".join(self.unknown[:3]) + ("; ..." if len(self.unknown) > 3 else "")
            parts.append(f"{len(self.unknown)} labels left out ({shown})")
        return ", ".join(parts)


def read_back(
    window: "Window", who: str, dry_run: bool = False, since: datetime | None = None
) -> ReadBack:
    """Append to the catalogue what was tagged and edited in the App since the last sync, by `who`.

    Only samples that were modified after `since` are looked at; all of them where it is None.
    Also writes `send.txt` anew.
    """
    changed = _changed(window, since)
    added, removed = _tag_changes(changed)
    decided, withdrawn = _decision_rows(window.dataset, added, removed, who)
    labels, unknown = _label_rows(window.dataset, list(_edits(window.dataset, changed)), who)
    if not dry_run:
        window.dataset.catalog.add("decisions", decided + withdrawn)
        window.dataset.catalog.add("labels", labels)
        write_send_file(window.dataset)
    return ReadBack(
        Counter(row["kind"] for row in decided),
        Counter(row["kind"] for row in withdrawn),
        Counter(row["attribute"] for row in labels),
        tuple(unknown),
    )


def send_file(dataset: "Dataset") -> Path:
    """The file for `annotate push --select`."""
    return dataset.run / "curate" / SEND_FILE


def write_send_file(dataset: "Dataset") -> int:
    """Write the active garments that a curator wants annotated, a line each; how many."""
    rows = dataset.catalog.rows("decisions").to_pylist()
    decided = decisions_in_force(rows)
    active = dataset.catalog.active_garments(columns=["garment_id"]).column(0).to_pylist()
    wanted = [name for name in active if Decision.SEND in decided.get(name, {})]
    path = send_file(dataset)
    if wanted or path.exists():
        write_whole(path, "".join(f"{name}\n" for name in wanted))
    return len(wanted)


def _changed(window: "Window", since: datetime | None) -> list[Row]:
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


def _decision_rows(
    dataset: "Dataset", added: Iterable[Change], removed: Iterable[Change], who: str
) -> tuple[list[Row], list[Row]]:
    """New decisions, and rows that withdraw old ones."""
    rows = dataset.catalog.rows("decisions").to_pylist()
    in_force = decisions_in_force(rows)
    taken = Counter((row["garment_id"], row["kind"]) for row in rows if not row["withdraws"])
    decided = [
        {
            "decision_id": stable_id("decision", garment, kind, who, taken[garment, kind]),
            "garment_id": garment,
            "kind": str(kind),
            "who": who,
        }
        for garment, kind in added
        if kind not in in_force.get(garment, {})
    ]
    withdrawn = [
        {
            "decision_id": stable_id("withdraw", row["decision_id"]),
            "garment_id": garment,
            "kind": str(kind),
            "who": who,
            "withdraws": row["decision_id"],
        }
        for garment, kind in removed
        for row in in_force.get(garment, {}).get(kind, [])
    ]
    return decided, withdrawn


@dataclass(frozen=True)
class _Edit:
    """A label that somebody typed into the App."""

    garment_id: str
    crop_sha: str
    attribute: Attribute
    label: str


def _edits(dataset: "Dataset", changed: Sequence[Row]) -> Iterator[_Edit]:
    """Labels that are no longer as the sync wrote them."""
    for attribute in dataset.taxonomy.attributes:
        for document in changed:
            held = document.get(attribute_field(attribute.id)) or {}
            label = held.get("label")
            if isinstance(label, str) and label != held.get("written"):
                yield _Edit(document["garment_id"], document["crop_sha"], attribute, label)


def _label_rows(
    dataset: "Dataset", edits: Sequence[_Edit], who: str
) -> tuple[list[Row], list[str]]:
    """Rows of `labels` for what was edited, and what cannot be one."""
    before = _words_before(dataset, {edit.garment_id for edit in edits}, who)
    taxonomy = dataset.taxonomy
    rows, unknown = list[Row](), list[str]()
    for edit in edits:
        values = _values(edit.attribute, edit.label)
        if values is None:
            name = edit.attribute.id
            unknown.append(f"{edit.label!r} is no {name}, garment {edit.garment_id}")
            continue
        key, value = (edit.garment_id, edit.attribute.id), value_of(values)
        said = before[key]
        if said and said[-1] == value:
            continue
        rows.append(
            {
                "label_id": stable_id("curator", *key, value, who, len(said)),
                "garment_id": edit.garment_id,
                "crop_sha": edit.crop_sha,
                "attribute": edit.attribute.id,
                "value": value,
                "kind": str(LabelKind.CURATOR),
                "annotator": who,
                "vocabulary_hash": taxonomy.vocabulary_hash(edit.attribute.id),
            }
        )
    return rows, unknown


def _words_before(
    dataset: "Dataset", garments: Iterable[str], who: str
) -> Mapping[tuple[str, str], list[str]]:
    """What this curator said before, oldest first, by garment and attribute."""
    where = f"{one_of('garment_id', garments)} AND kind = '{LabelKind.CURATOR}'"
    rows = dataset.catalog.rows("labels", where=where).sort_by("seq").to_pylist()
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row["annotator"] == who and not row["withdraws"]:
            found[row["garment_id"], row["attribute"]].append(row["value"])
    return found


def _values(attribute: Attribute, label: str) -> list[str] | None:
    """The values that a label names, by id, title or synonym; None where it names none."""
    if label.strip().lower() == NOTHING_APPLIES:
        return []
    found = [_value(attribute, word) for word in label.split("+")]
    if None in found or (len(found) > 1 and not attribute.multiple):
        return None
    return sorted({value for value in found if value is not None})


def _value(attribute: Attribute, word: str) -> str | None:
    from garments.words import normalised

    wanted = normalised(word)
    return next((value.id for value in attribute.values if wanted in value.words), None)
