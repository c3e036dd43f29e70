"""Whether suspects are wrong: labels of public sets are changed on purpose, and looked for.

Five in a hundred labels are changed to any other value (`any`), or to the value whose centre among
the embeddings is nearest to that of the right one (`look-alike`). All methods are given the same
out-of-sample probabilities. The sets have mistakes of their own, which count as false alarms here:
precision is a lower bound. What came of it stands in docs/suspects.md.
"""

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curate.believed import Floats
from garmentloop.bench import Figure, Size
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
Try = tuple[dict[str, Floats], Bools]
"""Scores by method, and which labels were changed."""

Quality = dict[str, tuple[float, float, float]]
"""What `quality` says, by method."""


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
    full = size.imported is None
    sets = ATTRIBUTES if full else {"clothing": ATTRIBUTES["clothing"]}
    seeds = SEEDS if full else SEEDS[:1]
    for name, attributes in sets.items():
        folder = SETS / name.replace("-", "_")
        if not folder.is_dir():
            continue
        dataset = _imported(scratch / name, name, folder, size.imported)
        labelled = _labelled(dataset, attributes)
        with Mistakenness.of(dataset) as mistakenness:
            for kind in KINDS:
                alone = {a: _tries(one, kind, seeds, mistakenness) for a, one in labelled.items()}
                for attribute, tries in alone.items():
                    yield from _figures(f"{name}_{attribute}_{kind}", map(_quality, tries))
                if len(labelled) > 1:
                    yield from _figures(f"{name}_all_even_{kind}", _joined(alone.values()))
        for kind in KINDS:
            if len(labelled) > 1:
                uneven = [_tries(one, kind, seeds, share=UNEVEN[a]) for a, one in labelled.items()]
                yield from _figures(f"{name}_all_uneven_{kind}", _joined(uneven))
            if "color" in labelled:
                pairs = (_pairs(labelled["color"], kind, seed) for seed in seeds)
                yield from _figures(f"{name}_pairs_{kind}", map(_quality, pairs))


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


def _tries(
    found: Labelled,
    kind: str,
    seeds: tuple[int, ...],
    mistakenness: Mistakenness | None = None,
    share: float = SHARE,
) -> list[Try]:
    """What each method makes of labels that were changed with these seeds."""
    tries = []
    for seed in seeds:
        given, wrong = changed(found, kind, seed, share)
        tries.append((scores(replace(found, given=given), mistakenness), wrong))
    return tries


def _joined(attributes: Iterable[list[Try]]) -> Iterator[Quality]:
    """The qualities where all attributes are in one ranking, seed by seed."""
    for tries in zip(*attributes, strict=True):
        wrong = np.concatenate([wrong for _, wrong in tries])
        yield _quality(
            ({m: np.concatenate([score[m] for score, _ in tries]) for m in tries[0][0]}, wrong)
        )


def _pairs(found: Labelled, kind: str, seed: int) -> Try:
    """The same where some garments have two values, of which one was changed."""
    random = np.random.default_rng(seed)
    partner = random.permutation(len(found.given))
    two = (random.random(len(partner)) < PAIRED) & (found.given[partner] != found.given)
    vectors = np.where(two[:, None], found.vectors + found.vectors[partner], found.vectors)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given, wrong = changed(found, kind, seed)
    columns = given.tolist(), found.given[partner].tolist(), two.tolist()
    answers = [
        tuple(sorted({one, other} if both else {one}))
        for one, other, both in zip(*columns, strict=True)
    ]
    return pair_scores(answers, replace(found, vectors=vectors)), wrong


def _quality(tried: Try) -> Quality:
    score, wrong = tried
    return {method: quality(some, wrong) for method, some in score.items()}


def quality(score: Floats, wrong: Bools) -> tuple[float, float, float]:
    """Precision of the first N, N being how many are wrong (so it is recall too); of the first 50;
    average precision.
    """
    from sklearn.metrics import average_precision_score

    order = np.lexsort((np.arange(len(score)), -score))
    first, few = order[: int(wrong.sum())], order[:FIRST]
    average = float(average_precision_score(wrong, score))
    return float(wrong[first].mean()), float(wrong[few].mean()), average


def _figures(key: str, qualities: Iterable[Quality]) -> Iterator[Figure]:
    """A figure for each method, of its quality in every try."""
    tries = list(qualities)
    for method in tries[0]:
        runs = [found[method] for found in tries]
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
