"""What an import is asked to do, and what it tells about itself."""

from dataclasses import dataclass, field

from curate.imports.words import Words
from extract.options import RunOptions
from garments.dataset import Dataset
from garments.settings import Settings

MOST_REASONS = 5
"""So many reasons why photos were left out are told at the end; all are in `sources`."""


@dataclass(frozen=True)
class ImportOptions:
    """Options of one import. `exact` leaves out words that may stand for several values.

    `limit` takes the first so many photos. `regions` are those that are cut out, by default those
    of the settings. `device` is where models run, for sets that need them. Rows are written every
    `commit_photos` photos or `commit_seconds` seconds, whichever comes first.
    """

    limit: int | None = None
    regions: tuple[str, ...] | None = None
    exact: bool = False
    dry_run: bool = False
    device: str = "auto"
    workers: int | None = None
    commit_photos: int = 256
    commit_seconds: float = 5.0

    def settings(self, dataset: Dataset) -> Settings:
        """The data set's settings with what these options say instead."""
        return RunOptions(regions=self.regions, workers=self.workers).settings(dataset)


@dataclass(frozen=True)
class ImportProgress:
    """How far an import has come, in photos.

    `labels` are those written (in a dry run: those that there are). `skipped` were done before or
    are the same photo again (`twice` of them), `kept` were left as `extract` cut them, `outside`
    show nothing that the taxonomy describes, `taken_down` were taken down before and are refused.
    `reasons` are some of those of `unreadable`. `absent` photos are named by the set, but not
    there; they are not among `total`.
    """

    photos: int = 0
    people: int = 0
    garments: int = 0
    labels: int = 0
    unreadable: int = 0
    skipped: int = 0
    twice: int = 0
    kept: int = 0
    outside: int = 0
    taken_down: int = 0
    absent: int = 0
    total: int | None = None
    reasons: tuple[str, ...] = ()
    words: Words = field(default_factory=Words)

    @property
    def done(self) -> int:
        """Photos that are dealt with."""
        left = self.unreadable + self.skipped + self.kept + self.outside + self.taken_down
        return self.photos + left
