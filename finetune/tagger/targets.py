"""What is to be learnt about each crop, as arrays beside the logits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.finetuned.layout import Head, Layout
from garments.errors import BadInput
from garments.taxonomy import Taxonomy

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

Truth = Mapping[str, Mapping[str, float]]
"""By attribute: the share in [0, 1] of each value; empty where nothing applies."""


@dataclass(frozen=True, eq=False)
class Targets:
    """N crops against L logits and A attributes, in the layout's order.

    `values` (N, L) are shares: of one value they add up to 1 in each attribute, of several each
    stands by itself. `known` (N, A) is false where nobody said anything, or that it is not visible:
    nothing is learnt there. `allowed` (N, L) is false for values that the true parent rules out.
    """

    values: Floats
    known: Bools
    allowed: Bools

    def at(self, rows: Sequence[int] | NDArray[np.integer]) -> "Targets":
        """These rows."""
        chosen = np.asarray(rows, np.int64)
        return Targets(self.values[chosen], self.known[chosen], self.allowed[chosen])

    def __len__(self) -> int:
        return len(self.values)


def targets_of(taxonomy: Taxonomy, layout: Layout, truths: Sequence[Truth]) -> Targets:
    """Arrays of what is true; values that a head does not have are left out."""
    values = np.zeros((len(truths), layout.size), np.float32)
    known = np.zeros((len(truths), len(layout.heads)), bool)
    allowed = np.ones((len(truths), layout.size), bool)
    places = layout.slices()
    for number, head in enumerate(layout.heads):
        mine = places[head.attribute]
        index = {value: place for place, value in enumerate(head.values)}
        for row, truth in enumerate(truths):
            said = truth.get(head.attribute)
            if said is None:
                continue
            shares = {index[v]: share for v, share in said.items() if v in index}
            known[row, number] = head.multiple or bool(shares)
            total = 1.0 if head.multiple else sum(shares.values())
            for place, share in shares.items():
                values[row, mine.start + place] = share / total
        allowed[:, mine] = _allowed(taxonomy, head, values[:, mine])
    return Targets(values, known, allowed)


def _allowed(taxonomy: Taxonomy, head: Head, values: Floats) -> Bools:
    """(N, K): the siblings of the true values; all where the attribute has no parent.

    As at inference, where the category is settled before its sub-category.
    """
    if taxonomy.attribute(head.attribute).parent is None:
        return np.ones(values.shape, bool)
    by_id = {value.id: value.parent for value in taxonomy.attribute(head.attribute).values}
    parents = np.array([by_id.get(value) or "" for value in head.values])
    same = (parents[:, None] == parents[None, :]).astype(np.float32)
    siblings = np.asarray((values > 0).astype(np.float32) @ same > 0)
    unknown = ~np.any(values, axis=1)
    return np.asarray(siblings | unknown[:, None])


def log_prior(layout: Layout, targets: Targets) -> Floats:
    """(L,) log of how often each value is true (one value), or its log odds (several).

    Counted with half an item more for each value, so that one that never occurs stays finite.
    """
    found = np.zeros(layout.size, np.float32)
    for number, head in enumerate(layout.heads):
        mine = layout.slices()[head.attribute]
        rows = targets.known[:, number]
        counts = targets.values[rows, mine].sum(axis=0) + 0.5
        share = counts / (rows.sum() + 1 if head.multiple else counts.sum())
        found[mine] = np.log(share / (1 - share)) if head.multiple else np.log(share)
    return found


def rarity(layout: Layout, targets: Targets) -> Floats:
    """(L,) weights of values, the root of their rarity, 1 on average over the items."""
    found = np.ones(layout.size, np.float32)
    for number, head in enumerate(layout.heads):
        mine = layout.slices()[head.attribute]
        counts = targets.values[targets.known[:, number], mine].sum(axis=0)
        weight = 1 / np.sqrt(np.maximum(counts, 1))
        found[mine] = weight * counts.sum() / max(float((weight * counts).sum()), 1e-9)
    return found


def learnable(
    taxonomy: Taxonomy, truths: Sequence[Truth], wanted: Sequence[str] | None
) -> tuple[list[str], dict[str, str]]:
    """Attributes that can be learnt, and why others cannot: too few labels, or one value only.

    Raises `BadInput` where one that was asked for is among these, or none is left.
    """
    asked = [a.id for a in taxonomy.attributes] if wanted is None else list(wanted)
    good, bad = [], {}
    for name in asked:
        ids = set(taxonomy.values(name))
        said = [set(t[name]) & ids for t in truths if name in t]
        seen = {value for values in said for value in values}
        if not seen:
            bad[name] = "it has no labels"
        elif len(seen) < 2:
            bad[name] = f"all {len(said)} labels say {next(iter(seen))}"
        else:
            good.append(name)
    if (wanted and bad) or not good:
        why = "; ".join(f"{name}: {reason}" for name, reason in bad.items())
        raise BadInput(
            f"expected labels with at least two values to learn from, but {why}; label more "
            "garments, or leave these attributes out by --attributes"
        )
    return good, bad
