"""What a push would do, from what is known here and what is on the server."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from annotate.studio.again import Asks
from annotate.studio.audit import draw_audit
from annotate.studio.blind import own_readings
from annotate.studio.choose import BEYOND, Choice, Known, PushOptions, choose, excluded_garments
from annotate.studio.client import Studio
from annotate.studio.form import Form
from annotate.studio.gold import draw_gold, gold_answers, gold_name, mixed, wanted_gold
from annotate.studio.once_more import ask_once_more
from annotate.studio.overlap import EVERYBODY, people_for
from annotate.studio.progress import PushPlan
from annotate.studio.project import LABELLING, Kind, find_record
from annotate.studio.side import CREATED, DELETED, Side, name_of
from annotate.studio.survey import Readings, Row, Survey, deleted
from annotate.studio.tasks import GOLD, again_of, garment_of
from garments.dataset import Dataset
from garments.proposals import readings


class PushSurvey(Survey):
    """What a push is to do in the two projects in which garments are labelled."""

    kinds = LABELLING

    def __init__(
        self, dataset: Dataset, studio: Studio, options: PushOptions, form: Form, url: str = ""
    ) -> None:
        super().__init__(dataset, studio, form, url, options.reset_form)
        self.options = options
        self.choice, self.note = self._choose()
        away = excluded_garments(dataset)
        if dropped := ask_once_more(self, self.asks, away, options.limit):
            self.choice.left[BEYOND] += dropped
        self.lacking_gold = self._mix_in_gold()
        self.keep_what_can_be_shown()

    @cached_property
    def readings(self) -> Readings:
        """What is proposed now for the garments of the main project that matter.

        Of a gold garment, whose labels are known, only the tagger's own word counts: a garment that
        is new to everybody has no other.
        """
        side = self.sides[Kind.MAIN]
        names = {*side.create, *self.open(side)}
        checks = {name: str(row["shows"]) for name in names if (row := self._check(name))}
        garments = {name: garment_of(name) for name in names.difference(checks)}
        proposed = readings(self.dataset, set(garments.values()))
        found: dict[str, Mapping[str, Any]] = {
            name: proposed.get(garment, {}) for name, garment in garments.items()
        }
        if checks:
            said = own_readings(self.dataset, sorted(set(checks.values())), {})
            found |= {name: said.get(garment, {}) for name, garment in checks.items()}
        return found

    @cached_property
    def asks(self) -> Asks:
        """What migrations have people asked again."""
        return Asks.of(self.dataset)

    def overlap(self, side: Side, name: str) -> int | None:
        """See `Survey`; what is new is drawn, and asked again as often as it was the first time."""
        if name in side.rows or again_of(name):
            known = name if name in side.rows else garment_of(name)
            return super().overlap(side, known)
        if self._check(name):
            return EVERYBODY
        people = people_for(name, self.options.overlap, self.options.overlap_share)
        return people if people and people > side.kind.overlap else None

    def openings(self) -> list[dict[str, Any]]:
        """How each round was chosen, once something is sent in it."""
        rounds = {name for side in self.sides.values() for name in side.create.values()}
        found = [(self.choice.round, self._asked())]
        found += [(name, {"migration": id_}) for id_, name in self.asks.rounds.items()]
        return [
            {"round_id": name, "kind": "push", "details": json.dumps(details)}
            for name, details in found
            if name in rounds
        ]

    def _asked(self) -> dict[str, Any]:
        asked: dict[str, Any] = {"select": self.options.select, "limit": self.options.limit}
        if self.options.overlap > 1:
            asked |= {"overlap": self.options.overlap, "share": self.options.overlap_share}
        if self.options.gold:
            asked |= {"gold": self.options.gold}
        return asked

    @property
    def plan(self) -> PushPlan:
        """All of it in figures."""
        sides = list(self.sides.values())
        updated = sum(len(side.update) for side in sides)
        there = sum(len(side.there) for side in sides)
        new = [(side, name) for side in sides for name in side.create]
        gold = sum(self._check(name) is not None for _, name in new)
        return PushPlan(
            round=self.choice.round,
            created=len(new),
            blind=len(self.sides[Kind.AUDIT].create),
            updated=updated,
            left=there - updated,
            deleted=sum(deleted(side) for side in sides),
            unshown=len(self.unshown),
            reasons=self.choice.left,
            note=self.note,
            shared=sum(self.overlap(side, name) is not None for side, name in new) - gold,
            gold=gold,
            lacking_gold=self.lacking_gold,
            again=sum(bool(again_of(name)) for _, name in new),
        )

    def _check(self, name: str) -> Row | None:
        """The row of a garment that goes by another name."""
        row = self.garments.get(name)
        return row if row and row.get("purpose") else None

    def _choose(self) -> tuple[Choice, str]:
        sent: dict[str, bool] = {}
        for row in self.rows:
            # What was never answered in a project that is no longer ours may be sent again.
            if row["state"] != CREATED or any(
                _same(side.rows.get(name_of(row)), row) for side in self.sides.values()
            ):
                sent[row["garment_id"]] = bool(row["audit"]) or sent.get(row["garment_id"], False)
        first = [row for row in self.rows if not row["again"]]
        known = Known(list(self.active), sent, first, excluded_garments(self.dataset))
        audit = draw_audit(self.dataset, self.options.audit, sent)
        choice = choose(self.options, known, audit)
        for kind, chosen in ((Kind.MAIN, choice.main), (Kind.AUDIT, choice.audit)):
            self.sides[kind].create |= dict.fromkeys(chosen, choice.round)
        return choice, audit.note

    def _mix_in_gold(self) -> int:
        """Scatter as many gold garments among the new ones as the pre-filled project lacks.

        How many of them there are not.
        """
        if not self.options.gold:
            return 0
        side = self.sides[Kind.MAIN]
        checks = [row for row in side.rows.values() if row.get("purpose")]
        labelling = [row for row in side.rows.values() if not row.get("purpose")]
        tasks = _alive(labelling) + sum(name not in side.rows for name in side.create)
        wanted = wanted_gold(self.options.gold, tasks, _alive(checks))
        known = gold_answers(self.dataset).keys() & self.active.keys()
        drawn = draw_gold(known, {row["garment_id"] for row in checks}, wanted)
        record = find_record(self.dataset, Kind.MAIN)
        names = [gold_name(record.uuid if record else "", garment) for garment in drawn]
        for name, garment in zip(names, drawn, strict=True):
            self.add_check(name, garment, GOLD)
        rounds = {**dict.fromkeys(names, self.choice.round), **side.create}
        side.create = {name: rounds[name] for name in mixed(list(side.create), names)}
        return wanted - len(drawn)


def _alive(rows: list[Row]) -> int:
    return sum(row["state"] != DELETED for row in rows)


def _same(one: Row | None, other: Row) -> bool:
    return one is not None and one["task_id"] == other["task_id"]
