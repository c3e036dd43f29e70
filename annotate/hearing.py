"""From garments to what taggers say about them: steps that run in threads or on a cluster."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from annotate.crops import CropLoader
from extract.pipeline import Step
from garments.dataset import Dataset
from garments.errors import BadInput, ModelError
from garments.tagger import Crop, Tagger, Tags


class Panel:
    """The taggers of one run. In another process they are loaded anew where `load` tells how."""

    def __init__(
        self, taggers: Sequence[Tagger], load: Callable[[], Sequence[Tagger]] | None = None
    ) -> None:
        """`load` makes the same taggers as `taggers`, and pickles."""
        self._taggers: Sequence[Tagger] | None = taggers
        self._load, self._versions = load, list[str]()

    @property
    def taggers(self) -> Sequence[Tagger]:
        """The taggers; `ModelError` where those loaded here are not those of whoever asks."""
        if self._taggers is None:
            assert self._load is not None
            loaded = self._load()
            if _versions(loaded) != self._versions:
                raise ModelError(
                    f"expected the same taggers on every machine, but {platform.node()} has "
                    "others: copy the models' folders and the data set's taxonomy there, or "
                    "install the same version of garmentloop"
                )
            self._taggers = loaded
        return self._taggers

    def __getstate__(self) -> dict[str, Any]:
        """What travels: models that can be loaded there do not."""
        if self._load is None or self._taggers is None:
            return self.__dict__
        return {"_taggers": None, "_load": self._load, "_versions": _versions(self._taggers)}


def _versions(taggers: Sequence[Tagger]) -> list[str]:
    return [f"{name} {t.version(name)}" for t in taggers for name in t.attributes]


@dataclass(frozen=True, eq=False)
class Wanted:
    """A garment to be told about: its place among all, its row, and which taggers are asked."""

    position: int
    row: Mapping[str, Any]
    asked: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class Loaded:
    """The same with its crop, or the reason why there is none."""

    position: int
    garment_id: str
    crop_sha: str
    asked: tuple[bool, ...]
    crop: Crop | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Heard:
    """What the taggers said about a batch: by tagger about which of `good`, and what.

    `good` are position, garment_id and crop_sha of those that could be shown; `bad` are garment_id
    and reason of the others.
    """

    good: Sequence[tuple[int, str, str]]
    bad: Sequence[tuple[str, str]]
    said: Sequence[tuple[list[int], Tags | None]]


def proposing(dataset: Dataset, panel: Panel) -> list[Step]:
    """Steps from `Wanted` to a `Heard` for each batch."""
    loader = CropLoader(Dataset(dataset.folder, dataset.settings))
    return [
        Step(partial(load_crops, loader=loader)),
        Step(partial(hear, panel=panel), models=True, counts=_has_crop),
    ]


def load_crops(batch: Sequence[Wanted], loader: CropLoader) -> list[Loaded]:
    """Read crops and masks."""
    return [_loaded(one, loader) for one in batch]


def hear(batch: Sequence[Loaded], panel: Panel) -> list[Heard]:
    """Ask each tagger about those of the batch that lack its word."""
    good = [one for one in batch if one.crop is not None]
    crops = [one.crop for one in batch if one.crop is not None]
    said: list[tuple[list[int], Tags | None]] = []
    for number, tagger in enumerate(panel.taggers):
        mine = [at for at, one in enumerate(good) if one.asked[number]]
        said.append((mine, tagger.tag([crops[at] for at in mine]) if mine else None))
    return [
        Heard(
            [(one.position, one.garment_id, one.crop_sha) for one in good],
            [(one.garment_id, one.reason) for one in batch if one.crop is None],
            said,
        )
    ]


def _has_crop(one: Loaded) -> bool:
    return one.crop is not None


def _loaded(one: Wanted, loader: CropLoader) -> Loaded:
    who = one.position, one.row["garment_id"], one.row["crop_sha"], one.asked
    try:
        return Loaded(*who, loader.load(one.row))
    except BadInput as error:
        return Loaded(*who, None, str(error))
