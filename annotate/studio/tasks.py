"""Tasks: what Label Studio shows about one garment, and our own copy of what was shown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

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


def task_id(project_uuid: str, garment_id: str, crop_sha: str) -> str:
    """Our id of the task that shows this crop in this project, whatever the server calls it."""
    return stable_id("task", project_uuid, garment_id, crop_sha)


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
    `purpose`, and `garment_id` is a name that it goes by, for the garment that it `shows`.
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

    @property
    def blind(self) -> bool:
        """Whether nothing is filled in."""
        return self.audit or self.purpose == ADJUDICATION

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
        return row | {"audit": self.audit, "overlap": self.overlap}


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
    """Makes the tasks of one project; `uuid` is the project's own."""

    form: Form
    uuid: str
    audit: bool
    calibrations: Calibrations
    guidelines: str = ""

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
        (see `Task`); nothing that is sent tells it from others.
        """
        taxonomy, region = self.form.taxonomy, str(garment["region"])
        readings = {} if self.audit else readings
        result = [] if self.audit else self.form.prefill(readings)
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
        }
        return Task(
            task_id=task_id(self.uuid, garment["garment_id"], garment["crop_sha"]),
            garment_id=garment["garment_id"],
            crop_sha=garment["crop_sha"],
            round=round_,
            audit=self.audit,
            data=data,
            result=result,
            score=round(1 - uncertainty(readings), 6),
            shown=self._shown(readings, result),
            overlap=overlap,
            purpose=str(garment.get("purpose") or ""),
            shows=str(garment.get("shows") or ""),
        )

    @cached_property
    def _vocabulary(self) -> str:
        return vocabulary_hash(self.form.taxonomy)

    def _shown(self, readings: Readings, result: list[dict[str, Any]]) -> str:
        """What the form holds when it is opened, by attribute, with who proposed it, as JSON.

        Read back from the form: a field that it left empty was not shown, whatever was proposed.
        """
        held = self.form.answers(result).values
        shown = {
            name: {
                "values": list(held.get(name, ())),
                "confidence": round(reading.confidence, 6),
                "proposal_id": reading.proposal_id,
                "tagger": reading.tagger,
            }
            for name, reading in readings.items()
        }
        return json.dumps(shown, ensure_ascii=False, sort_keys=True)
