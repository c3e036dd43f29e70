"""What a push would do, from what is known here and what is on the server."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from annotate.studio.audit import draw_audit
from annotate.studio.choose import BEYOND, Choice, Known, PushOptions, choose, excluded_garments
from annotate.studio.client import Studio
from annotate.studio.form import Form
from annotate.studio.journal import read_journal
from annotate.studio.listing import Listed, list_tasks, one_each
from annotate.studio.media import without_crop
from annotate.studio.project import Kind, Project, find_record, xml_hash
from annotate.studio.side import CREATED, DELETED, Side, Update
from annotate.studio.tasks import Pictures, TaskMaker, task_id
from garments.dataset import Dataset
from garments.inforce import calibrations
from garments.proposals import readings
from garments.reading import Reading

_LATE = 3.0
"""Seconds in which tasks may still turn up that a push sent just before it was killed."""

_GARMENT = ("garment_id", "photo_id", "person_id", "region", "x1", "y1", "x2", "y2", "crop_sha")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PushPlan:
    """What a push would do, in tasks; `blind` are those of `created` in the audit slice.

    `left` are tasks that stay as they are; `deleted` were deleted in Label Studio and stay away;
    `unshown` are garments that cannot be sent, and `reasons` says of how many what holds.
    """

    round: str
    created: int
    blind: int
    updated: int
    left: int
    deleted: int
    unshown: int
    reasons: Mapping[str, int]
    note: str = ""

    @property
    def full(self) -> bool:
        """Whether nothing was sent because the round has all the tasks that it may have."""
        return not self.created and bool(self.reasons.get(BEYOND))

    def __str__(self) -> str:
        return (
            f"{self.round}: {self.created} tasks to create ({self.blind} of them blind), "
            f"{self.updated} to update, {self.left} left as they are, {self.deleted} deleted in "
            "Label Studio"
        )


class Survey:
    """What is known before a push, and what follows from it. It changes nothing."""

    def __init__(
        self, dataset: Dataset, studio: Studio, options: PushOptions, form: Form, url: str = ""
    ) -> None:
        """`url` is the guidelines' address."""
        self.dataset, self.studio, self.options, self.form = dataset, studio, options, form
        self.guidelines = url
        self.journal = read_journal(dataset)
        self.rows = dataset.catalog.rows("tasks").sort_by("seq").to_pylist()
        self.sides = {kind: self._look(kind) for kind in Kind}
        self.choice, self.note = self._choose()
        self.unshown = self._prepare()

    @cached_property
    def garments(self) -> dict[str, Row]:
        """Active garments by id, in the order in which they were cut out."""
        found = self.dataset.catalog.active_garments(columns=[*_GARMENT, "seq"]).sort_by("seq")
        return {row["garment_id"]: row for row in found.select(list(_GARMENT)).to_pylist()}

    @cached_property
    def readings(self) -> dict[str, dict[str, Reading]]:
        """What is proposed now for the garments of the main project that matter."""
        side = self.sides[Kind.MAIN]
        return readings(self.dataset, {*side.create, *self._open(side)})

    def maker(self, side: Side) -> TaskMaker:
        """Makes the tasks of that side; its project must be there."""
        assert side.project is not None
        known = calibrations(self.dataset)
        blind = side.kind is Kind.AUDIT
        return TaskMaker(self.form, side.project.uuid, blind, known, self.guidelines)

    @property
    def plan(self) -> PushPlan:
        """All of it in figures."""
        sides = list(self.sides.values())
        updated = sum(len(side.update) for side in sides)
        there = sum(len(side.there) for side in sides)
        return PushPlan(
            round=self.choice.round,
            created=sum(len(side.create) for side in sides),
            blind=len(self.sides[Kind.AUDIT].create),
            updated=updated,
            left=there - updated,
            deleted=sum(_deleted(side) for side in sides),
            unshown=len(self.unshown),
            reasons=self.choice.left,
            note=self.note,
        )

    def _look(self, kind: Kind) -> Side:
        """Rows and tasks of one project, if it was ever made."""
        side = Side(kind)
        record = find_record(self.dataset, kind)
        if record is None or not record.project_id:
            return side
        side.project = self.studio.project(kind, self.form.xml)
        self._expect_form(side.project)
        side.rows = {row["garment_id"]: row for row in self.rows if _is_of(row, record.uuid)}
        listed = self._listed(side)
        side.there, side.doubled = one_each(listed)
        for garment, row in side.rows.items():
            if row["state"] == CREATED and garment not in side.there:
                if row["task_id"] in self.journal:
                    side.create[garment] = row["round"]
                else:
                    side.gone.append(row)
        return side

    def _listed(self, side: Side) -> list[Listed]:
        """Tasks on the server; after a cut-off push, not before late ones had time to turn up."""
        assert side.project is not None
        deadline = time.monotonic() + _LATE
        sent = {g for g, row in side.rows.items() if row["task_id"] in self.journal}
        while True:
            listed = list_tasks(self.studio, side.project)
            if sent <= {task.garment_id for task in listed} or time.monotonic() > deadline:
                return listed
            time.sleep(_LATE / 6)

    def _expect_form(self, project: Project) -> None:
        """Refuse a form that was edited in the browser before anything is changed."""
        ours = self.studio.form_is_ours(project)
        if not (ours or self.options.reset_form or self._has_form(project)):
            self.studio.update_config(project, self.form.xml)  # raises, saying what to do

    def _has_form(self, project: Project) -> bool:
        return xml_hash(project.label_config) == xml_hash(self.form.xml)

    def _choose(self) -> tuple[Choice, str]:
        sent: dict[str, bool] = {}
        for row in self.rows:
            # What was never answered in a project that is no longer ours may be sent again.
            if row["state"] != CREATED or any(
                _same(side.rows.get(row["garment_id"]), row) for side in self.sides.values()
            ):
                sent[row["garment_id"]] = bool(row["audit"]) or sent.get(row["garment_id"], False)
        known = Known(list(self.garments), sent, self.rows, excluded_garments(self.dataset))
        audit = draw_audit(self.dataset, self.options.audit, sent)
        choice = choose(self.options, known, audit)
        for kind, chosen in ((Kind.MAIN, choice.main), (Kind.AUDIT, choice.audit)):
            self.sides[kind].create |= dict.fromkeys(chosen, choice.round)
        return choice, audit.note

    def _prepare(self) -> set[str]:
        """Find what is to be updated; garments that cannot be shown, which are left out."""
        unshown: set[str] = set()
        for side in self.sides.values():
            side.create = {g: name for g, name in side.create.items() if g in self.garments}
            lost = without_crop(self.studio, [self.garments[name] for name in side.create])
            side.create = {g: name for g, name in side.create.items() if g not in lost}
            unshown |= lost
        for side in self.sides.values():
            side.update = self._stale(side) if side.project else []
        return unshown

    def _open(self, side: Side) -> dict[str, Row]:
        """Rows of tasks that may be updated: of garments that hold, touched by nobody."""
        return {
            garment: row
            for garment, row in side.rows.items()
            if row["state"] == CREATED
            and garment in side.there
            and garment in self.garments
            and not side.there[garment].touched
        }

    def _stale(self, side: Side) -> list[Update]:
        make, found = self.maker(side), []
        for garment, row in self._open(side).items():
            listed, said = side.there[garment], self.readings.get(garment, {})
            shown = Pictures(str(listed.data.get("image")), str(listed.data.get("photo")))
            task = make.make(self.garments[garment], said, shown, row["round"])
            update = Update(row, listed, task, row["task_id"] in self.journal)
            if update.predicts or update.changes:
                found.append(update)
        moved = [u for u in found if u.before["crop_sha"] != u.task.crop_sha]
        lost = without_crop(self.studio, [self.garments[u.task.garment_id] for u in moved])
        return [update for update in found if update.task.garment_id not in lost]


def _deleted(side: Side) -> int:
    before = sum(1 for row in side.rows.values() if row["state"] == DELETED)
    return len(side.gone) + before


def _is_of(row: Row, uuid: str) -> bool:
    return bool(row["task_id"] == task_id(uuid, row["garment_id"], row["crop_sha"]))


def _same(one: Row | None, other: Row) -> bool:
    return one is not None and one["task_id"] == other["task_id"]
