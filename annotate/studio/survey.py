"""What is known before something is sent: our rows, what is on the server, and what is stale."""

import time
from collections.abc import Mapping
from typing import Any

from annotate.studio.again import Asks
from annotate.studio.client import Studio
from annotate.studio.form import Form
from annotate.studio.journal import PUSH_JOURNAL, read_journal
from annotate.studio.listing import Listed, list_tasks, one_each
from annotate.studio.media import without_crop
from annotate.studio.overlap import EVERYBODY
from annotate.studio.progress import PushPlan
from annotate.studio.project import Kind, Project, find_record, xml_hash
from annotate.studio.side import CREATED, DELETED, Side, Update, name_of
from annotate.studio.tasks import GOLD, Maker, Pictures, TaskMaker, task_id, task_key
from garments.dataset import Dataset
from garments.inforce import calibrations
from garments.reading import Reading

_LATE = 3.0
"""Seconds in which tasks may still turn up that were sent just before somebody was killed."""

_GARMENT = ("garment_id", "photo_id", "person_id", "region", "x1", "y1", "x2", "y2", "crop_sha")

Row = Mapping[str, Any]
Readings = Mapping[str, Mapping[str, Reading]]


class Survey:
    """What is to be sent to some projects. It changes nothing; `Sending` does what it found.

    `garments` are rows of active garments by the name that they go by on the server: their id, for
    one that is asked once more its id and why, or for a check another one. Those that make a survey
    fill in what `sides` are to get.
    """

    kinds: tuple[Kind, ...] = ()
    journal_file = PUSH_JOURNAL

    def __init__(
        self, dataset: Dataset, studio: Studio, form: Form, url: str = "", reset_form: bool = False
    ) -> None:
        """`url` is the guidelines' address."""
        self.dataset, self.studio, self.form = dataset, studio, form
        self.guidelines, self.reset_form = url, reset_form
        self.journal = read_journal(dataset, self.journal_file)
        self.rows = dataset.catalog.rows("tasks").sort_by("seq").to_pylist()
        self.checks = dataset.catalog.rows("checks").sort_by("seq").to_pylist()
        self.active = self._active()
        self.garments: dict[str, Row] = dict(self.active)
        self.sides = {kind: self._look(kind) for kind in self.kinds}
        self.unshown: set[str] = set()

    @property
    def plan(self) -> PushPlan:
        """All of it in figures."""
        raise NotImplementedError

    @property
    def readings(self) -> Readings:
        """What is proposed for the garments that matter, by name."""
        return {}

    @property
    def asks(self) -> Asks:
        """What migrations have people asked again."""
        return Asks()

    def maker(self, side: Side) -> Maker:
        """Makes the tasks of that side; its project must be there."""
        assert side.project is not None
        known = calibrations(self.dataset)
        blind = side.kind is Kind.AUDIT
        return TaskMaker(self.form, side.project.uuid, blind, known, self.guidelines, self.asks)

    def overlap(self, side: Side, name: str) -> int | None:
        """How many people are asked about a garment; None for as many as its project has."""
        row = side.rows.get(name)
        if row is None:
            return None
        known = EVERYBODY if row.get("purpose") == GOLD else row.get("overlap")
        return None if known is None else int(known)

    def openings(self) -> list[dict[str, Any]]:
        """What `rounds` is told of the rounds in which something is sent."""
        return []

    def add_check(self, name: str, garment: str, purpose: str) -> None:
        """Let an active garment go by another name too."""
        if garment in self.active:
            more = {"garment_id": name, "shows": garment, "purpose": purpose}
            self.garments[name] = {**self.active[garment], **more}

    def add_again(self, garment: str, again: str) -> str:
        """Let an active garment be asked once more because of that migration; by which name."""
        name = task_key(garment, again)
        if garment in self.active:
            self.garments[name] = {**self.active[garment], "again": again}
        return name

    def keep_what_can_be_shown(self) -> None:
        """Find what is to be updated; leave out what cannot be shown, which goes to `unshown`."""
        for side in self.sides.values():
            side.create = {name: r for name, r in side.create.items() if name in self.garments}
            lost = without_crop(self.studio, [self.garments[name] for name in side.create])
            side.create = {
                name: round_
                for name, round_ in side.create.items()
                if self.garments[name]["garment_id"] not in lost
            }
            self.unshown |= lost
        for side in self.sides.values():
            side.update = self._stale(side) if side.project else []

    def open(self, side: Side) -> dict[str, Row]:
        """Rows of tasks that may be updated: of garments that hold, touched by nobody."""
        return {
            name: row
            for name, row in side.rows.items()
            if row["state"] == CREATED
            and name in side.there
            and name in self.garments
            and not side.there[name].touched
        }

    def _active(self) -> dict[str, Row]:
        """Active garments by id, in the order in which they were cut out."""
        found = self.dataset.catalog.active_garments(columns=[*_GARMENT, "seq"]).sort_by("seq")
        return {row["garment_id"]: row for row in found.select(list(_GARMENT)).to_pylist()}

    def _look(self, kind: Kind) -> Side:
        """Rows and tasks of one project, if it was ever made."""
        side = Side(kind)
        record = find_record(self.dataset, kind)
        if record is None or not record.project_id:
            return side
        side.project = self.studio.project(kind, self.form.xml)
        self._expect_form(side.project)
        mine = [row for row in (*self.rows, *self.checks) if _is_of(row, record.uuid)]
        side.rows = {name_of(row): row for row in mine}
        for name, row in side.rows.items():
            if row.get("purpose"):
                self.add_check(name, row["garment_id"], row["purpose"])
            elif row.get("again"):
                self.add_again(row["garment_id"], row["again"])
        listed = self._listed(side)
        side.there, side.doubled = one_each(listed)
        for name, row in side.rows.items():
            if row["state"] == CREATED and name not in side.there:
                if row["task_id"] in self.journal:
                    side.create[name] = row["round"] or ""
                else:
                    side.gone.append(row)
        return side

    def _listed(self, side: Side) -> list[Listed]:
        """Tasks on the server; after a cut-off push, not before late ones had time to turn up."""
        assert side.project is not None
        deadline = time.monotonic() + _LATE
        sent = {name for name, row in side.rows.items() if row["task_id"] in self.journal}
        while True:
            listed = list_tasks(self.studio, side.project)
            if sent <= {task.name for task in listed} or time.monotonic() > deadline:
                return listed
            time.sleep(_LATE / 6)

    def _expect_form(self, project: Project) -> None:
        """Refuse a form that was edited in the browser before anything is changed."""
        ours = self.studio.form_is_ours(project)
        if not (ours or self.reset_form or self._has_form(project)):
            self.studio.update_config(project, self.form.xml)  # raises, saying what to do

    def _has_form(self, project: Project) -> bool:
        return xml_hash(project.label_config) == xml_hash(self.form.xml)

    def _stale(self, side: Side) -> list[Update]:
        make, found = self.maker(side), []
        for name, row in self.open(side).items():
            listed, said = side.there[name], self.readings.get(name, {})
            shown = Pictures(str(listed.data.get("image")), str(listed.data.get("photo")))
            people = self.overlap(side, name)
            task = make.make(self.garments[name], said, shown, row["round"] or "", people)
            update = Update(row, listed, task, row["task_id"] in self.journal)
            if update.predicts or update.changes:
                found.append(update)
        moved = [u for u in found if u.before["crop_sha"] != u.task.crop_sha]
        lost = without_crop(self.studio, [self.garments[u.task.name] for u in moved])
        return [update for update in found if update.task.garment_id not in lost]


def deleted(side: Side) -> int:
    """Tasks that somebody deleted on the server, now or before."""
    before = sum(1 for row in side.rows.values() if row["state"] == DELETED)
    return len(side.gone) + before


def _is_of(row: Row, uuid: str) -> bool:
    garment, again = row.get("name") or row["garment_id"], row.get("again") or ""
    return bool(row["task_id"] == task_id(uuid, garment, row["crop_sha"], again))
