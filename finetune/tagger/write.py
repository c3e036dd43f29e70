"""Writing a trained tagger: calibrated on what it has not learnt, with figures and a card."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.finetuned.folder import Made
from annotate.finetuned.net import TaggerNet
from annotate.taggers import CALIBRATION
from finetune.tagger.calibrated import calibrated, content
from finetune.tagger.card import card_text
from finetune.tagger.examples import Material
from finetune.tagger.targets import Targets
from garments.errors import DatasetError
from garments.modelfolder import write_model

METRICS = "metrics.json"


@dataclass(frozen=True, eq=False)
class Done:
    """A trained tagger and all that its folder says about it.

    `skipped` says why attributes were not learnt.
    """

    made: Made
    net: TaggerNet
    logits: NDArray[np.float32]
    targets: Targets
    material: Material
    skipped: Mapping[str, str]
    notes: tuple[str, ...]
    minutes: float

    @property
    def labels(self) -> dict[str, int]:
        """How many labels there were of each attribute, those held out among them."""
        examples = [*self.material.learn, *self.material.held_out]
        names = [head.attribute for head in self.made.layout.heads]
        return {name: sum(name in one.truth for one in examples) for name in names}


def write_tagger(folder: Path, done: Done, precision: float) -> dict[str, float]:
    """Write the folder, which appears whole or not at all; the figures on what was held out.

    `precision` is what answers should reach where the tagger does not abstain.
    """
    found, figures = calibrated(
        done.material.taxonomy, done.made.layout, done.logits, done.targets, precision
    )
    made = replace(done.made, metrics=figures)
    unfinished = folder.with_name(f".new-{folder.name}")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write_json(unfinished / CALIBRATION, content(found))
        _write_json(unfinished / METRICS, figures)
        weights = done.net.state_dict()
        write_model(unfinished, weights, made.config(), card_text(done, figures), half=True)
        if folder.exists():  # a folder of one's own: the newer training replaces the older
            shutil.rmtree(folder)
        unfinished.rename(folder)
    except OSError as error:
        raise DatasetError(
            f"expected to write the model to {folder}, but {error.strerror or error}; make room "
            "there and run the same command again: the training is kept"
        ) from error
    return figures


def _write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
