"""Who stands for whom: garments that are spread over all others, by their embeddings."""

import warnings

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]

_BLOCK = 1024
"""Known vectors that all others are compared with at once."""

_MANY = 10_000_000
"""Distances from which on k-means looks at a part of the vectors at a time."""

_STEPS = 50
"""Of k-means at most: a batch need not be perfectly divided."""


def farthest_first(vectors: Vectors, budget: int, known: Vectors) -> list[int]:
    """`budget` places of `vectors` (N, D), each the one farthest from all before and from `known`.

    The greedy k-center of core sets (Sener & Savarese 2018, 1708.00489): what is like nothing else
    comes first, odd crops among it. Where nothing is `known` (M, D) the first place is taken first.
    """
    distance = np.full(len(vectors), 2.0, np.float32)
    for start in range(0, len(known), _BLOCK):
        distance = np.minimum(distance, 1 - (vectors @ known[start : start + _BLOCK].T).max(axis=1))
    taken: list[int] = []
    while len(taken) < min(budget, len(vectors)):
        taken.append(int(distance.argmax()))
        distance = np.minimum(distance, 1 - vectors @ vectors[taken[-1]])
        distance[taken] = -np.inf
    return taken


def representatives(vectors: Vectors, weights: Floats, budget: int, seed: int) -> list[int]:
    """One place of `vectors` (N, D) for each of `budget` clusters, that of the heaviest first.

    Clusters are those of k-means in which each counts by its weight (Zhdanov 2019, 1901.05954);
    who is nearest to the middle stands for the others. Fewer come where vectors are equal.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    count = min(budget, len(vectors))
    if count < 1:
        return []
    kind = KMeans if count * len(vectors) <= _MANY else MiniBatchKMeans
    means = kind(count, n_init=1, max_iter=_STEPS, random_state=seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different vectors than clusters
        labels = means.fit(vectors, sample_weight=np.maximum(weights, 1e-6)).labels_
    away = ((vectors - means.cluster_centers_[labels]) ** 2).sum(axis=1)
    order = np.lexsort((np.arange(len(labels)), away, labels))
    first = np.append(True, labels[order][1:] != labels[order][:-1])
    middle = order[first]
    heavy = np.bincount(labels, weights, minlength=count)[labels[middle]]
    return [int(place) for place in middle[np.argsort(-heavy, kind="stable")]]
