"""A team that answers through Label Studio as a browser does: the next task, then the answer."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import httpx
from real_studio import Person, StudioServer

from annotate.studio.answers import FormAnswers, fill
from annotate.studio.form import form
from annotate.studio.project import Project
from garmentloop.simulate.annotator import Annotator
from garments.dataset import Dataset
from garments.ids import stable_id

ASKED = ("category", "color", "pattern")
"""Attributes of which the truth is known."""


def truth_of(dataset: Dataset) -> dict[str, dict[str, tuple[str, ...]]]:
    """One value for each attribute of every garment, drawn by a hash."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in dataset.catalog.active_garments().to_pylist():
        found[row["garment_id"]] = {}
        for name in ASKED:
            values = dataset.taxonomy.allowed(name, row["region"])
            place = int(stable_id("truth", row["garment_id"], name), 16) % len(values)
            found[row["garment_id"]][name] = (values[place],)
    return found


@dataclass
class Teammate:
    """Somebody who answers what the label stream gives, from what is true of what is shown.

    `crops` tells the garment by its picture, as a person would: names say nothing.
    """

    person: Person
    url: str
    dataset: Dataset
    annotator: Annotator
    crops: Mapping[str, str]

    def stream(self, project: Project, most: int = 1000) -> Iterator[dict]:
        """Tasks as they come, each answered before the next."""
        header = {"Authorization": f"Token {self.person.token}"}
        with closing(httpx.Client(base_url=self.url, headers=header, timeout=120)) as browser:
            for _ in range(most):
                answer = browser.get(f"/api/projects/{project.id}/next/")
                if answer.status_code == 404:
                    return
                task = answer.raise_for_status().json()
                yield task
                body = {"result": self._result(task), "lead_time": 2.0}
                path = f"/api/tasks/{task['id']}/annotations/"
                browser.post(path, json=body).raise_for_status()

    def work(self, project: Project, most: int = 1000) -> list[dict]:
        """Answer all that comes; the tasks as they were shown."""
        return list(self.stream(project, most))

    def _result(self, task: dict) -> list:
        garment = self.crops[task["data"]["crop_sha"]]
        given = self.annotator.answer(self.person.email, garment, task["data"]["region"], {})
        return fill(form(self.dataset.taxonomy).controls, FormAnswers(given.values))


def team(dataset: Dataset, server: StudioServer, people: list[Person], rates: list[float]):
    """Teammates with these error rates."""
    truth = truth_of(dataset)
    crops = {r["crop_sha"]: r["garment_id"] for r in dataset.catalog.rows("garments").to_pylist()}
    return [
        Teammate(person, server.url, dataset, Annotator(dataset.taxonomy, truth, rate), crops)
        for person, rate in zip(people, rates, strict=True)
    ]


def all_work(mates: list[Teammate], project: Project) -> list[list[dict]]:
    """Everybody at once; what each was shown.

    Whoever is told that nothing is left, since others just hold what is, looks again at the end.
    """
    with ThreadPoolExecutor(len(mates)) as pool:
        seen = list(pool.map(lambda mate: mate.work(project), mates))
    return [tasks + mate.work(project) for mate, tasks in zip(mates, seen, strict=True)]


def vouch(dataset: Dataset, garments: list[str]) -> None:
    """A curator says what is true of these garments, and that they are gold."""
    truth, rows = truth_of(dataset), []
    for garment in garments:
        for name, values in truth[garment].items():
            rows.append(
                {
                    "label_id": stable_id("curator", garment, name),
                    "garment_id": garment,
                    "attribute": name,
                    "value": f'["{values[0]}"]',
                    "kind": "curator",
                    "annotator": "cora",
                }
            )
    dataset.catalog.add("labels", rows)
    gold = [
        {"decision_id": f"gold-{garment}", "garment_id": garment, "kind": "gold", "who": "cora"}
        for garment in garments
    ]
    dataset.catalog.add("decisions", gold)
