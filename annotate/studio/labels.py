"""From annotations to rows of `labels` and `decisions`: what is to be added, and what taken back.

Pure functions on what Label Studio has now and what the catalogue knows already. Applied twice,
they add nothing the second time; applied late, they catch up with whatever was missed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.studio.hear import Heard
from garments.ids import stable_id
from garments.said import LabelKind

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answered:
    """The task that annotations belong to.

    `number` is Label Studio's; `task_id` our own. `shown` is what the form held when it was
    opened, by attribute; `vocabulary` has the hash of the values on offer, by attribute. Labels
    of a rehearsal are of the kind `simulated`.
    """

    project_uuid: str
    number: int
    task_id: str
    garment_id: str
    crop_sha: str
    shown: Mapping[str, Mapping[str, Any]]
    vocabulary: Mapping[str, str]
    kind: LabelKind = LabelKind.ANNOTATOR

    def proposal(self, attribute: str) -> str | None:
        """The proposal that the form was filled with, None where that field was empty."""
        shown = self.shown.get(attribute) or {}
        return shown.get("proposal_id") if shown.get("values") else None


def label_rows(
    task: Answered, heard: Sequence[Heard], known: Iterable[Row]
) -> list[dict[str, Any]]:
    """Labels and withdrawals that make `known` (all of this task) say what was heard, in order.

    Someone's newest word counts (`garments.said`), and once it is withdrawn nothing does: so where
    an older annotation is all that is left of somebody, it is said again.
    """
    rows = sorted(known, key=lambda row: int(row["seq"]))
    ids = {row["label_id"] for row in rows}
    withdrawn = {row["withdraws"] for row in rows if row["withdraws"]}
    wanted = [
        _label(task, one, attribute)
        for one in sorted(heard, key=lambda one: (one.at, one.number))
        for attribute in one.values
    ]
    ours = {row["label_id"] for row in wanted}
    mine = [
        row
        for row in rows
        if not row["withdraws"] and (_is_of(row, task) or row["label_id"] in ours)
    ]
    new = [row for row in wanted if row["label_id"] not in ids]
    back = [
        row
        for row in _newest(mine, "annotation_id", "attribute")
        if row["label_id"] not in withdrawn | ours and not _still(row, wanted)
    ]
    withdrawn |= {row["label_id"] for row in back}
    last = {_author(row): row for row in [*mine, *new]}
    counts = {_author(row): row for row in wanted}
    again = [
        {**row, "label_id": _unused(row["label_id"], ids | ours)}
        for author, row in counts.items()
        if author in last and not _speaks(last[author], row, withdrawn)
    ]
    return [*map(_withdrawal, back), *new, *again]


def decision_rows(
    task: Answered, heard: Sequence[Heard], known: Iterable[Row]
) -> list[dict[str, Any]]:
    """The same for bad crops and notes: each is there once, or taken back."""
    rows = sorted(known, key=lambda row: int(row["seq"]))
    ids = {row["decision_id"] for row in rows}
    withdrawn = {row["withdraws"] for row in rows if row["withdraws"]}
    wanted = {
        (one.key(task.number), kind, one.who, note): _decision(task, one, kind)
        for one in heard
        for kind, note in one.decisions.items()
    }
    back = []
    for row in rows:
        if row["withdraws"] or row["decision_id"] in withdrawn or not _is_of(row, task):
            continue
        if not wanted.pop((row["annotation_id"], row["kind"], row["who"], row["note"]), None):
            back.append(row)
    new = [{**row, "decision_id": _unused(row["decision_id"], ids)} for row in wanted.values()]
    return [*map(_revocation, back), *new]


def _label(task: Answered, heard: Heard, attribute: str) -> dict[str, Any]:
    return {
        "label_id": stable_id("label", task.project_uuid, heard.number, heard.stamp, attribute),
        "garment_id": task.garment_id,
        "crop_sha": task.crop_sha,
        "attribute": attribute,
        "value": heard.values[attribute],
        "kind": str(task.kind),
        "annotator": heard.who,
        "seconds": heard.seconds,
        "task_id": task.task_id,
        "proposal_id": task.proposal(attribute),
        "vocabulary_hash": heard.vocabulary.get(attribute) or task.vocabulary.get(attribute),
        "annotation_id": heard.key(task.number),
        "created_at": heard.at,
    }


def _decision(task: Answered, heard: Heard, kind: str) -> dict[str, Any]:
    return {
        "decision_id": stable_id("decision", task.project_uuid, heard.number, heard.stamp, kind),
        "garment_id": task.garment_id,
        "kind": kind,
        "note": heard.decisions[kind],
        "who": heard.who,
        "task_id": task.task_id,
        "annotation_id": heard.key(task.number),
        "created_at": heard.at,
    }


def _withdrawal(row: Row) -> dict[str, Any]:
    """The tombstone of a label."""
    names = ("garment_id", "crop_sha", "attribute", "kind", "annotator", "task_id", "annotation_id")
    return {name: row[name] for name in names} | {
        "label_id": stable_id("withdrawal", row["label_id"]),
        "withdraws": row["label_id"],
    }


def _revocation(row: Row) -> dict[str, Any]:
    """The tombstone of a decision."""
    names = ("garment_id", "kind", "who", "task_id", "annotation_id")
    return {name: row[name] for name in names} | {
        "decision_id": stable_id("withdrawal", row["decision_id"]),
        "withdraws": row["decision_id"],
    }


def _is_of(row: Row, task: Answered) -> bool:
    """Whether a row was read from this very task: a garment's task may be on the server twice."""
    return str(row["annotation_id"] or "").startswith(f"{task.number}/")


def _newest(rows: Iterable[Row], *names: str) -> list[Row]:
    """The last of the rows that agree in `names`, each."""
    return list({tuple(row[name] for name in names): row for row in rows}.values())


def _still(row: Row, wanted: Iterable[Row]) -> bool:
    """Whether the same annotation of the same person still answers that attribute."""
    names = ("annotation_id", "attribute", "annotator")
    return any(all(row[name] == other[name] for name in names) for other in wanted)


def _speaks(last: Row, wanted: Row, withdrawn: Collection[str]) -> bool:
    """Whether somebody's last word on record is the one that counts."""
    same = all(last[name] == wanted[name] for name in ("annotation_id", "value"))
    return same and last["label_id"] not in withdrawn


def _author(row: Row) -> tuple[str, str]:
    return row["annotator"], row["attribute"]


def _unused(name: str, taken: set[str]) -> str:
    """`name`, or what follows from it where that is taken: something is said once more."""
    while name in taken:
        name = stable_id(name, "again")
    return name
