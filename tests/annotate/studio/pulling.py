"""People who answer tasks, and what the catalogue should hold then."""

from dataclasses import dataclass

from annotate.studio.answers import FormAnswers, fill
from annotate.studio.choose import PushOptions
from annotate.studio.client import Studio
from annotate.studio.form import form
from annotate.studio.project import Kind, Project
from annotate.studio.pull import PullProgress, pull
from annotate.studio.push import push
from garments.answers import value_of
from garments.dataset import Dataset

COLORS = ("black", "grey", "white", "red", "blue", "green")


def push_all(studio: Studio, audit: float = 0.0) -> Project:
    """Send all garments; the main project."""
    list(push(studio.dataset, studio, PushOptions(audit=audit)))
    return studio.project(Kind.AUDIT if audit == 1 else Kind.MAIN)


def numbers(studio: Studio, project: Project) -> list[int]:
    """Tasks in the server's order."""
    return sorted(studio.task_ids_by_garment(project).values())


def result(dataset: Dataset, **values) -> list:
    """A form with these answers, the others left open; `verdict`, `reason` and `note` too."""
    more = {"bad_crop_reason": values.pop("reason", None), "note": values.pop("note", None)}
    verdict = "bad_crop" if more["bad_crop_reason"] else "ok"
    return fill(form(dataset.taxonomy).controls, FormAnswers(values, verdict, **more))


def answer(studio: Studio, task: int, seconds: float | None = 2.5, cancel=False, **values) -> int:
    """Submit a task; the annotation's number."""
    body = {"result": result(studio.dataset, **values), "was_cancelled": cancel}
    path = f"/api/tasks/{task}/annotations/"
    return studio.request("POST", path, json={**body, "lead_time": seconds}, replay=False)["id"]


def change(studio: Studio, annotation: int, **values) -> None:
    """Submit it again with other answers."""
    body = {"result": result(studio.dataset, **values), "lead_time": 4.0}
    studio.request("PATCH", f"/api/annotations/{annotation}/", json=body)


def delete(studio: Studio, annotation: int) -> None:
    studio.request("DELETE", f"/api/annotations/{annotation}/")


def pulled(studio: Studio, **options) -> PullProgress:
    """The end of a pull."""
    return list(pull(studio.dataset, studio, **options))[-1]


def rows(dataset: Dataset, table: str) -> list[dict]:
    return dataset.catalog.rows(table).sort_by("seq").to_pylist()


def holds(dataset: Dataset, table: str = "labels") -> dict:
    """What is not taken back, by annotation and attribute (or kind): exactly one row each."""
    id_name, slot, held = {
        "labels": ("label_id", "attribute", "value"),
        "decisions": ("decision_id", "kind", "note"),
    }[table]
    found = rows(dataset, table)
    back = {row["withdraws"] for row in found}
    newest: dict = {}
    for row in found:
        if not row["withdraws"]:
            newest[int(row["annotation_id"].split("/")[1]), row[slot]] = row
    return {key: row[held] for key, row in newest.items() if row[id_name] not in back}


def everything(dataset: Dataset) -> list:
    """Every row of every table that a pull writes; to see that nothing changed."""
    return [rows(dataset, table) for table in ("labels", "decisions", "tasks")]


@dataclass
class Crowd:
    """Answers every task once by the API, and knows what it said."""

    studio: Studio
    expected: dict

    def annotate(self, tasks) -> None:
        for task in tasks:
            color = COLORS[task % len(COLORS)]
            number = answer(self.studio, task, seconds=float(task), color=(color,))
            self.expected[number, "color"] = value_of([color])


def expect_each_once(dataset: Dataset, expected: dict) -> None:
    """Every annotation is there, and none has more than one row for an answer."""
    assert holds(dataset) == expected
    found = [row for row in rows(dataset, "labels") if not row["withdraws"]]
    assert len(found) == len({(row["annotation_id"], row["attribute"]) for row in found})
    assert len(found) == len(expected)
