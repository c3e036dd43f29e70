"""What a set says about garments, as rows of `labels`: what is to be added, and what taken back.

A label's id hashes what is said, where, and by which set, so a second import adds nothing. Where a
set has changed its mind since, the new word is appended and what it no longer says is withdrawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from garments.answers import value_of
from garments.catalog.convert import one_of
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.ids import stable_id
from garments.said import LabelKind

Row = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What a set says about one garment, which is `key` there: value by attribute."""

    garment_id: str
    crop_sha: str
    key: str
    values: Mapping[str, str]


def write_labels(dataset: Dataset, annotator: str, said: Sequence[Said]) -> int:
    """Make the catalogue say what `annotator` (a set) says about these garments; rows added.

    One at a time: what another import writes after a look at what was said would be said twice.
    """
    if not said:
        return 0
    dataset.run.mkdir(exist_ok=True)
    with exclusive(dataset.run / "import-labels.lock"):
        return _write(dataset, annotator, said)


def _write(dataset: Dataset, annotator: str, said: Sequence[Said]) -> int:
    catalog, rows = dataset.catalog, list[Row]()
    where = f"{one_of('garment_id', [s.garment_id for s in said])} AND "
    where += f"kind = '{LabelKind.IMPORT}' AND {one_of('annotator', [annotator])}"
    known = catalog.rows("labels", where=where).to_pylist()
    before, fallen = _newest(known), _fallen(known)
    vocabulary = {a.id: dataset.taxonomy.vocabulary_hash(a.id) for a in dataset.taxonomy.attributes}
    wanted = {
        (one.garment_id, attribute): _row(annotator, one, attribute, vocabulary)
        for one in said
        for attribute in one.values
    }
    new = [row for at, row in wanted.items() if _value(before.get(at)) != row["value"]]
    taken = catalog.known("labels", [row["label_id"] for row in new])
    while taken:  # said before, then otherwise, and now again
        for row in new:
            if row["label_id"] in taken:
                row["label_id"] = stable_id(row["label_id"], "again")
        taken = catalog.known("labels", [row["label_id"] for row in new])
    lost = [row for at, row in before.items() if at not in wanted and _value(row)]
    rows += [_withdrawal(row) for row in lost if row["label_id"] not in fallen]
    return catalog.add("labels", rows + new)


def _newest(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """The last word by garment and attribute; one that was withdrawn has no value any more.

    What a migration of the taxonomy took back counts as said: a set that says it again says nothing
    new.
    """
    rows = sorted(rows, key=lambda row: int(row["seq"]))
    withdrawn = {row["withdraws"] for row in rows if row["withdraws"]} - _fallen(rows)
    newest = {(r["garment_id"], r["attribute"]): r for r in rows if not r["withdraws"]}
    return {
        at: row | {"value": None} if row["label_id"] in withdrawn else row
        for at, row in newest.items()
    }


def _fallen(rows: Iterable[Row]) -> set[str]:
    """Labels that a migration took back."""
    return {row["withdraws"] for row in rows if row["withdraws"] and row["migration"]}


def _value(row: Row | None) -> str | None:
    return row["value"] if row else None


def _row(annotator: str, said: Said, attribute: str, vocabulary: Mapping[str, str]) -> Row:
    value = said.values[attribute]
    return {
        "label_id": stable_id("import", annotator, said.key, attribute, value),
        "garment_id": said.garment_id,
        "crop_sha": said.crop_sha,
        "attribute": attribute,
        "value": value_of([value]),
        "kind": str(LabelKind.IMPORT),
        "annotator": annotator,
        "vocabulary_hash": vocabulary[attribute],
    }


def _withdrawal(row: Row) -> Row:
    names = ("garment_id", "crop_sha", "attribute", "kind", "annotator")
    return {name: row[name] for name in names} | {
        "label_id": stable_id("withdrawal", row["label_id"]),
        "withdraws": row["label_id"],
    }
