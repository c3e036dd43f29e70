"""Garments to Label Studio: as tasks with everything filled in, each once, whatever crashes.

What is done, and in which order, is in `annotate.studio.sending`; a task that somebody deleted or
skipped never comes back. Garments and tasks are joined on `data.garment_id`.
"""

from collections.abc import Iterator

from annotate.guidelines import PAGE, keep_guidelines
from annotate.studio.choose import PushOptions
from annotate.studio.client import Studio
from annotate.studio.context import is_plain
from annotate.studio.form import Form, form
from annotate.studio.journal import one_push
from annotate.studio.plan import PushSurvey
from annotate.studio.progress import PushPlan, PushProgress
from annotate.studio.retired import retired
from annotate.studio.sending import Sending
from annotate.studio.vocabularies import keep_taxonomy
from garments.dataset import Dataset
from garments.errors import StudioBusy

__all__ = ["PushOptions", "PushPlan", "PushProgress", "plan", "push"]


def plan(dataset: Dataset, studio: Studio, options: PushOptions | None = None) -> PushPlan:
    """What a push would do; nothing is changed, here or there."""
    url = guidelines_url(studio)
    return PushSurvey(dataset, studio, options or PushOptions(), _form(studio, url), url).plan


def push(
    dataset: Dataset, studio: Studio, options: PushOptions | None = None
) -> Iterator[PushProgress]:
    """Send what is chosen, update what is stale, and tell how far it has come.

    Raises `StudioError` where another push is at work, the server fails, a project is not ours or
    its form was edited; what was sent until then counts, and the same call goes on from there.
    """
    options = options or PushOptions()
    with one_push(dataset):
        expect_present_taxonomy(dataset)
        keep_taxonomy(dataset)  # by which a pull reads what was answered under it
        if studio.local:
            keep_guidelines(dataset)
        url = guidelines_url(studio)
        survey = PushSurvey(dataset, studio, options, _form(studio, url), url)
        yield from Sending(survey).run()


def expect_present_taxonomy(dataset: Dataset) -> None:
    """Refuse to send the form of a taxonomy that was replaced since the data set was opened."""
    if Dataset.open(dataset.folder).taxonomy.hash != dataset.taxonomy.hash:
        raise StudioBusy(
            f"expected the taxonomy of {dataset.folder} as it was when this began, but it was "
            "changed meanwhile; run this again"
        )


def guidelines_url(studio: Studio) -> str:
    """Address of the annotators' page, empty where there is none that the server can show."""
    page = studio.dataset.folder / PAGE
    return studio.file_url(page) if studio.local and is_plain(page) else ""


def _form(studio: Studio, url: str) -> Form:
    dataset = studio.dataset
    return form(dataset.taxonomy, url or None, one_key=studio.local, retired=retired(dataset))
