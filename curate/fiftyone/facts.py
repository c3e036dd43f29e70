"""All that the catalogue knows about some garments, gathered to be written down."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.studio.outcomes import NOTHING, Outcome, outcome
from curate.fiftyone.proposed import Proposals, proposals
from curate.fiftyone.standing import Standing
from curate.state import GarmentRow, garment_rows
from garments.answers import Answer, answer_of
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.migration.labels import as_said
from garments.said import Basis, Held, Key, LabelKind, annotators_say, people_say

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """Whose photo it is and what may be done with it, as far as that is known."""

    handle: str | None = None
    licence: str | None = None


@dataclass(frozen=True, eq=False)
class Facts:
    """By garment what is known of it; `edited` says whether annotators changed what was shown.

    `disagreed` has for each attribute in which annotators differ what each of them said.
    """

    rows: Sequence[GarmentRow]
    said: Mapping[Key, Held]
    proposals: Proposals
    edited: Mapping[Key, bool]
    splits: Mapping[str, str]
    rounds: Mapping[str, str]
    vectors: Mapping[str, NDArray[np.float32]]
    origins: Mapping[str, Origin]
    disagreed: Mapping[str, Mapping[str, str]]


def facts(standing: Standing, garment_ids: Sequence[str], origins: Mapping[str, Origin]) -> Facts:
    """What is known of these garments, at most some thousand at a time."""
    dataset, mine = standing.dataset, one_of("garment_id", garment_ids)
    rows = garment_rows(dataset, garment_ids)
    labels, tasks, splits = (_sorted(dataset, name, mine) for name in ("labels", "tasks", "splits"))
    said = people_say(labels, standing.rules)
    return Facts(
        rows,
        said,
        proposals(standing, said, garment_ids),
        _edited(tasks, labels, standing.rules.simulated),
        {row["garment_id"]: row["split"] for row in splits},
        {row["garment_id"]: row["round"] for row in tasks if row["round"]},
        _vectors(standing, rows, mine),
        origins,
        _disagreed(labels, said, standing.rules.simulated),
    )


def origins_of(dataset: Dataset, photo_ids: Sequence[str]) -> dict[str, Origin]:
    """Handle and licence of these photos; of several sources the newest that states one counts."""
    found: dict[str, Origin] = defaultdict(Origin)
    for row in _sorted(dataset, "sources", one_of("photo_id", photo_ids)):
        before = found[row["photo_id"]]
        found[row["photo_id"]] = Origin(
            row["handle"] or before.handle, row["licence"] or before.licence
        )
    return dict(found)


def _sorted(dataset: Dataset, table: str, where: str) -> list[dict[str, Any]]:
    """Rows in the order of things."""
    return list(dataset.catalog.rows(table, where=where).sort_by("seq").to_pylist())


def _vectors(
    standing: Standing, rows: Sequence[GarmentRow], where: str
) -> dict[str, NDArray[np.float32]]:
    """The vector of each garment's present crop, else of an earlier one."""
    if standing.embedding_table is None:
        return {}
    where = f"{where} AND {one_of('model', [standing.embeddings or ''])}"
    columns = ["garment_id", "crop_sha", "vector", "seq"]
    kept = standing.dataset.catalog.rows(standing.embedding_table, columns, where).sort_by("seq")
    crops = {row.garment_id: row.crop_sha for row in rows}
    found: dict[str, NDArray[np.float32]] = {}
    ids, shas = (kept.column(name).to_pylist() for name in columns[:2])
    for place in sorted(range(len(ids)), key=lambda at: shas[at] == crops.get(ids[at])):
        found[ids[place]] = np.array(kept.column("vector")[place].values.to_numpy(), np.float32)
    return found


def _disagreed(
    labels: Sequence[Row], said: Mapping[Key, Held], simulated: bool
) -> dict[str, dict[str, str]]:
    """Where annotators differ about a garment and neither a curator nor a verdict settled it."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for (garment, attribute), words in annotators_say(labels, simulated).items():
        answers = {who: answer_of(row["value"]) for who, row in words.items()}
        held = said.get((garment, attribute))
        settled = held is not None and held.basis in (Basis.ADJUDICATED, Basis.CURATOR)
        if len(set(answers.values())) > 1 and not settled:
            told = (f"{who} said {_told(answer)}" for who, answer in sorted(answers.items()))
            found[garment][attribute] = ", ".join(told)
    return found


def _told(answer: Answer) -> str:
    return " + ".join(sorted(answer)) or "nothing"


def _edited(tasks: Sequence[Row], labels: Sequence[Row], simulated: bool) -> dict[Key, bool]:
    """Whether anybody changed or emptied what a form had shown, by garment and attribute.

    Fields that were shown empty say nothing; blind tasks show nothing.
    """
    shown = {row["task_id"]: row for row in tasks if row["shown"] and not row["audit"]}
    found: dict[Key, bool] = {}
    for (task, _), given in _answers(labels, simulated).items():
        if task not in shown:
            continue
        for attribute, said in json.loads(shown[task]["shown"]).items():
            if said.get("said"):
                continue  # what people had answered, no proposal
            became = outcome(frozenset(said["values"]), given.get(attribute, NOTHING))
            if became in (Outcome.ACCEPTED, Outcome.CHANGED, Outcome.EMPTIED):
                key = shown[task]["garment_id"], attribute
                found[key] = found.get(key, False) or became is not Outcome.ACCEPTED
    return found


def _answers(labels: Sequence[Row], simulated: bool) -> dict[tuple[str, str], dict[str, Answer]]:
    """What annotators' newest answers are, by task and person."""
    kinds = {LabelKind.ANNOTATOR} | ({LabelKind.SIMULATED} if simulated else set())
    withdrawn = {row["withdraws"] for row in as_said(labels) if row["withdraws"]}
    latest: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for row in as_said(labels):  # in the words of the form
        if row["task_id"] and row["kind"] in kinds and not row["withdraws"]:
            latest[row["task_id"], row["annotator"] or ""][row["attribute"]] = row
    held = {
        key: {
            name: answer_of(row["value"])
            for name, row in rows.items()
            if row["label_id"] not in withdrawn
        }
        for key, rows in latest.items()
    }
    return {key: answers for key, answers in held.items() if answers}
