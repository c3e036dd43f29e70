"""What a run of `prelabel` is asked to do, and what it tells about itself."""

from dataclasses import dataclass

from garments.dataset import Dataset
from garments.references import Source
from garments.settings import Settings


@dataclass(frozen=True)
class PrelabelOptions:
    """Options of one run; what is None is taken from the data set's settings.

    `model` is asked instead of those in force, which None and "champion" stand for; the second
    opinions are asked beside it. `attributes` are those proposed for, all when None. With
    `only_new`, only crops are asked about that no version of the same tagger has proposed for; else
    also those that an earlier version has. `limit` takes the first so many garments. `device` is
    auto, cpu or a torch device; `engine` and `precision` are those of
    `garments.settings.SpeedSettings`. Rows are written every `commit_seconds` seconds. A run with
    `dry_run` writes nothing.
    """

    model: str | None = None
    attributes: tuple[str, ...] | None = None
    only_new: bool = False
    limit: int | None = None
    device: str = "auto"
    engine: str | None = None
    precision: str | None = None
    batch: int | None = None
    background: str | None = None
    dry_run: bool = False
    commit_seconds: float = 5.0

    @property
    def named(self) -> str | None:
        """The model that is asked instead of those in force, None for these."""
        return None if self.model == str(Source.CHAMPION) else self.model

    def settings(self, dataset: Dataset) -> Settings:
        """The data set's settings with what these options say instead; `BadSetting` if wrong."""
        changes = {
            "models.tagger": self.named,
            "prelabel.batch": self.batch,
            "prelabel.background": self.background,
            "speed.engine": self.engine,
            "speed.precision": self.precision,
        }
        given = {key: value for key, value in changes.items() if value is not None}
        return dataset.settings.changed(given) if given else dataset.settings

    def wanted(self, dataset: Dataset) -> tuple[str, ...]:
        """The attributes asked for, in the taxonomy's order; `BadTaxonomy` for an unknown one."""
        everything = tuple(attribute.id for attribute in dataset.taxonomy.attributes)
        if self.attributes is None:
            return everything
        asked = {dataset.taxonomy.attribute(name).id for name in self.attributes}
        return tuple(name for name in everything if name in asked)


@dataclass(frozen=True)
class PrelabelProgress:
    """How far a run has come, in garments; `total` counts the active ones that it looks at.

    `tagged` were asked about now, which gave `proposals` new rows; `failed` could not be shown
    to a tagger, for `reasons`; `skipped` had all their proposals already.
    """

    tagged: int = 0
    proposals: int = 0
    failed: int = 0
    skipped: int = 0
    total: int | None = None
    reasons: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """Garments that are dealt with."""
        return self.tagged + self.failed + self.skipped


@dataclass(frozen=True)
class Plan:
    """What a run would do: garments to tag, garments done before, and proposals to make."""

    pending: int = 0
    done: int = 0
    proposals: int = 0

    def __str__(self) -> str:
        return (
            f"{self.pending} garments to tag, {self.done} done before, "
            f"{self.proposals} proposals to make"
        )
