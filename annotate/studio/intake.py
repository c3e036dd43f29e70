"""Takes tasks as Label Studio has them now into the catalogue: labels first, then their states."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from annotate.studio.aside import SetAside
from annotate.studio.client import Studio
from annotate.studio.hear import BAD_CROP_KIND, NOTE_KIND, Aside, Heard, author, hear, live
from annotate.studio.labels import Answered, decision_rows, label_rows
from annotate.studio.project import Project
from annotate.studio.side import CREATED, DONE, SKIPPED, table_of
from annotate.studio.tasks import ADJUDICATION, GOLD, task_id
from annotate.studio.vocabularies import Vocabularies
from garments.catalog.convert import one_of
from garments.dataset import Dataset
from garments.migration.labels import as_said
from garments.said import LabelKind

SAID_BY = (LabelKind.ANNOTATOR, LabelKind.SIMULATED)
"""Kind of what is answered in a real data set, and in a rehearsal."""

_KINDS = {GOLD: LabelKind.GOLD, ADJUDICATION: LabelKind.ADJUDICATED}
"""Kind of what is answered in a check, by its purpose."""

GOLD_BAD_CROP_KIND = "gold_bad_crop"
"""Kind of decision of whoever turns a gold crop down: it scores them, and nothing comes of it."""

_OURS = ("seq", "created_at")
"""Columns that the catalogue fills in."""

Row = Mapping[str, Any]
Raw = Mapping[str, Any]


class Intake:
    """Takes the tasks of one project."""

    def __init__(self, dataset: Dataset, studio: Studio, project: Project, aside: SetAside) -> None:
        self.dataset, self.studio, self.project, self.aside = dataset, studio, project, aside
        self._vocabularies = Vocabularies(dataset)
        self._history = self._vocabularies.history
        self._people: dict[int, str] | None = None

    def take(self, raws: Sequence[Raw], dry_run: bool = False) -> dict[str, int]:
        """Write what is new in some tasks; what that is, as counts of `PullProgress`."""
        news = self._news(raws)
        news.asides = self.aside.unknown(news.asides)
        if not dry_run:
            self.aside.add(news.asides)
            self.dataset.catalog.add("labels", news.labels)
            self.dataset.catalog.add("decisions", news.decisions)
            for table in ("tasks", "checks"):
                states = [row for row in news.states if table_of(row) == table]
                self.dataset.catalog.put(table, states)
        return news.counts

    def _news(self, raws: Sequence[Raw]) -> "_News":
        news, known = _News(), _Known(self.dataset, raws, self._task_id)
        for raw in raws:
            task, heard = self._heard(raw, known)
            news.asides += [self._aside(raw, one, what) for one in heard for what in one.aside]
            if task is not None:
                labels = known.labels[task.task_id]
                new = label_rows(task, heard, as_said(labels))
                news.labels += [*new, *self._history.brought(new, labels)]
                news.decisions += decision_rows(task, heard, known.decisions[task.task_id])
                news.states += self._state(raw, known.tasks.get(task.task_id))
        return news

    def _task_id(self, raw: Raw) -> str:
        data = raw["data"]
        names = (str(data.get(name) or "") for name in ("garment_id", "crop_sha", "again"))
        return task_id(self.project.uuid, *names)

    def _heard(self, raw: Raw, known: "_Known") -> tuple[Answered | None, list[Heard]]:
        """The task and what its annotations say; no task where its garment is not ours."""
        data, name = raw["data"], self._task_id(raw)
        vocabulary = self._vocabularies[str(data.get("vocabulary_hash"))]
        asked, now, migrated = vocabulary.asked, self._vocabularies.now, self._vocabularies.migrated
        heard = [hear(one, self._who(author(one)), asked, now, migrated) for one in live(raw)]
        garment = str(data.get("garment_id") or "")
        if name not in known.tasks and not (heard and self._is_garment(garment)):
            reason = f"the data set has no garment {garment or '(none named)'}"
            return None, [_all_aside(one, raw, reason) for one in heard]
        row = known.tasks.get(name)
        purpose = row.get("purpose") if row else None
        shown = json.loads(row["shown"] or "{}") if row else {}
        usual = SAID_BY[self.dataset.settings.simulated]
        return Answered(
            project_uuid=self.project.uuid,
            number=raw["id"],
            task_id=name,
            garment_id=row["garment_id"] if row else garment,
            crop_sha=str(data.get("crop_sha") or ""),
            shown={} if purpose == ADJUDICATION else shown,
            vocabulary=vocabulary.hashes,
            kind=_KINDS.get(purpose, usual) if purpose else usual,
        ), [_of_check(one, purpose, self._asked(shown)) for one in heard]

    def _asked(self, shown: Mapping[str, Any]) -> set[str | None]:
        """What a dispute asks, as it was called when it was sent and as it is called by now."""
        asked = shown.get("asked", ())
        return {*asked, *map(self._history.attribute, asked)}

    def _is_garment(self, garment: str) -> bool:
        return bool(self.dataset.catalog.known("garments", [garment]))

    def _who(self, user: int | None) -> str:
        """E-mail address of a user, `user-<id>` of one that is gone."""
        if self._people is None or (user is not None and user not in self._people):
            self._people = self.studio.annotation_members()
            self._people |= {user: f"user-{user}"} if user and user not in self._people else {}
        return self._people[user] if user is not None else "user-unknown"

    def _aside(self, raw: Raw, heard: Heard, what: Aside) -> dict[str, Any]:
        return {
            "project": self.project.uuid,
            "annotation": heard.key(raw["id"]),
            "updated_at": heard.stamp,
            "garment_id": raw["data"].get("garment_id"),
            "annotator": heard.who,
            "what": what.what,
            "reason": what.reason,
        }

    def _state(self, raw: Raw, row: Row | None) -> list[dict[str, Any]]:
        """The row of a task whose state is another one by now."""
        if row is None:
            return []
        # One answer to a gold task scores somebody; nobody waits for all others.
        wanted = 1 if row.get("purpose") else row.get("overlap") or self.project.kind.overlap
        state = _state_of(raw, str(row["state"]), int(wanted))
        if state == row["state"]:
            return []
        return [{k: v for k, v in row.items() if k not in _OURS} | {"state": state}]


@dataclass
class _News:
    """Rows to be written."""

    labels: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    asides: list[dict[str, Any]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """By the names of `PullProgress`."""
        rows = [*self.labels, *self.decisions]
        said = [row for row in rows if not row.get("withdraws")]
        kinds = [row["kind"] for row in said]
        return {
            "annotations": len({row["annotation_id"] for row in said}),
            "labels": sum("label_id" in row and not row.get("migration") for row in said),
            "migrated": len({row["migrated_from"] for row in self.labels if _is_brought(row)}),
            "withdrawn": sum(bool(row.get("withdraws")) for row in as_said(rows)),
            "bad_crops": kinds.count(BAD_CROP_KIND),
            "notes": kinds.count(NOTE_KIND),
            "skips": sum(row["state"] == SKIPPED for row in self.states),
            "set_aside": len(self.asides),
        }


def _is_brought(row: Row) -> bool:
    return bool(row.get("migration") and row.get("migrated_from"))


class _Known:
    """What the catalogue has about some tasks, by our id."""

    def __init__(
        self, dataset: Dataset, raws: Sequence[Raw], task_id_of: Callable[[Raw], str]
    ) -> None:
        tasks = one_of("task_id", {task_id_of(raw) for raw in raws})
        read = dataset.catalog.rows
        rows = [row for name in ("tasks", "checks") for row in read(name, where=tasks).to_pylist()]
        self.tasks = {row["task_id"]: row for row in rows}
        # Decisions of before have no column for the task.
        names = {str(raw["data"].get("garment_id")) for raw in raws}
        garments = one_of("garment_id", names | {row["garment_id"] for row in rows})
        self.labels = _by_task(read("labels", where=tasks).to_pylist())
        self.decisions = _by_task(read("decisions", where=garments).to_pylist())


def _by_task(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["task_id"]].append(row)
    return found


def _all_aside(heard: Heard, raw: Raw, reason: str) -> Heard:
    """The same annotation with nothing taken of it."""
    [found] = [one for one in raw["annotations"] if one["id"] == heard.number]
    what = Aside(found.get("result"), reason)
    return Heard(heard.number, heard.who, heard.stamp, heard.seconds, aside=(what,))


def _state_of(raw: Raw, before: str, wanted: int) -> str:
    """The state of a task that so many people are to answer."""
    answers, given = len(list(live(raw))), len(raw["annotations"])
    if given >= wanted:
        return DONE if answers else SKIPPED
    # One whose answers were deleted is open again; all else is for the push to say.
    return CREATED if before in (DONE, SKIPPED) or given else before


def _of_check(heard: Heard, purpose: str | None, asked: Collection[str | None]) -> Heard:
    """Of an answer to a check, what counts: of a verdict, what was asked.

    A gold crop that somebody turns down is none the worse for it.
    """
    if purpose == ADJUDICATION:
        said = {name: value for name, value in heard.values.items() if name in asked}
        return replace(heard, values=said)
    if purpose == GOLD and BAD_CROP_KIND in heard.decisions:
        others = {kind: text for kind, text in heard.decisions.items() if kind != BAD_CROP_KIND}
        reason = heard.decisions[BAD_CROP_KIND]
        return replace(heard, decisions={**others, GOLD_BAD_CROP_KIND: reason})
    return heard
