"""A rehearsal: a data set of a set whose truth is known, and rounds of the loop on it.

held-out photos -> blind answers, before anything else -> the other photos -> round after round,
each with the steps of `garmentloop.loop.steps`, but for people, in whose place an annotator
answers: to a real server, or directly into the catalogue.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garmentloop.loop.context import Context, Follow, Step, in_silence
from garmentloop.loop.people import labels_now, push_options, waiting
from garmentloop.loop.round import StepEvent, find_turn, run_round
from garmentloop.loop.steps import STEPS
from garmentloop.simulate.annotator import Annotator
from garmentloop.simulate.backbone import expect_unseen
from garmentloop.simulate.directly import answer_directly, push_directly
from garmentloop.simulate.options import SimulateOptions
from garmentloop.simulate.sets import RehearsalSet, read_set, write_photos
from garments.dataset import SETTINGS_FILE, Dataset
from garments.errors import DatasetError
from garments.rounds import Details, Round, rounds
from garments.settings import PrelabelSettings, Settings

if TYPE_CHECKING:
    from annotate.studio.client import Studio

HELD_OUT = "held-out"
"""Name of the turn before the first round, in which the blind tasks are answered."""

ALWAYS = 0.01
"""Wished precision of a rehearsal's taggers. They always propose: to the edit rate a field that is
empty is an edit too."""


@dataclass(frozen=True)
class Show:
    """Who follows long steps, and who is told notes."""

    follow: Follow = in_silence
    say: Callable[[str], None] = lambda text: None


class Rehearsal:
    """One rehearsal; run again on the same folder, it goes on where it was stopped."""

    def __init__(
        self,
        data: Path | str,
        folder: Path | str,
        options: SimulateOptions | None = None,
        connect: "Callable[[Dataset], Studio] | None" = None,
        show: Show | None = None,
        steps: Mapping[str, Step] = STEPS,
    ) -> None:
        """`connect` finds Label Studio; without it answers go directly into the catalogue.

        `steps` are those of a round; those in which people take part are replaced.

        Raises `BadInput` for a set that cannot be rehearsed on, `BadSetting` for a backbone that
        has seen it, `DatasetError` where `folder` holds another data set.
        """
        self.options, self.show = options or SimulateOptions(), show or Show()
        whole = read_set(data)
        if note := expect_unseen(self.options.backbone, whole.name):
            self.show.say(f"note: {note}")
        self.set = whole.some(self.options.photos, self.options.seed)
        self.dataset = _dataset(Path(folder), whole)
        self._connect, self.steps = connect, steps

    def prepare(self) -> int:
        """Cut the garments out, the held-out ones first, and have those answered blind.

        How many garments are held out.
        """
        self._extract(self.set.held_out, "test")
        if not self.dataset.catalog.count("sources", "split = 'train'"):
            self._answer_blind()
        self._extract(self.set.rest, "train")
        return len(self._audit())

    def rounds(self) -> Iterator[tuple[str, StepEvent]]:
        """All rounds that are left, as (round, event); `prepare` comes first."""
        annotator = self.annotator()
        while sum(one.finished for one in rounds(self.dataset)) < self.options.rounds:
            turn = find_turn(self.dataset, self.options.loop(self.set.attributes))
            context = self._context(turn.name, annotator)
            for event in run_round(context, self._steps(annotator)):
                yield turn.name, event

    def finished(self) -> list[Round]:
        """The rounds that have ended, oldest first."""
        return [one for one in rounds(self.dataset) if one.finished]

    def annotator(self) -> Annotator:
        """Who answers, with the truth about all garments that are there."""
        truth = self.set.truth(self.dataset)
        return Annotator(self.dataset.taxonomy, truth, self.options.error_rate, self.options.seed)

    def _extract(self, photos: tuple[Path, ...], part: str) -> None:
        from extract.run import RunOptions, run

        path = self.dataset.run / f"photos-{part}.csv"
        table = write_photos(path, photos, self.set.licence, part)
        options = RunOptions(device=self.options.device, as_crops=self.set.as_crops)
        self.show.follow(run(self.dataset, [str(table)], options), "extracting")

    def _answer_blind(self) -> None:
        """Send everything that is there by now blind, and answer it."""
        from annotate.studio.choose import PushOptions

        options, annotator = PushOptions(round=HELD_OUT, audit=1.0), self.annotator()
        if self._connect is None:
            push_directly(self.dataset, options)
            answer_directly(self.dataset, annotator, HELD_OUT)
            return
        from annotate.studio.push import push

        studio = self._connect(self.dataset)
        self.show.follow(push(self.dataset, studio, options), "pushing")
        self._answer(studio, annotator, HELD_OUT)
        studio.connection.close()

    def _answer(self, studio: "Studio", annotator: Annotator, round_: str) -> None:
        from annotate.studio.pull import pull
        from garmentloop.simulate.online import answer_online

        self.show.follow(answer_online(studio, annotator, round_), "answering")
        self.show.follow(pull(self.dataset, studio), "pulling")

    def _context(self, name: str, annotator: Annotator) -> Context:
        def studio() -> "Studio":
            assert self._connect is not None
            return self._connect(self.dataset)

        return Context(
            self.dataset,
            name,
            self.options.loop(self.set.attributes),
            studio,
            follow=self.show.follow,
            say=self.show.say,
            alike=annotator.alike,
        )

    def _steps(self, annotator: Annotator) -> dict[str, Step]:
        """Those of the loop with the annotator in the place of people."""

        def online(context: Context) -> Details:
            self._answer(context.server(), annotator, context.round)
            return _answered(context)

        def send(context: Context) -> Details:
            made = push_directly(context.dataset, push_options(context))
            return {"tasks": made.created, "blind": made.blind, "updated": 0}

        def directly(context: Context) -> Details:
            answer_directly(context.dataset, annotator, context.round)
            return _answered(context)

        if self._connect is not None:
            return {**self.steps, "wait": online}
        own: dict[str, Step] = {
            "push": send,
            "wait": directly,
            "pull": lambda context: labels_now(context),
            "refresh": lambda context: {"updated": 0},
        }
        return {**self.steps, **own}

    def _audit(self) -> set[str]:
        from garments.said import audit_slice

        return audit_slice(self.dataset)


def _answered(context: Context) -> dict[str, Any]:
    now = waiting(context)
    return {"total": now.total, "waiting": now.waiting, "blind": now.blind}


def _dataset(folder: Path, found: RehearsalSet) -> Dataset:
    """The rehearsal's data set, made where there is none."""
    if not (folder / SETTINGS_FILE).exists():
        settings = Settings(
            name=f"rehearsal {found.name}",
            simulated=True,
            prelabel=PrelabelSettings(precision=ALWAYS),
        )
        return Dataset.create(folder, settings)
    dataset = Dataset.open(folder)
    if not dataset.settings.simulated:
        raise DatasetError(
            f"expected a new folder or that of a rehearsal, but {folder} is a data set of real "
            "work; give another --out"
        )
    return dataset
