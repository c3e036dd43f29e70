"""Writes imported photos as `extract` does, with their labels before they count as finished."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from curate.imports.labels import Said, write_labels
from extract.outcome import Outcome
from extract.record import Before, Recorder
from garments.dataset import Dataset
from garments.parts import Region
from garments.records import Garment


@dataclass(frozen=True)
class Imported(Outcome):
    """All that is recorded of one entry; `said` has key and values of each of its garments."""

    said: tuple[tuple[str, Mapping[str, str]], ...] = field(default=())


@dataclass(frozen=True)
class Kept(Outcome):
    """A photo that is left as it is: the set knows less about it than the data set does."""


class ImportRecorder(Recorder):
    """Collects imported photos and writes them in groups; `labels` counts rows of labels."""

    def __init__(
        self, dataset: Dataset, annotator: str, config: str, photos: int, seconds: float
    ) -> None:
        """Write as configuration `config`, with labels by `annotator`; when, see `Recorder`."""
        super().__init__(dataset.catalog, config, photos, seconds)
        self._dataset, self._annotator = dataset, annotator
        self.labels = 0

    def named(self, outcome: Outcome, before: Before) -> Outcome:
        """What fills a photo is the same garment, whatever region it was taken for."""
        regions = {g.box: g.region for g in outcome.garments if g.mask is None}
        photo = outcome.source.photo_id or ""
        known = [_of_region(old, regions.get(old.box)) for old in before.garments[photo]]
        return super().named(
            outcome, replace(before, garments={photo: known}, people=before.people)
        )

    def also(self, outcomes: Sequence[Outcome]) -> None:
        """Write the labels."""
        said = [
            Said(garment.garment_id, garment.crop_sha, key, values)
            for outcome in outcomes
            if isinstance(outcome, Imported)
            for garment, (key, values) in zip(outcome.garments, outcome.said, strict=True)
        ]
        self.labels += write_labels(self._dataset, self._annotator, said)


def _of_region(garment: Garment, region: Region | None) -> Garment:
    """An earlier garment with the region that it is taken for by now, None for any other."""
    return garment if region is None or garment.mask else replace(garment, region=region)
