"""Reading raw logits: constraints, calibration and abstention turn them into answers.

All taggers are read alike. One value holds: softmax over the values that the garment's region and
the parent attribute's value allow. Several may hold (colors): each value by itself, by a sigmoid.
Everything works on N garments at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from garments.calibration import Calibration
from garments.errors import CatalogError
from garments.parts import Region
from garments.tagger import Activation
from garments.taxonomy import Attribute, Taxonomy

MOST_VALUES = 3
"""Values in one answer at most, where several may hold."""

LIKELY = 0.5
"""Probability from which a further value holds beside the most probable one."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a tagger says about one attribute of one garment.

    `values` are the most probable first, none where no value is possible (a category without
    sub-categories). `confidence` is the probability of the first, in [0, 1]. Where `abstained`,
    nothing holds: `values` are what it would have guessed. `tagger` is its version,
    `proposal_id` the row that was read.
    """

    values: tuple[str, ...]
    confidence: float
    abstained: bool
    tagger: str = ""
    proposal_id: str = ""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a tagger says about one attribute of N garments.

    `probabilities` is (N, K) in the order of the attribute's values, 0 for a value that is not
    allowed; `chosen` (N, K) the answer, never more than `MOST_VALUES`; `confidence` (N,) the
    probability of the top value, 0 where no value is allowed; `abstained` (N,).
    """

    attribute: Attribute
    probabilities: Floats
    chosen: Bools
    confidence: Floats
    abstained: Bools

    @property
    def best(self) -> list[str | None]:
        """The top value of each garment, abstained or not; None where no value is allowed."""
        tops = self.probabilities.argmax(axis=1)
        possible = np.any(self.chosen, axis=1)
        ids = self.attribute.ids
        return [ids[top] if can else None for top, can in zip(tops.tolist(), possible, strict=True)]

    def values(self) -> list[tuple[str, ...]]:
        """The answer of each garment, most probable value first, abstained or not."""
        ids = self.attribute.ids
        found: list[tuple[str, ...]] = [(value,) if value else () for value in self.best]
        several = np.flatnonzero(self.chosen.sum(axis=1) > 1)
        chosen = np.where(self.chosen[several], self.probabilities[several], -1.0)
        order = np.argsort(-chosen, axis=1, kind="stable")[:, :MOST_VALUES].tolist()
        counts = self.chosen[several].sum(axis=1).tolist()
        for row, places, count in zip(several.tolist(), order, counts, strict=True):
            found[row] = tuple(ids[place] for place in places[:count])
        return found

    def readings(self, taggers: Sequence[str], proposal_ids: Sequence[str]) -> list[Reading]:
        """One `Reading` a garment, made by these N tagger versions from these proposals."""
        columns = (self.values(), self.confidence.tolist(), self.abstained.tolist())
        return [Reading(*row) for row in zip(*columns, taggers, proposal_ids, strict=True)]


@dataclass(frozen=True, eq=False)
class Parent:
    """What is known of the parent attribute of N garments.

    `values` (N) is None where it is not known; `confidence` (N,) is 1 where a person said it;
    `abstained` (N,) is true where the value is only a guess.
    """

    values: Sequence[str | None]
    confidence: Floats
    abstained: Bools


def read(
    taxonomy: Taxonomy,
    attribute: str,
    logits: NDArray[np.floating],
    activation: Activation | str,
    calibration: Calibration | None = None,
    regions: Sequence[str] | None = None,
    parent: Parent | None = None,
) -> Answers:
    """Answers in the raw `logits` (N, K) of one attribute, for N garments in `regions` (N).

    Under a `parent` only its value's children are possible, probabilities count in how sure it
    is, and where the tagger abstained there it does here. `CatalogError` for logits of another
    vocabulary or an unknown activation.
    """
    asked = taxonomy.attribute(attribute)
    calibration = calibration or uncalibrated(asked, activation)
    scores = comparable(asked, logits, activation)
    regions = [Region.UNKNOWN] * len(scores) if regions is None else regions
    allowed = allowed_values(taxonomy, attribute, regions, parent.values if parent else None)
    found = probabilities(asked, scores, calibration, allowed)
    chosen = _chosen(asked, found) & allowed
    abstained = ~allowed.any(axis=1)
    if parent:
        found = found * parent.confidence[:, None]
        abstained = abstained | parent.abstained
    confidence = found.max(axis=1)
    return Answers(
        asked, found, chosen, confidence, abstained | (confidence < calibration.threshold)
    )


def read_all(
    taxonomy: Taxonomy,
    logits: Mapping[str, NDArray[np.floating]],
    activation: Activation | str | Mapping[str, Activation],
    calibrations: Mapping[str, Calibration],
    regions: Sequence[str],
) -> dict[str, Answers]:
    """Answers of one tagger about N garments in `regions` (N), by attribute in taxonomy order.

    `logits` has (N, K) by attribute, `activation` is that of all, or of each. An attribute with a
    parent is read under the tagger's own answer to that; where it has none, only the region limits.
    """
    found: dict[str, Answers] = {}
    for attribute in taxonomy.attributes:
        name = attribute.id
        if name in logits:
            above = found.get(attribute.parent or "")
            parent = Parent(above.best, above.confidence, above.abstained) if above else None
            kind = activation if isinstance(activation, str) else activation[name]
            found[name] = read(
                taxonomy, name, logits[name], kind, calibrations.get(name), regions, parent
            )
    return found


def allowed_values(
    taxonomy: Taxonomy,
    attribute: str,
    regions: Sequence[str],
    parents: Sequence[str | None] | None = None,
) -> Bools:
    """(N, K): which values N garments may have, by their region and their parent's value.

    `parents` are the values of the parent attribute, None where it is not known and so nothing is
    allowed; without `parents` only the region limits.
    """
    ids = taxonomy.values(attribute)
    by_region = {name: _among(ids, taxonomy.allowed(attribute, name)) for name in set(regions)}
    allowed = _rows([by_region[name] for name in regions], len(ids))
    if parents is None or taxonomy.attribute(attribute).parent is None:
        return allowed
    nothing = np.zeros(len(ids), bool)
    by_parent = {
        name: nothing if name is None else _among(ids, taxonomy.children(attribute, name))
        for name in set(parents)
    }
    return allowed & _rows([by_parent[name] for name in parents], len(ids))


def comparable(
    attribute: Attribute, logits: NDArray[np.floating], activation: Activation | str
) -> Floats:
    """Scores (N, K) on which calibration works, from raw logits (N, K).

    The similarities of a softmax model say only which value fits better than others. Where each
    value is asked for by itself, they are taken relative to the mean of all.
    """
    scores = np.asarray(logits, np.float64)
    known = activation in tuple(Activation)
    if scores.ndim != 2 or scores.shape[1] != len(attribute.values) or not known:
        raise CatalogError(
            f"expected softmax or sigmoid logits of {len(attribute.values)} values for "
            f"{attribute.id}, but got {str(activation)!r} with shape {scores.shape}; "
            "propose it again with `garmentloop prelabel`"
        )
    if attribute.multiple and activation == Activation.SOFTMAX:
        scores = scores - scores.mean(axis=1, keepdims=True)
    return scores


def uncalibrated(attribute: Attribute, activation: Activation | str) -> Calibration:
    """What a tagger is read with that was never calibrated: as it was trained, never abstaining.

    A softmax model that is asked for each value by itself needs a bias: a value that stands out
    no more than the mean of K has a probability of 1 / K.
    """
    if attribute.multiple and activation == Activation.SOFTMAX:
        return Calibration(bias=-float(np.log(max(len(attribute.values) - 1, 1))))
    return Calibration()


def probabilities(
    attribute: Attribute, scores: Floats, calibration: Calibration, allowed: Bools
) -> Floats:
    """(N, K) in [0, 1] from comparable scores; 0 where not allowed.

    Where one value holds, a row adds up to 1, or to 0 where nothing is allowed.
    """
    if attribute.multiple:
        shifted = (scores + calibration.bias) / calibration.temperature
        return np.asarray(allowed / (1 + np.exp(-np.clip(shifted, -500, 500))))
    scaled = np.where(allowed, scores / calibration.temperature, -np.inf)
    top = scaled.max(axis=1, keepdims=True)
    powers = np.exp(scaled - np.where(np.isfinite(top), top, 0.0))
    total = powers.sum(axis=1, keepdims=True)
    return np.asarray(powers / np.where(total > 0, total, 1.0))


def _chosen(attribute: Attribute, found: Floats) -> Bools:
    """(N, K): the top value of each row, and with it other likely ones where several may hold."""
    if not attribute.multiple:
        return np.asarray(found.argmax(axis=1)[:, None] == np.arange(found.shape[1]))
    rank = np.argsort(np.argsort(-found, axis=1, kind="stable"), axis=1)
    return np.asarray((rank == 0) | ((rank < MOST_VALUES) & (found >= LIKELY)))


def _among(ids: Sequence[str], some: Sequence[str]) -> Bools:
    return np.array([value in some for value in ids], bool)


def _rows(rows: list[Bools], width: int) -> Bools:
    return np.array(rows, bool).reshape(-1, width)
