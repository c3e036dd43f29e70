"""What a run of `extract` is asked to do, and what it tells about itself."""

import json
from dataclasses import dataclass
from typing import Literal

from garments.dataset import Dataset
from garments.ids import stable_id
from garments.settings import CropSettings, Settings

RECIPE = 1
"""Version of what `extract` does between the models; raise it when results change."""


@dataclass(frozen=True)
class RunOptions:
    """Options of one run; what is None is taken from the data set's settings.

    `limit` takes the first so many sources. `device` is `auto`, `cpu` or a torch device; `engine`
    and `precision` are those of `garments.settings.SpeedSettings`. A run with `dry_run` writes
    nothing. Rows are written every `commit_photos` photos or `commit_seconds` seconds, whichever
    comes first.
    """

    limit: int | None = None
    dry_run: bool = False
    device: str = "auto"
    engine: str | None = None
    precision: str | None = None
    workers: int | None = None
    batch: int | None = None
    detector: str | None = None
    parser: str | None = None
    as_crops: bool = False
    regions: tuple[str, ...] | None = None
    background: Literal["keep", "blur", "white"] | str | None = None
    commit_photos: int = 256
    commit_seconds: float = 5.0

    def settings(self, dataset: Dataset) -> Settings:
        """The data set's settings with what these options say instead; `BadSetting` if wrong."""
        changes = {
            "extract.workers": self.workers,
            "extract.batch": self.batch,
            "models.detector": self.detector,
            "models.parser": self.parser,
            "crops.regions": None if self.regions is None else list(self.regions),
            "crops.background": self.background,
            "speed.engine": self.engine,
            "speed.precision": self.precision,
        }
        given = {key: value for key, value in changes.items() if value is not None}
        return dataset.settings.changed(given) if given else dataset.settings


@dataclass(frozen=True)
class Progress:
    """How far a run has come. `total` is the number of sources, None until they are counted.

    `photos` were extracted now, with `people` (of whom `accepted`) and `garments`; `unreadable`
    could not be read; `skipped` were finished earlier, or are the same photo under another name;
    `taken_down` were taken down before, and are refused.
    """

    photos: int = 0
    people: int = 0
    accepted: int = 0
    garments: int = 0
    unreadable: int = 0
    skipped: int = 0
    taken_down: int = 0
    total: int | None = None

    @property
    def done(self) -> int:
        """Sources that are dealt with."""
        return self.photos + self.unreadable + self.skipped + self.taken_down


@dataclass(frozen=True)
class Plan:
    """What a run would do: counts of sources. Whether a photo can be decoded is not tried.

    `remote` are URLs not fetched before; `unreadable` are files and rows that cannot be read.
    """

    found: int = 0
    new: int = 0
    done: int = 0
    duplicates: int = 0
    remote: int = 0
    unreadable: int = 0
    taken_down: int = 0

    def __str__(self) -> str:
        parts = [f"{self.found} found", f"{self.new} to extract", f"{self.done} done before"]
        others = {
            "to fetch first": self.remote,
            "the same photo under another name": self.duplicates,
            "unreadable": self.unreadable,
            "taken down before": self.taken_down,
        }
        return ", ".join(parts + [f"{count} {what}" for what, count in others.items() if count])


def config_hash(settings: Settings, detector: str, parser: str) -> str:
    """Hash of all that decides what is found: both models' fingerprints and the settings."""
    chosen = {
        "framing": settings.framing.model_dump(mode="json"),
        "crops": _canonical(settings.crops),
    }
    longest = settings.extract.working_longest
    return stable_id("extract", RECIPE, longest, detector, parser, _json(chosen))


def product_config_hash(settings: Settings) -> str:
    """The same for product shots, which need no models."""
    return stable_id("as-crops", RECIPE, settings.crops.longest)


def _canonical(crops: CropSettings) -> dict[str, object]:
    return {**crops.model_dump(mode="json"), "regions": sorted(set(crops.regions))}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
