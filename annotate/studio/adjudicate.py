"""Disputes to Label Studio, in a project of their own and without names; verdicts come by `pull`.

Whoever adjudicates sees the garment, what A, B and so on said, and the one question in which they
differ. No name and no e-mail address is in what is sent (Label Studio lists its members to whoever
is logged in, but ties nobody to a letter). A dispute is sent once; one that is over before somebody
looked at it is taken back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from annotate.guidelines import keep_guidelines
from annotate.studio.client import Studio
from annotate.studio.disputes import Dispute, by_attribute, find_disputes, is_about
from annotate.studio.form import Form, confidence_html
from annotate.studio.journal import DISPUTE_JOURNAL, one_push
from annotate.studio.progress import PushPlan, PushProgress
from annotate.studio.project import Kind, find_record, record_of
from annotate.studio.push import expect_present_taxonomy, guidelines_url
from annotate.studio.retired import retired
from annotate.studio.sending import Sending
from annotate.studio.side import CREATED, WITHDRAWN, Side
from annotate.studio.survey import Row, Survey, deleted
from annotate.studio.tasks import (
    ADJUDICATION,
    Maker,
    Pictures,
    Readings,
    Task,
    task_id,
    vocabulary_hash,
)
from annotate.studio.vocabularies import keep_taxonomy
from garments.dataset import Dataset
from garments.errors import BadSetting


@dataclass(frozen=True)
class AdjudicateOptions:
    """Which disputes are sent: of one `attribute` only, and so that `limit` wait at most.

    With `everything` also those in which most annotators agree. A form that was edited in the
    browser is replaced with `reset_form` only.
    """

    attribute: str | None = None
    limit: int | None = None
    everything: bool = False
    reset_form: bool = False

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise BadSetting(f"expected a limit of at least 1, but got {self.limit}")


def plan(
    dataset: Dataset, studio: Studio, options: AdjudicateOptions | None = None
) -> tuple[PushPlan, dict[str, int]]:
    """What would be sent, and all disputes by attribute; nothing is changed, here or there."""
    survey = _survey(dataset, studio, options)
    return survey.plan, by_attribute(list(survey.disputes.values()))


def adjudicate(
    dataset: Dataset, studio: Studio, options: AdjudicateOptions | None = None
) -> Iterator[PushProgress]:
    """Send disputes that were not sent, take back those that are over, and tell how far it is.

    Raises `StudioError` where a push is at work, the server fails, or its form was edited; what was
    sent until then counts, and the same call goes on from there.
    """
    with one_push(dataset):
        expect_present_taxonomy(dataset)
        keep_taxonomy(dataset)
        if studio.local:
            keep_guidelines(dataset)
        record_of(dataset, Kind.ADJUDICATION)
        yield from Sending(_survey(dataset, studio, options)).run()


class DisputeSurvey(Survey):
    """What is to be done in the project of disputes."""

    kinds = (Kind.ADJUDICATION,)
    journal_file = DISPUTE_JOURNAL

    def __init__(
        self,
        dataset: Dataset,
        studio: Studio,
        options: AdjudicateOptions,
        form: Form,
        url: str = "",
    ) -> None:
        super().__init__(dataset, studio, form, url, options.reset_form)
        self.side = self.sides[Kind.ADJUDICATION]
        found = find_disputes(dataset, options.everything)
        self.disputes = {dispute.name(self.uuid): dispute for dispute in found}
        for name, dispute in self.disputes.items():
            self.add_check(name, dispute.garment_id, ADJUDICATION)
        self._choose(options)
        self._find_needless()
        self.keep_what_can_be_shown()

    @cached_property
    def uuid(self) -> str:
        """The project's own, empty before there is one."""
        record = find_record(self.dataset, Kind.ADJUDICATION)
        return record.uuid if record else ""

    @property
    def plan(self) -> PushPlan:
        """All of it in figures."""
        updated = len(self.side.update)
        return PushPlan(
            round=ADJUDICATION,
            created=len(self.side.create),
            blind=0,
            updated=updated,
            left=len(self.side.there) - updated,
            deleted=deleted(self.side),
            unshown=len(self.unshown),
        )

    def maker(self, side: Side) -> Maker:
        """Makes the tasks; what they ask is the dispute's."""
        return DisputeMaker(self.form, self.uuid, self.disputes, self.guidelines)

    def open(self, side: Side) -> dict[str, Row]:
        """See `Survey`; what is over is not brought up to date."""
        found = super().open(side).items()
        return {name: row for name, row in found if name in self.disputes}

    def _choose(self, options: AdjudicateOptions) -> None:
        """What was never sent, or was taken back, as long as few enough wait."""
        side = self.side
        waiting = sum(
            row["state"] == CREATED for name, row in side.rows.items() if name in side.there
        )
        new = [
            name
            for name, dispute in self.disputes.items()
            if is_about(dispute, options.attribute)
            and name not in side.there
            and side.rows.get(name, {"state": WITHDRAWN})["state"] == WITHDRAWN
        ]
        if options.limit is not None:
            new = new[: max(0, options.limit - waiting - len(side.create))]
        side.create |= dict.fromkeys(new, "")

    def _find_needless(self) -> None:
        """Rows of disputes that are over, of which nobody has begun."""
        side = self.side
        over = {name: row for name, row in side.rows.items() if name not in self.disputes}
        for name, row in over.items():
            unsent = side.create.pop(name, None) is not None
            there = name in side.there and not side.there[name].touched
            if unsent or (there and row["state"] in (CREATED, WITHDRAWN)):
                side.needless.append(row)


@dataclass(frozen=True)
class DisputeMaker:
    """Makes the tasks of the project with that UUID from disputes by their names."""

    form: Form
    uuid: str
    disputes: dict[str, Dispute]
    guidelines: str = ""

    def make(
        self,
        garment: Row,
        readings: Readings,
        pictures: Pictures,
        round_: str,
        overlap: int | None = None,
    ) -> Task:
        """The task for a garment that goes by its dispute's name; nothing is filled in."""
        name, taxonomy = str(garment["garment_id"]), self.form.taxonomy
        dispute = self.disputes[name]
        data = {
            "garment_id": name,
            "crop_sha": garment["crop_sha"],
            "image": pictures.image,
            "photo": pictures.photo,
            "region": garment["region"],
            "confidence": _only(self.form, dispute, str(garment["region"])),
            "answers": answers_html(dispute.unnamed(self.uuid)),
            "form_hash": self.form.hash,
            "vocabulary_hash": vocabulary_hash(taxonomy),
            "guidelines": self.guidelines,
        }
        return Task(
            task_id=task_id(self.uuid, name, garment["crop_sha"]),
            garment_id=name,
            crop_sha=garment["crop_sha"],
            round="",
            audit=False,
            data=data,
            result=[],
            score=0.0,
            shown=dispute.shown(),
            purpose=ADJUDICATION,
            shows=dispute.garment_id,
        )


def answers_html(people: Sequence[Sequence[str]]) -> str:
    """What people said, as A, B and so on: what a task's `answers` holds."""
    said = "".join(
        f'<div class="gl-said"><b>{_letter(place)}</b>'
        f"{escape(' / '.join(titles)) or '<em>nothing</em>'}</div>"
        for place, titles in enumerate(people)
    )
    return f'<div class="gl-says"><p>Annotators disagree. What is right?</p>{said}</div>'


def _letter(place: int) -> str:
    """A to Z, then AA and so on."""
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _only(form: Form, dispute: Dispute, region: str) -> str:
    """The element that tells the style sheet which questions to hide: all others."""
    kinds = " ".join(
        f"gl-without-{control.name}"
        for control in form.controls
        if control.name != dispute.control.name
    )
    return confidence_html({}, None, None, region).replace('">', f' {kinds}">', 1)


def _survey(dataset: Dataset, studio: Studio, options: AdjudicateOptions | None) -> DisputeSurvey:
    options = options or AdjudicateOptions()
    known = [attribute.id for attribute in dataset.taxonomy.attributes]
    if options.attribute is not None and options.attribute not in known:
        raise BadSetting(
            f"expected an attribute of the taxonomy, one of {', '.join(known)}, but got "
            f"{options.attribute!r}; check --attribute"
        )
    url = guidelines_url(studio)
    unasked = retired(dataset)
    form = Form(dataset.taxonomy, url or None, studio.local, adjudicates=True, retired=unasked)
    return DisputeSurvey(dataset, studio, options, form, url)
