"""Whether suspects are wrong: labels of public sets are changed on purpose, and looked for.

Five in a hundred labels are changed to any other value (`any`), or to the value whose centre among
the embeddings is nearest to that of the right one (`look-alike`). All methods are given the same
out-of-sample probabilities. The sets have mistakes of their own, which count as false alarms here:
precision is a lower bound. What came of it stands in docs/suspects.md.
"""

import importlib.util
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from garmentloop.bench import FULL, Figure, Size
from garmentloop.bench.suspect_methods import METHODS, Mistakenness, pair_scores, scores
from garments.dataset import Dataset

SETS = Path("../shared/data")
"""Where the public sets lie, as in the README; what is not there is left out."""

ATTRIBUTES = {
    "clothing": ("category",),
    "fashion-products": ("category", "color", "pattern", "gender"),
}
SHARE = 0.05
"""Of the labels are changed."""

UNEVEN = {"category": 0.01, "color": 0.12, "pattern": 0.05, "gender": 0.02}
"""The same where attributes are not equally bad."""

SEEDS = (0, 1, 2)
KINDS = ("any", "look-alike")

FIRST = 50
"""Suspects that somebody looks at before breakfast."""

PAIRED = 0.3
"""Share of crops that are made to show two colors, by the mean of two crops' vectors."""

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Found = dict[str, list[tuple[float, float, float]]]


@dataclass(frozen=True, eq=False)
class Labelled:
    """N labels of one attribute, `given` by place among K values, with what a lesson needs."""

    given: Ints
    values: int
    vectors: NDArray[np.float32]
    folds: Ints


def measure(scratch: Path, size: Size) -> Iterator[Figure]:
    """Figures `suspects_...`; nothing where cleanlab or FiftyOne or the sets are not there."""
    if any(importlib.util.find_spec(name) is None for name in ("cleanlab", "fiftyone")):
        return
    full = size.photos >= FULL.photos
    sets = ATTRIBUTES if full else {"clothing": ATTRIBUTES["clothing"]}
    seeds = SEEDS if full else SEEDS[:1]
    for name, attributes in sets.items():
        folder = SETS / name.replace("-", "_")
        if not folder.is_dir():
            continue
        dataset = _imported(scratch / name, name, folder, None if full else 20 * size.photos)
        labelled = _labelled(dataset, attributes)
        with Mistakenness.of(dataset) as mistakenness:
            for attribute, found in labelled.items():
                for kind in KINDS:
                    key = f"{name}_{attribute}_{kind}"
                    yield from _figures(key, _one(found, kind, seeds, mistakenness))
            if len(labelled) > 1:
                for kind in KINDS:
                    for title, shares in (("even", {}), ("uneven", UNEVEN)):
                        ranked = _all(labelled, kind, seeds, shares, mistakenness)
                        yield from _figures(f"{name}_all_{title}_{kind}", ranked)
        if "color" in labelled:
            for kind in KINDS:
                yield from _figures(f"{name}_pairs_{kind}", _pairs(labelled["color"], kind, seeds))


def changed(found: Labelled, kind: str, seed: int, share: float = SHARE) -> tuple[Ints, Bools]:
    """Labels of which a share was changed, and which these are."""
    random = np.random.default_rng(seed)
    count = len(found.given)
    wrong = np.isin(np.arange(count), random.choice(count, round(share * count), replace=False))
    given = found.given.copy()
    if kind == "look-alike":
        given[wrong] = look_alikes(found)[given[wrong]]
    else:
        given[wrong] = (given[wrong] + random.integers(1, found.values, wrong.sum())) % found.values
    return given, wrong


def look_alikes(found: Labelled) -> Ints:
    """For each value the one whose centre is nearest."""
    centres = np.stack([found.vectors[found.given == k].mean(axis=0) for k in range(found.values)])
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.argmin(axis=1))


def _one(found: Labelled, kind: str, seeds: tuple[int, ...], mistakenness: Mistakenness) -> Found:
    """Each method's quality at one attribute."""
    result: Found = defaultdict(list)
    for seed in seeds:
        given, wrong = changed(found, kind, seed)
        for method, score in scores(replace(found, given=given), mistakenness).items():
            result[method].append(quality(score, wrong))
    return dict(result)


def _all(
    labelled: Mapping[str, Labelled],
    kind: str,
    seeds: tuple[int, ...],
    shares: Mapping[str, float],
    mistakenness: Mistakenness,
) -> Found:
    """Each method's quality where all attributes are in one ranking."""
    result: Found = defaultdict(list)
    for seed in seeds:
        by_method: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
        wrongs = []
        for attribute, found in labelled.items():
            given, wrong = changed(found, kind, seed, shares.get(attribute, SHARE))
            wrongs.append(wrong)
            for method, score in scores(replace(found, given=given), mistakenness).items():
                by_method[method].append(score)
        for method, some in by_method.items():
            result[method].append(quality(np.concatenate(some), np.concatenate(wrongs)))
    return dict(result)


def _pairs(found: Labelled, kind: str, seeds: tuple[int, ...]) -> Found:
    """Each method's quality where some garments have two values, of which one was changed."""
    result: Found = defaultdict(list)
    for seed in seeds:
        random = np.random.default_rng(seed)
        partner = random.permutation(len(found.given))
        two = (random.random(len(partner)) < PAIRED) & (found.given[partner] != found.given)
        vectors = np.where(two[:, None], found.vectors + found.vectors[partner], found.vectors)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        given, wrong = changed(found, kind, seed)
        answers = [
            tuple(sorted({one, other} if both else {one}))
            for one, other, both in zip(
                given.tolist(), found.given[partner].tolist(), two.tolist(), strict=True
            )
        ]
        for method, score in pair_scores(answers, replace(found, vectors=vectors)).items():
            result[method].append(quality(score, wrong))
    return dict(result)


def quality(score: NDArray[np.float64], wrong: Bools) -> tuple[float, float, float]:
    """Precision of the first N, N being how many are wrong (so it is recall too); of the first 50;
    average precision.
    """
    from sklearn.metrics import average_precision_score

    order = np.lexsort((np.arange(len(score)), -score))
    first, few = order[: int(wrong.sum())], order[:FIRST]
    average = float(average_precision_score(wrong, score))
    return float(wrong[first].mean()), float(wrong[few].mean()), average


def _figures(key: str, found: Found) -> Iterator[Figure]:
    for method, runs in found.items():
        among, few, average = np.mean(runs, axis=0)
        each = ", ".join(f"{run[0]:.3f}" for run in runs)
        note = f"{METHODS[method]}; of the first {FIRST} {few:.3f}, average precision {average:.3f}"
        yield Figure(
            f"suspects_{key}_{method}", round(float(among), 4), "right", f"{note}; by seed {each}"
        )


def _imported(folder: Path, name: str, root: Path, limit: int | None) -> Dataset:
    """The set with its labels and the starter's embeddings."""
    from annotate.prelabel import PrelabelOptions, prelabel
    from curate.imports.names import open_set
    from curate.imports.options import ImportOptions
    from curate.imports.run import run

    dataset = Dataset.create(folder)
    options = ImportOptions(limit=limit)
    for _ in run(dataset, open_set(name, root, dataset, options), options):
        pass
    for _ in prelabel(dataset, PrelabelOptions()):
        pass
    return dataset


def _labelled(dataset: Dataset, attributes: tuple[str, ...]) -> dict[str, Labelled]:
    from curate.believed import lessons
    from curate.suspects import answers_of, together
    from curate.vectors import crop_vectors

    vectors, groups, answers = crop_vectors(dataset), together(dataset), answers_of(dataset)
    found = {}
    for attribute in attributes:
        taught = lessons(answers[attribute], vectors, groups)
        given = np.array([values[0] for values in taught.given], np.int64)
        found[attribute] = Labelled(given, len(taught.names), taught.vectors, taught.folds)
    return found
