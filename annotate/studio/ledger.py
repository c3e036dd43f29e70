"""The ledger: what people did with what was proposed, and how long it took them.

By our own comparison of what was sent (`tasks.shown`) with what came back (`labels`): Label Studio
itself sometimes calls an edited answer a prediction. On blind tasks nothing was shown; there the
comparison is with what would have been, so that it tells how often a tagger is wrong when nobody
leans towards its answer.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from annotate.studio.blind import Shown, would_have_shown
from annotate.studio.outcomes import NOTHING, Entry, Ledger, Outcome, RoundCounts, Tally, Visit
from garments.answers import answer_of
from garments.errors import CatalogError
from garments.said import LabelKind

if TYPE_CHECKING:
    from garments.dataset import Dataset

__all__ = ["Entry", "Ledger", "Outcome", "RoundCounts", "Tally", "Visit", "ledger"]

Row = Mapping[str, Any]


def ledger(dataset: "Dataset") -> Ledger:
    """Everything that people answered in Label Studio, beside what was proposed to them.

    An answer counts as it is now: of one that was changed the newest, of one that was deleted
    nothing. Raises `CatalogError` where a task does not tell what it showed.
    """
    tasks = {row["task_id"]: row for row in _sorted(dataset, "tasks")}
    answers = _answers(dataset, tasks)
    visits = {key: _visit(tasks[key[0]], key[1], rows) for key, rows in answers.items()}
    shown = {task: _shown(tasks[task]) for task, _ in visits if not tasks[task]["audit"]}
    blind = [tasks[task] for task in {task for task, _ in visits if tasks[task]["audit"]}]
    shown |= would_have_shown(dataset, blind, _versions(tasks, shown))
    entries = [
        entry
        for key, visit in visits.items()
        for entry in _entries(visit, shown.get(key[0], {}), _asked(tasks[key[0]], answers[key]))
    ]
    order = {attribute.id: place for place, attribute in enumerate(dataset.taxonomy.attributes)}
    entries.sort(key=lambda entry: order.get(entry.attribute, len(order)))
    return Ledger(
        tuple(dict.fromkeys([*order, *(entry.attribute for entry in entries)])),
        _rounds(dataset, tasks, {task for task, _ in visits}),
        tuple(visits.values()),
        tuple(entries),
        _models(dataset),
    )


def _sorted(dataset: "Dataset", table: str) -> list[dict[str, Any]]:
    rows = dataset.catalog.rows(table).to_pylist()
    return sorted(rows, key=lambda row: int(row["seq"]))


def _answers(dataset: "Dataset", tasks: Mapping[str, Row]) -> dict[tuple[str, str], dict[str, Row]]:
    """Labels that hold by (task, annotator) and attribute; nobody's are left out.

    Where a form was filled in, in the words of that form; a blind answer is held against what
    would be shown now, and so in the words of now.
    """
    blind = {name for name, task in tasks.items() if task["audit"]}
    rows = _sorted(dataset, "labels")
    rows = [row for row in rows if row["task_id"] in blind or not row["migration"]]
    kinds = {LabelKind.ANNOTATOR} | ({LabelKind.SIMULATED} if dataset.settings.simulated else set())
    withdrawn = {row["withdraws"] for row in rows if row["withdraws"]}
    latest: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        if row["task_id"] in tasks and row["kind"] in kinds and not row["withdraws"]:
            latest[row["task_id"], row["annotator"] or ""][row["attribute"]] = row
    held = {
        key: {name: row for name, row in found.items() if row["label_id"] not in withdrawn}
        for key, found in latest.items()
    }
    return {key: found for key, found in held.items() if found}


def _visit(task: Row, annotator: str, rows: Mapping[str, Row]) -> Visit:
    newest = max(rows.values(), key=lambda row: int(row["seq"]))
    return Visit(
        task["task_id"], task["round"] or "", bool(task["audit"]), annotator, newest["seconds"]
    )


def _entries(visit: Visit, shown: Shown, rows: Mapping[str, Row]) -> Iterable[Entry]:
    for attribute in dict.fromkeys([*shown, *rows]):
        values, tagger = shown.get(attribute, (NOTHING, ""))
        row = rows.get(attribute)
        given = answer_of(row["value"]) if row else NOTHING
        yield Entry(visit, attribute, tagger, values, given)


def _asked(task: Row, rows: Mapping[str, Row]) -> Mapping[str, Row]:
    """Without what was filled in as people had answered it: nothing was proposed there."""
    if not task["again"]:
        return rows
    said = {name for name, one in json.loads(task["shown"] or "{}").items() if one.get("said")}
    return {name: row for name, row in rows.items() if name not in said}


def _shown(task: Row) -> Shown:
    try:
        said = json.loads(task["shown"] or "{}")
        return {
            name: (frozenset(one["values"]), one["tagger"])
            for name, one in said.items()
            if not one.get("said")
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CatalogError(
            f"expected what was shown in task {task['task_id']} as JSON by attribute, but got "
            f"{str(task['shown'])[:80]!r} ({error}); was it written by a newer version?"
        ) from error


def _versions(tasks: Mapping[str, Row], shown: Mapping[str, Shown]) -> dict[str, dict[str, str]]:
    """By round and attribute: the tagger version that was shown most."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for task, by_attribute in shown.items():
        for attribute, (_, tagger) in by_attribute.items():
            counts[tasks[task]["round"] or "", attribute][tagger] += 1
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for (round_, attribute), count in counts.items():
        found[round_][attribute] = count.most_common(1)[0][0]
    return dict(found)


def _rounds(
    dataset: "Dataset", tasks: Mapping[str, Row], answered: set[str]
) -> dict[str, RoundCounts]:
    """What became of the tasks of each round, rounds in the order in which they were begun."""
    begun = [row["round_id"] for row in _sorted(dataset, "rounds")]
    by_round: dict[str, list[Row]] = defaultdict(list)
    for task in tasks.values():
        by_round[task["round"] or ""].append(task)
    bad = _bad_crops(_sorted(dataset, "decisions"))
    order = dict.fromkeys([*(name for name in begun if name in by_round), *by_round])
    return {name: _counts(by_round[name], answered, bad) for name in order}


def _counts(tasks: Sequence[Row], answered: set[str], bad: set[str]) -> RoundCounts:
    found: Counter[str] = Counter()
    for task in tasks:
        if task["task_id"] in answered:
            found["answered"] += 1
        elif task["garment_id"] in bad:
            found["bad_crops"] += 1
        elif task["state"] == "done":  # sent with every field empty, or set aside
            found["empty"] += 1
        elif task["state"] in ("skipped", "deleted"):
            found[task["state"]] += 1
    return RoundCounts(len(tasks), sum(bool(task["audit"]) for task in tasks), **found)


def _bad_crops(decisions: Sequence[Row]) -> set[str]:
    withdrawn = {row["withdraws"] for row in decisions if row["withdraws"]}
    return {
        row["garment_id"]
        for row in decisions
        if row["kind"] == "bad_crop"
        and not row["withdraws"]
        and row["decision_id"] not in withdrawn
    }


def _models(dataset: "Dataset") -> dict[str, str]:
    """Model references by tagger version."""
    pairs = dataset.catalog.rows("proposals", ["tagger", "model"]).group_by(["tagger", "model"])
    return {row["tagger"]: row["model"] for row in pairs.aggregate([]).to_pylist()}
