"""How quickly a probe is fitted to features that are kept, beside scikit-learn's regression."""

import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.finetuned.layout import Layout
from finetune.tagger.losses import Loss
from finetune.tagger.probe import STEPS, STRENGTHS, fit_probe
from finetune.tagger.targets import Targets, targets_of
from garmentloop.bench import Figure, Size
from garments.taxonomy import Taxonomy

WIDTH = 440
"""Features of the starter's backbone."""

RANK = 60
"""Directions in which made-up features vary, as those of a real backbone do."""

SEED = 7


def measure(folder: Path, size: Size) -> Iterator[Figure]:
    """Fit the heads of all attributes of the default taxonomy to made-up crops."""
    taxonomy = Taxonomy.default()
    layout = Layout.of(taxonomy, [a.id for a in taxonomy.attributes])
    features, targets = _made_up(taxonomy, layout, size.probed)
    groups = [str(number) for number in range(size.probed)]
    start = time.perf_counter()
    fit_probe(layout, features, targets, groups, lambda heads, _: Loss(heads))
    seconds = time.perf_counter() - start
    note = f"{size.probed:,} crops, {layout.size} values, strengths chosen; wanted are under 60"
    yield Figure("probe_seconds", seconds, "s", note)
    naive = _scikit_learn(layout, features, targets)
    note = "LogisticRegression for the same attributes and strengths"
    yield Figure("probe_against_scikit_learn", naive / seconds, "x", note)


def _made_up(taxonomy: Taxonomy, layout: Layout, count: int) -> tuple[NDArray[np.float32], Targets]:
    """Features of low rank, and answers that mostly follow from them."""
    rng = np.random.default_rng(SEED)
    inner = rng.normal(size=(count, RANK)).astype(np.float32)
    features = inner @ rng.normal(size=(RANK, WIDTH)).astype(np.float32)
    features += rng.normal(0, 0.5, features.shape).astype(np.float32)
    truths: list[dict[str, dict[str, float]]] = [{} for _ in range(count)]
    for head in layout.heads:
        scores = inner @ rng.normal(size=(RANK, len(head.values))).astype(np.float32)
        tops = (scores + rng.normal(0, 4, scores.shape)).argmax(axis=1)
        for truth, top in zip(truths, tops.tolist(), strict=True):
            truth[head.attribute] = {head.values[top]: 1.0}
    return features, targets_of(taxonomy, layout, truths)


def _scikit_learn(layout: Layout, features: NDArray[np.float32], targets: Targets) -> float:
    """Seconds of a logistic regression for each attribute and strength."""
    from sklearn.linear_model import LogisticRegression

    ready = (features - features.mean(axis=0)) / features.std(axis=0) / np.sqrt(WIDTH)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as many steps as ours, whether that is enough or not
        for mine in layout.slices().values():
            tops = targets.values[:, mine].argmax(axis=1)
            for strength in STRENGTHS:
                weight = 1 / (strength * len(features))
                LogisticRegression(C=weight, max_iter=STEPS).fit(ready, tops)
    return time.perf_counter() - start
