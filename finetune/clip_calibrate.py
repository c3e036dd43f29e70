"""The calibration that the image-text model brings along, fitted on what was held back."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from annotate.native import native_taxonomy
from annotate.taggers import load_tagger
from finetune.clip_data import Shown
from garments.calibration import Calibration
from garments.fitting import fit, threshold_for
from garments.reading import Bools, allowed_values, comparable, read, uncalibrated
from garments.settings import PrelabelSettings
from garments.tagger import Tags
from garments.taxonomy import Taxonomy

FILE = "calibration.json"
FEWEST = 40
"""Pictures below which an attribute stays uncalibrated."""


def calibrate_clip(
    folder: Path, held_back: Sequence[Shown], precision: float | None = None
) -> dict[str, Calibration]:
    """Fit the model in `folder` to `held_back` and write `calibration.json` there.

    By attribute of the default taxonomy and of the shop's columns. `precision` is what a threshold
    is chosen for, by default that of the settings.
    """
    wished = precision or PrelabelSettings().precision
    (folder / FILE).unlink(missing_ok=True)
    found: dict[str, Calibration] = {}
    for taxonomy in (Taxonomy.default(), native_taxonomy("fashion_products")):
        tags = load_tagger(f"dir:{folder}", taxonomy).tag([one.crop() for one in held_back])
        for attribute in taxonomy.attributes:
            fitted = _fitted(taxonomy, attribute.id, tags, held_back, wished)
            if fitted:
                found[attribute.id] = fitted
    text = json.dumps({name: asdict(one) for name, one in found.items()}, indent=2) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")
    return found


def _fitted(
    taxonomy: Taxonomy, name: str, tags: Tags, held_back: Sequence[Shown], wished: float
) -> Calibration | None:
    """Temperature, bias and threshold of one attribute; None where too little is known."""
    attribute = taxonomy.attribute(name)
    rows = [
        i for i, one in enumerate(held_back) if set(one.truth.get(name, ())) & set(attribute.ids)
    ]
    if len(rows) < FEWEST:
        return None
    regions = [str(held_back[i].region) for i in rows]
    logits = tags.logits[name][rows]
    activation = tags.activation_of(name)
    scores = comparable(attribute, logits, activation)
    right = np.array([[v in held_back[i].truth[name] for v in attribute.ids] for i in rows], bool)
    allowed = allowed_values(taxonomy, name, regions)
    truth = right if attribute.multiple else _likeliest(right, scores)
    fitted = fit(attribute, scores, truth, allowed, uncalibrated(attribute, activation))
    answers = read(taxonomy, name, logits, activation, fitted, regions)
    tops = answers.probabilities.argmax(axis=1)
    threshold = threshold_for(wished, answers.confidence, right[np.arange(len(rows)), tops])
    return Calibration(fitted.temperature, fitted.bias, threshold, fitted.items)


def _likeliest(right: Bools, scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Bools:
    """Of several right answers (a coarse label covers them) the one that fits the picture best."""
    best = np.where(right, scores, -np.inf).argmax(axis=1)
    return np.asarray(best[:, None] == np.arange(right.shape[1]))
