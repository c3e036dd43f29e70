"""Tasks and answers without a server: rows as push and pull write them, by the same functions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotate.studio.answers import fill
from annotate.studio.audit import draw_audit
from annotate.studio.choose import Known, PushOptions, choose, excluded_garments
from annotate.studio.form import Form, form
from annotate.studio.hear import Heard, hear
from annotate.studio.labels import Answered, decision_rows, label_rows
from annotate.studio.project import LABELLING, Kind, record_of
from annotate.studio.side import CREATED, DONE
from annotate.studio.tasks import Pictures, TaskMaker
from garmentloop.simulate.annotator import Annotator
from garments.inforce import calibrations
from garments.proposals import readings
from garments.said import LabelKind

if TYPE_CHECKING:
    from garments.dataset import Dataset

PEOPLE = ("simulated-1@localhost.test", "simulated-2@localhost.test")
"""Who answers: blind tasks both of them, the others the first."""

_NOT_SHOWN = Pictures("", "")
_OURS = ("seq", "created_at")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Sent:
    """How many tasks are new, and how many of these are blind."""

    created: int = 0
    blind: int = 0


def push_directly(dataset: "Dataset", options: PushOptions) -> Sent:
    """Write the tasks that `annotate push` with these options would send; once."""
    rows = dataset.catalog.rows("tasks").sort_by("seq").to_pylist()
    sent: dict[str, bool] = {}
    for row in rows:
        sent[row["garment_id"]] = bool(row["audit"]) or sent.get(row["garment_id"], False)
    garments = _garments(dataset)
    known = Known(list(garments), sent, rows, excluded_garments(dataset))
    chosen = choose(options, known, draw_audit(dataset, options.audit, sent))
    said = readings(dataset, chosen.main)
    asked, fitted = form(dataset.taxonomy), calibrations(dataset)
    tasks = []
    for kind, names in ((Kind.MAIN, chosen.main), (Kind.AUDIT, chosen.audit)):
        maker = TaskMaker(asked, record_of(dataset, kind).uuid, kind is Kind.AUDIT, fitted)
        tasks += [
            maker.make(garments[name], said.get(name, {}), _NOT_SHOWN, chosen.round)
            for name in names
        ]
    dataset.catalog.put("tasks", [task.row() for task in tasks])
    return Sent(len(tasks), len(chosen.audit))


def answer_directly(dataset: "Dataset", annotator: Annotator, round_: str) -> int:
    """Answer the round's open tasks as a pull would bring the answers in; how many tasks."""
    where = f"state = '{CREATED}'"
    rows = dataset.catalog.rows("tasks", where=where).to_pylist()
    mine = [row for row in rows if row["round"] == round_]
    garments, asked = _garments(dataset), form(dataset.taxonomy)
    uuids = {kind: record_of(dataset, kind).uuid for kind in LABELLING}
    labels, decisions = [], []
    for row in mine:
        uuid = uuids[Kind.AUDIT if row["audit"] else Kind.MAIN]
        task = _answered(dataset, row, uuid)
        region = str(garments[row["garment_id"]]["region"])
        heard = _heard(dataset, annotator, asked, task, row, region)
        labels += label_rows(task, heard, [])
        decisions += decision_rows(task, heard, [])
    # As in a pull: labels first, then the state, so that a replay changes nothing.
    dataset.catalog.add("labels", labels)
    dataset.catalog.add("decisions", decisions)
    states = [{k: v for k, v in row.items() if k not in _OURS} | {"state": DONE} for row in mine]
    dataset.catalog.put("tasks", states)
    return len(mine)


def _answered(dataset: "Dataset", row: Row, uuid: str) -> Answered:
    """The task as a pull would know it, with a number of its own."""
    taxonomy = dataset.taxonomy
    return Answered(
        uuid,
        int(row["task_id"], 16) % 2**40,
        row["task_id"],
        row["garment_id"],
        row["crop_sha"],
        json.loads(row["shown"] or "{}"),
        {a.id: taxonomy.vocabulary_hash(a.id) for a in taxonomy.attributes},
        LabelKind.SIMULATED,
    )


def _heard(
    dataset: "Dataset", annotator: Annotator, asked: Form, task: Answered, row: Row, region: str
) -> list[Heard]:
    """What people answer: two of them on a blind task."""
    proposed = {name: tuple(one["values"]) for name, one in task.shown.items()}
    found = []
    for place, who in enumerate(PEOPLE[: 2 if row["audit"] else 1]):
        given = annotator.answer(who, task.garment_id, region, proposed)
        raw = {
            "id": 2 * task.number + place,
            # Always the same time, so that labels have the same ids when it is done again.
            "updated_at": row["created_at"].isoformat(),
            "result": fill(asked.controls, given),
        }
        found.append(hear(raw, who, asked.controls, dataset.taxonomy))
    return found


def _garments(dataset: "Dataset") -> dict[str, Row]:
    """Active garments by id, in the order in which they were cut out."""
    columns = ["garment_id", "photo_id", "region", "crop_sha", "seq"]
    rows = dataset.catalog.active_garments(columns=columns).sort_by("seq").to_pylist()
    return {row["garment_id"]: row for row in rows}
