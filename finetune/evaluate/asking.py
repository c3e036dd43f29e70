"""From parts of the test rows to what taggers say about them: steps, in threads or on a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.hearing import Panel
from extract.pipeline import Step
from finetune.evaluate.held_out import crops_at
from garments.tagger import Activation, Crop, Tagger

BATCH = 64
"""Crops that are tagged at once."""

Logits = tuple[NDArray[np.float32], Activation]
"""(N, K) raw logits of one attribute, and how they are read."""


@dataclass(frozen=True)
class Part:
    """Test rows from place `first` to before `last`; `of` says which taggers are asked."""

    number: int
    first: int
    last: int
    of: tuple[bool, ...]

    def __len__(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, eq=False)
class Said:
    """What the taggers that were asked, by their place in the panel, say about a part."""

    part: Part
    by_tagger: Mapping[int, Mapping[str, Logits]]


def asking(files: Sequence[Path], panel: Panel) -> list[Step]:
    """Steps from `Part` to `Said`; `files` are those of the test rows."""
    return [Step(partial(_read, files=files)), Step(partial(_ask, panel=panel), models=True)]


def _read(batch: Sequence[Part], files: Sequence[Path]) -> list[tuple[Part, list[Crop]]]:
    return [(part, crops_at(files, range(part.first, part.last))) for part in batch]


def _ask(batch: Sequence[tuple[Part, list[Crop]]], panel: Panel) -> list[Said]:
    return [Said(part, _answers(part, crops, panel)) for part, crops in batch]


def _answers(part: Part, crops: list[Crop], panel: Panel) -> dict[int, dict[str, Logits]]:
    asked = [at for at, wanted in enumerate(part.of) if wanted]
    return {at: _said(panel.taggers[at], crops) for at in asked}


def _said(tagger: Tagger, crops: list[Crop]) -> dict[str, Logits]:
    """By attribute; whatever was kept before is left out by whoever keeps it."""
    said = [tagger.tag(crops[at : at + BATCH]) for at in range(0, len(crops), BATCH)]
    found = {}
    for name in tagger.attributes:
        logits = np.concatenate([tags.logits[name] for tags in said])
        found[name] = (np.asarray(logits, np.float32), said[0].activation_of(name))
    return found
