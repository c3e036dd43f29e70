"""How training shows a crop: as at inference, and differently each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset as Rows

from annotate.finetuned.picture import fitted
from annotate.preparation import BACKGROUNDS, Background, prepared
from finetune.augment import erase
from finetune.clip_augment import lit, placed
from finetune.tagger.examples import Example
from finetune.tagger.features import loaded
from finetune.tagger.targets import Targets
from garments.images import Pixels, fit

OTHER_BACKGROUND = 0.15
"""How often a garment is shown on other surroundings than at inference."""

LIGHT = 0.3
"""How much exposure and cast change, as a share of what the image-text model is taught: a tagger
has to tell navy from blue."""

_ROOM = 5 / 3
"""Pictures are made this much larger than the input before they are turned and zoomed."""


@dataclass(frozen=True)
class Look:
    """How crops are shown: on what background, at what input side, and whether hues may change.

    They may where no color is learnt; where it is, a red dress has to stay red.
    """

    background: Background
    side: int
    hue: bool


class Shown(Rows[dict[str, Tensor]]):
    """Examples as a network is shown them; with a `seed` differently in each epoch.

    What is shown hangs on seed, epoch and place alone, so that a training that is gone on with sees
    what an undisturbed one sees.
    """

    def __init__(
        self, examples: Sequence[Example], targets: Targets, look: Look, seed: int | None = None
    ) -> None:
        self._examples, self._targets, self._look, self._seed = examples, targets, look, seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        """`pixels` (3, S, S) uint8, `values` (L,), `known` (A,), `allowed` (L,)."""
        if self._seed is None:
            pixels = fitted(self._seen(place, self._look.background), self._look.side)
        else:
            rng = np.random.default_rng([self._seed, self.epoch, place])
            pixels = self._augmented(place, rng)
        return {
            "pixels": torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))),
            "values": torch.from_numpy(self._targets.values[place]),
            "known": torch.from_numpy(self._targets.known[place]),
            "allowed": torch.from_numpy(self._targets.allowed[place]),
        }

    def _seen(self, place: int, background: Background) -> Pixels:
        return prepared(loaded(self._examples[place]), background)

    def _augmented(self, place: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        other = rng.random() < OTHER_BACKGROUND
        background = BACKGROUNDS[rng.integers(len(BACKGROUNDS))] if other else self._look.background
        small = fit(self._seen(place, background), round(self._look.side * _ROOM))
        pixels = lit(placed(small, self._look.side, rng), rng, LIGHT)
        if self._look.hue and rng.random() < 0.5:
            pixels = _hue_shifted(pixels, int(rng.integers(0, 180)))
        if rng.random() < 0.1:
            erase(pixels, rng)
        return pixels


def collated(rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    """A batch of rows; `labels` are what `transformers.Trainer` asks for."""
    batch = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    batch["labels"] = batch["values"]
    return batch


def _hue_shifted(pixels: NDArray[np.uint8], degrees: int) -> NDArray[np.uint8]:
    """All hues turned by twice so many degrees (OpenCV's hue has 180 steps)."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    hsv[:, :, 0] = (hsv[:, :, 0].astype(np.int32) + degrees) % 180
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)
