"""Keep the two FiftyOne datasets in step with the catalogue.

In this order: what the curator did in the App is read back (`decisions.read_back`), garments and
photos that were touched since are written, measures are brought up to date (`measures.update`),
views and workspace are saved (`views.save`, `workspace.save`), and last the journal. Whoever is
stopped in between does it again, which changes nothing.
"""

import getpass
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from curate.fiftyone import decisions, fields, measures, photos, views, workspace
from curate.fiftyone.documents import Collection, Document
from curate.fiftyone.facts import facts, origins_of
from curate.fiftyone.fields import DECISION_TAGS
from curate.fiftyone.journal import Journal, read_journal, write_journal
from curate.fiftyone.standing import Standing
from curate.fiftyone.touched import Catalogued, Touched, find_touched
from curate.fiftyone.window import Window, open_window
from garments.atwork import at_work
from garments.dataset import Dataset

__all__ = ["DECISION_TAGS", "SyncProgress", "sync", "sync_window"]

CHUNK = 1000
"""Photos that are gathered and written at once, with all of their garments."""


_CLOCKS = timedelta(minutes=15)
"""How far the clocks may differ of those who write to one database."""


@dataclass(frozen=True)
class SyncProgress:
    """How far a sync has come, in samples of both datasets; the last one tells the outcome.

    `missing_crops` are garments whose crop file is not there; `read_back` says what came from
    the App; `doing` what is being done now.
    """

    done: int = 0
    total: int | None = None
    skipped: int = 0
    garments: int = 0
    photos: int = 0
    removed: int = 0
    missing_crops: int = 0
    read_back: str = ""
    doing: str = ""

    def __str__(self) -> str:
        parts = [f"{self.garments:,} garments and {self.photos:,} photos written"]
        if self.removed:
            parts.append(f"{self.removed:,} removed")
        if self.missing_crops:
            parts.append(f"{self.missing_crops:,} without their crop file")
        return ", ".join(parts)


def sync(
    dataset: Dataset,
    *,
    mongo: str | None = None,
    rebuild: bool = False,
    dry_run: bool = False,
    who: str | None = None,
    timeout: float = 600.0,
) -> Iterator[SyncProgress]:
    """Bring FiftyOne up to date with the catalogue, and the catalogue with the curator's tags.

    `rebuild` deletes both datasets, once their tags are read back, and writes them anew.
    `dry_run` only counts. `who` is the curator, by default the user of this machine. Another sync
    of the same data set is waited for, at most `timeout` seconds. Raises `FiftyOneError` where
    FiftyOne or MongoDB fails; the next sync goes on from there.
    """
    with (
        nullcontext() if dry_run else at_work(dataset),
        open_window(dataset, mongo, timeout=timeout, create=not dry_run) as window,
    ):
        yield from sync_window(window, rebuild=rebuild, dry_run=dry_run, who=who)


def sync_window(
    window: Window, *, rebuild: bool = False, dry_run: bool = False, who: str | None = None
) -> Iterator[SyncProgress]:
    """The same in a window that is open already; whoever opened it is `at_work` since before."""
    now = SyncProgress(doing="reading tags")
    heard: datetime | None = datetime.now(UTC)
    yield now
    if not window.empty:
        heard = None if rebuild else read_journal(window.garments).heard
        since = heard - _CLOCKS if heard else None
        begun = datetime.now(UTC)
        said = decisions.read_back(window, who or getpass.getuser(), dry_run, since)
        now = replace(now, read_back=str(said))
        # What could not be understood is asked for again, until it is put right.
        heard = heard if said.unknown else begun
    if dry_run:
        yield _foreseen(window, now, rebuild)
        return
    if rebuild:
        window = window.emptied()
    yield from _write(window, now, heard)


def _foreseen(window: Window, now: SyncProgress, rebuild: bool) -> SyncProgress:
    """What a sync would write."""
    touched = _Work.of(window, rebuild).touched
    return replace(
        now,
        total=touched.count,
        garments=len(touched.garments),
        photos=len(touched.photos),
        removed=len(touched.gone_garments) + len(touched.gone_photos),
    )


def _write(window: Window, now: SyncProgress, heard: datetime | None) -> Iterator[SyncProgress]:
    """From the catalogue to FiftyOne, whose curator is `heard` until then."""
    work = _Work.of(window)
    touched = work.touched
    now = replace(now, total=touched.count, removed=work.prepare(), doing="writing")
    yield now
    for written, drawn, missing in work.write():
        now = replace(
            now,
            done=now.done + written + drawn,
            garments=now.garments + written,
            photos=now.photos + drawn,
            missing_crops=now.missing_crops + missing,
        )
        yield now
    yield replace(now, doing="measuring")
    window.garments.reload()
    window.photos.reload()
    measures.update(window, None if touched.everything else set(touched.garments))
    saved = views.are_saved(window) and workspace.is_saved(window)
    if now.removed or touched.count or not saved:
        views.save(window)
        workspace.save(window)
    work.finish(heard)
    yield replace(now, done=touched.count, doing="")


@dataclass(frozen=True, eq=False)
class _Work:
    """What there is, what is to be written of it, and where."""

    window: Window
    standing: Standing
    there: Catalogued
    touched: Touched
    journal: Journal
    garments: Collection
    photos: Collection

    @classmethod
    def of(cls, window: Window, rebuild: bool = False) -> "_Work":
        """Compare; with `rebuild` as if nothing was written yet."""
        # The newest `seq` first: what is added while we read is read again next time.
        there, standing = Catalogued.of(window.dataset), Standing.of(window.dataset)
        garments = Collection(window.garments, "garment_id")
        photos = Collection(window.photos, "photo_id")
        shown = garments.look(), photos.look()
        journal = Journal() if rebuild else read_journal(window.garments)
        touched = find_touched(window.dataset, there, journal, standing.layout, shown)
        return cls(window, standing, there, touched, journal, garments, photos)

    @property
    def model_fields(self) -> tuple[str, ...]:
        """Fields of what single models proposed."""
        found = self.standing.model_fields.values()
        return tuple(sorted(field for of in found for field in of.values()))

    def prepare(self) -> int:
        """Declare fields, drop those of models that are not shown, remove what is gone."""
        fo, standing, shown = self.window.fo, self.standing, set(self.model_fields)
        if self.touched.everything or not shown <= set(self.journal.model_fields):
            self.garments.declare(fields.prototype(fo, standing))
            self.photos.declare(photos.prototype(fo, standing.dataset))
        schema = set(self.window.garments.get_field_schema())
        if stale := sorted((set(self.journal.model_fields) - shown) & schema):
            self.window.garments.delete_sample_fields(stale)
        gone = self.garments.remove(self.touched.gone_garments)
        return gone + self.photos.remove(self.touched.gone_photos)

    def write(self) -> Iterator[tuple[int, int, int]]:
        """Write what was touched; after each part the garments, photos and missing crops of it."""
        touched, photo_of = self.touched, self.there.photo_of
        by_photo: dict[str, list[str]] = defaultdict(list)
        for garment, photo in photo_of.items():
            by_photo[photo].append(garment)
        todo = sorted(touched.photos | {photo_of[garment] for garment in touched.garments})
        with ThreadPoolExecutor(1) as pool:
            writing: Future[tuple[int, int, int]] | None = None
            for start in range(0, len(todo), CHUNK):
                part = todo[start : start + CHUNK]
                names = [name for photo in part for name in by_photo[photo]]
                gathered = self._gathered(part, names)
                if writing:
                    yield writing.result()
                writing = pool.submit(self._put, *gathered)
            if writing:
                yield writing.result()

    def _gathered(
        self, photo_ids: list[str], garment_ids: list[str]
    ) -> tuple[list[Document], list[Document]]:
        """Samples of garments and of photos, those of them that were touched."""
        dataset = self.window.dataset
        known = facts(self.standing, garment_ids, origins_of(dataset, photo_ids))
        documents = list(fields.garment_documents(self.standing, known, self.touched.garments))
        drawn = [photo for photo in photo_ids if photo in self.touched.photos]
        return documents, list(photos.photo_documents(dataset, known, drawn))

    def _put(self, garments: list[Document], drawn: list[Document]) -> tuple[int, int, int]:
        """Write while the next ones are gathered; how many of each, and how many lack a crop."""
        missing = sum(fields.NO_FILE in document["flags"] for document in garments)
        return self.garments.write(garments), self.photos.write(drawn), missing

    def finish(self, heard: datetime | None) -> None:
        """Keep how far FiftyOne is in step."""
        reached = Journal(self.there.seq, self.standing.layout, self.model_fields, heard)
        write_journal(self.window.garments, reached)
