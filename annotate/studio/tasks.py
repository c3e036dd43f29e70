"""Tasks: what Label Studio shows about one garment, and our own copy of what was shown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from annotate.studio.again import OPEN, Asks, shown_values
from annotate.studio.form import Form, confidence_html
from garments.calibration import Calibration
from garments.ids import stable_id
from garments.proposals import uncertainty
from garments.reading import Reading
from garments.taxonomy import Taxonomy

MODEL_VERSION = "garmentloop"
"""Of every prediction that we send. Label Studio pre-fills from one version only, and while one is
replaced by the next, tasks of either must be pre-filled; which tagger spoke is in `shown`."""

Readings = Mapping[str, Reading]
Calibrations = Mapping[tuple[str, str], Calibration]
Row = Mapping[str, Any]


def task_id(project_uuid: str, garment_id: str, crop_sha: str, again: str = "") -> str:
    """Our id of the task that shows this crop in this project, whatever the server calls it.

    `again` is the migration because of which it is asked once more, empty for the first time.
    """
    more = (again,) if again else ()
    return stable_id("task", project_uuid, garment_id, crop_sha, *more)


def task_key(garment_id: str, again: str | None = None) -> str:
    """What is asked once in a project: a garment, and once more for each migration."""
    return f"{garment_id}/{again}" if again else garment_id


def garment_of(key: str) -> str:
    """The garment of a `task_key`."""
    return key.partition("/")[0]


def again_of(key: str) -> str:
    """The migration of a `task_key`, empty for the first time."""
    return key.partition("/")[2]


def vocabulary_hash(taxonomy: Taxonomy) -> str:
    """Hash over the vocabularies of all attributes: what a whole form's answers depend on."""
    return stable_id(*(taxonomy.vocabulary_hash(found.id) for found in taxonomy.attributes))


@dataclass(frozen=True)
class Pictures:
    """Addresses of what a task shows: the crop, and its photo with boxes."""

    image: str
    photo: str


GOLD, ADJUDICATION = "gold", "adjudication"
"""Purposes of tasks that are no labelling: rows of `checks`."""


@dataclass(frozen=True)
class Task:
    """One task as it is to be sent: `data` and `result` go there, `shown` stays with us.

    `overlap` is how many people answer it, None for as many as its project has. A check has a
    `purpose`, and `garment_id` is a name that it goes by, for the garment that it `shows`. One that
    asks once more says because of which migration (`again`).
    """

    task_id: str
    garment_id: str
    crop_sha: str
    round: str
    audit: bool
    data: dict[str, Any]
    result: list[dict[str, Any]]
    score: float
    shown: str
    overlap: int | None = None
    purpose: str = ""
    shows: str = ""
    again: str = ""

    @property
    def blind(self) -> bool:
        """Whether nothing is filled in."""
        return self.audit or self.purpose == ADJUDICATION

    @property
    def name(self) -> str:
        """What it is called among the tasks of its project."""
        return task_key(self.garment_id, self.again)

    @property
    def prediction(self) -> dict[str, Any]:
        """Without the task that it belongs to."""
        return {"model_version": MODEL_VERSION, "score": self.score, "result": self.result}

    @property
    def payload(self) -> dict[str, Any]:
        """What is imported; a blind task has no prediction."""
        return {"data": self.data} | ({} if self.blind else {"predictions": [self.prediction]})

    def row(self, state: str = "created") -> dict[str, Any]:
        """The row of `tasks`, of a check that of `checks`."""
        row = {
            "task_id": self.task_id,
            "garment_id": self.shows or self.garment_id,
            "crop_sha": self.crop_sha,
            "vocabulary_hash": self.data["vocabulary_hash"],
            "form_hash": self.data["form_hash"],
            "shown": self.shown,
            "round": self.round or None,
            "state": state,
        }
        if self.purpose:
            return row | {"name": self.garment_id, "purpose": self.purpose}
        more = {"audit": self.audit, "overlap": self.overlap, "again": self.again or None}
        return row | more


class Maker(Protocol):
    """Makes the tasks of one project."""

    def make(
        self,
        garment: Row,
        readings: Readings,
        pictures: Pictures,
        round_: str,
        overlap: int | None = None,
    ) -> Task:
        """The task for a row of `garments` that goes by its name on the server."""
        ...


@dataclass(frozen=True)
class TaskMaker:
    """Makes the tasks of one project; `uuid` is the project's own, `asks` what it asks again."""

    form: Form
    uuid: str
    audit: bool
    calibrations: Calibrations
    guidelines: str = ""
    asks: Asks = field(default_factory=Asks)

    def make(
        self,
        garment: Row,
        readings: Readings,
        pictures: Pictures,
        round_: str,
        overlap: int | None = None,
    ) -> Task:
        """The task for a row of `garments`; what is proposed for it is shown unless blind.

        The row of a garment that goes by another name has also `purpose` and the id that it `shows`
        (see `Task`); nothing that is sent tells it from others. That of one that is asked once more
        has the migration, `again`: then the form is filled with what people said before, as far as
        that still holds.
        """
        taxonomy, region = self.form.taxonomy, str(garment["region"])
        again = str(garment.get("again") or "")
        readings, filled = self._held(garment["garment_id"], again, readings)
        result = [] if self.audit else self.form.prefill({**readings, **filled})
        data = {
            "garment_id": garment["garment_id"],
            "crop_sha": garment["crop_sha"],
            "image": pictures.image,
            "photo": pictures.photo,
            "region": region,
            "confidence": confidence_html(readings, self.calibrations, taxonomy, region),
            "form_hash": self.form.hash,
            "vocabulary_hash": self._vocabulary,
            "round": round_,
            "audit": self.audit,
            "guidelines": self.guidelines,
            **({"again": again} if again else {}),
        }
        return Task(
            task_id=task_id(self.uuid, garment["garment_id"], garment["crop_sha"], again),
            garment_id=garment["garment_id"],
            crop_sha=garment["crop_sha"],
            round=round_,
            audit=self.audit,
            data=data,
            result=result,
            score=round(1 - uncertainty(readings), 6),
            shown=self._shown(readings, filled, result),
            overlap=overlap,
            purpose=str(garment.get("purpose") or ""),
            shows=str(garment.get("shows") or ""),
            again=again,
        )

    def _held(self, garment: str, again: str, readings: Readings) -> tuple[Readings, Readings]:
        """What is proposed in the form, and what is filled in as people said it before."""
        if self.audit:
            return {}, {}
        if not again:
            return readings, {}
        filled = self.asks.filled(garment, again)
        asked = dict.fromkeys(self.asks.asked.get((garment, again), ()), OPEN)
        return {name: r for name, r in (asked | {**readings}).items() if name not in filled}, filled

    @cached_property
    def _vocabulary(self) -> str:
        return vocabulary_hash(self.form.taxonomy)

    def _shown(self, readings: Readings, filled: Readings, result: list[dict[str, Any]]) -> str:
        """What the form holds when it is opened, by attribute, with who proposed it, as JSON.

        Read back from the form: a field that it left empty was not shown, whatever was proposed.
        What people had `said` before is no proposal.
        """
        held = self.form.answers(result).values
        shown: dict[str, dict[str, Any]] = {
            name: {
                "values": shown_values(held.get(name, ())),
                "confidence": round(reading.confidence, 6),
                "proposal_id": reading.proposal_id,
                "tagger": reading.tagger,
            }
            for name, reading in readings.items()
        }
        for name in filled:
            shown[name] = {"values": shown_values(held.get(name, ())), "said": True}
        return json.dumps(shown, ensure_ascii=False, sort_keys=True)
