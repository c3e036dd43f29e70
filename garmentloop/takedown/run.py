"""Carrying a takedown out: every step of it, again where it was stopped."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garmentloop.takedown.check import look
from garmentloop.takedown.files import clear_files
from garmentloop.takedown.find import Asked
from garmentloop.takedown.intent import Intent, intend, read_intent
from garmentloop.takedown.plan import gone_of, make_plan
from garments.atwork import alone
from garments.catalog.lock import exclusive
from garments.catalog.purge import purge
from garments.errors import CatalogError, DatasetError, GarmentLoopError
from garments.withdrawals import FOLDER, Entry, Withdrawals

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Services:
    """Where Label Studio and MongoDB are, where they are not our own, and whose tags are read.

    `without_studio`: the server is gone for ever, or its tasks were deleted by hand.
    """

    url: str | None = None
    mongo: str | None = None
    who: str | None = None
    without_studio: bool = False


@dataclass(frozen=True)
class Told:
    """What a takedown tells as it goes: a step that begins, or a note; at the end its entry."""

    step: str = ""
    note: str = ""
    entry: Entry | None = None


@dataclass
class _Work:
    """One takedown that is being carried out."""

    dataset: "Dataset"
    intent: Intent
    services: Services
    notes: list[str] = field(default_factory=list)


def take_down(
    dataset: "Dataset",
    asked: Asked,
    *,
    by: str = "",
    reason: str = "",
    services: Services | None = None,
) -> Iterator[Told]:
    """Take something down; the last event has the log's entry.

    Raises `DatasetError` where somebody else works on the data set, or another takedown is to be
    finished first; and at the end where a step failed: everything else is done by then, and
    `resume` does the rest.
    """
    with _alone(dataset):
        known = Withdrawals(dataset)
        if known.pending() is not None:
            raise DatasetError(
                f"expected no takedown of {dataset.folder} that has not ended, but there is one; "
                f"finish it with `garmentloop takedown -d {dataset.folder}` first"
            )
        intent = intend(known, make_plan(dataset, asked), by, reason)
        yield from _carry_out(_Work(dataset, intent, services or Services()))


def resume(dataset: "Dataset", services: Services | None = None) -> Iterator[Told]:
    """Finish a takedown that was stopped; nothing where none was. Raises as `take_down`."""
    if Withdrawals(dataset).pending() is None:
        return
    with _alone(dataset):
        content = Withdrawals(dataset).pending()
        if content is not None:
            intent = read_intent(content)
            yield from _carry_out(_Work(dataset, intent, services or Services()))


def _carry_out(work: _Work) -> Iterator[Told]:
    """Every step; those that fail are told at the end, as the others do not hang on them."""
    failed = []
    for name, step in _STEPS:
        yield Told(step=name)
        try:
            step(work)
        except (GarmentLoopError, OSError) as error:
            failed.append(f"{name}: {error}")
        yield from (Told(note=note) for note in work.notes)
        work.notes.clear()
    if failed:
        raise DatasetError(
            "expected to take everything down, but some of it is left. "
            + " ".join(failed)
            + f" Then finish it with `garmentloop takedown -d {work.dataset.folder}`: all else is "
            "done, and what was asked to go is refused already"
        )
    known = Withdrawals(work.dataset)
    known.add(work.intent.entry)
    known.clear_pending()
    yield Told(entry=work.intent.entry)


def _fiftyone(work: _Work) -> None:
    from curate.fiftyone.withdraw import forget_fiftyone

    found = forget_fiftyone(work.dataset, work.services.mongo, work.services.who)
    if found.read_back:
        work.notes.append(f"from FiftyOne, before it went: {found.read_back}")
    if found.deleted:
        closed = "FiftyOne was closed, and " if found.closed else ""
        work.notes.append(
            f"{closed}the database of FiftyOne was deleted: the next `garmentloop curate open` or "
            "`sync` writes it anew; views that you saved there are gone"
        )
    if found.elsewhere:
        work.notes.append(
            f"the MongoDB at {found.elsewhere} is not ours: its files and backups may keep what "
            "was deleted until it is compacted"
        )


def _releases(work: _Work) -> None:
    from curate.release.withdraw import Takedown, withdraw
    from curate.release.write import alone_with_releases

    entry = work.intent.entry
    if work.dataset.releases.is_dir():
        with alone_with_releases(work.dataset):
            withdraw(work.dataset, gone_of(work.intent.what), Takedown(entry.takedown, entry.at))


def _catalogue(work: _Work) -> None:
    purge(work.dataset.catalog, work.intent.what)


def _studio(work: _Work) -> None:
    from annotate.studio.withdraw import withdraw_tasks

    if work.services.without_studio:
        return
    intent = work.intent
    found = withdraw_tasks(work.dataset, intent.what.garments, intent.terms, url=work.services.url)
    if found.elsewhere:
        work.notes.append(
            f"{found.tasks} tasks were deleted from {found.elsewhere}, which is not ours: its "
            "database keeps them in free pages and in backups until its administrator packs it "
            "(VACUUM)"
        )


def _files(work: _Work) -> None:
    work.notes += clear_files(work.dataset, work.intent)


def _check(work: _Work) -> None:
    if problems := list(look(work.dataset, work.intent, work.notes.append)):
        raise DatasetError("; ".join(problems) + ".")


_STEPS: tuple[tuple[str, Callable[[_Work], None]], ...] = (
    ("FiftyOne", _fiftyone),
    ("releases", _releases),
    ("catalogue", _catalogue),
    ("Label Studio", _studio),
    ("files", _files),
    ("looking for what is left", _check),
)
"""In this order: FiftyOne's tags come into the catalogue before that is purged, and what the other
steps leave behind in logs and lists goes with the files."""


@contextmanager
def _alone(dataset: "Dataset") -> Iterator[None]:
    """One takedown at a time, while nobody writes about photos, pushes or pulls."""
    from annotate.studio.journal import one_push
    from annotate.studio.pull import one_pull
    from annotate.studio.withdraw import uses_studio

    folder = dataset.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(folder / ".lock", timeout=5))
        except CatalogError as error:
            raise DatasetError(
                f"expected no other takedown of {dataset.folder}, but one is at work; wait for it"
            ) from error
        stack.enter_context(alone(dataset))
        if uses_studio(dataset):
            stack.enter_context(one_push(dataset))
            stack.enter_context(one_pull(dataset))
        yield
