"""Fitting linear heads to features that stay as they are: convex, so quick and always the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from annotate.finetuned.layout import Layout
from finetune.tagger.gradient import Gradient
from finetune.tagger.losses import Loss
from finetune.tagger.targets import Targets

FOLDS = 5
MANY = 4000
"""Examples from which one fold is enough to choose by."""

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Weights of the squared length of a head's rows that are tried; each attribute takes its best."""

WIDEST = 512
"""Features that heads are fitted to at most."""

DOUBT = 0.5
"""What heads begin with of zero-shot logits of about the size of one."""

STEPS = 60

ENOUGH = 1e-5
"""Change of the loss below which a fit has arrived."""

Features = NDArray[np.float32]
MakeLoss = Callable[[Layout, Targets], Loss]


@dataclass(frozen=True, eq=False)
class Probe:
    """Heads over (features - shift) * scale, and what they said about examples held out from them.

    `weight` (L, D) and `bias` (L,); `trust` (L,) is what the words' logits count beside them, one
    number an attribute. `strengths` by attribute. `held_out` (M,) are rows of the examples,
    `logits` (M, L) what heads that were fitted to the others say about them.
    """

    weight: Features
    bias: Features
    shift: Features
    scale: Features
    trust: Features
    strengths: dict[str, float]
    held_out: NDArray[np.int64]
    logits: Features


def fit_probe(
    layout: Layout,
    features: Features,
    targets: Targets,
    groups: Sequence[str],
    loss: MakeLoss,
    seed: int = 0,
    blocks: Sequence[int] = (),
    words: Features | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Probe:
    """Fit the heads to N examples, each attribute regularised as suits what is held out.

    `blocks` are lengths of parts of the features that count alike; of long ones the first `WIDEST`
    principal components remain. `words` (N, L) are zero-shot logits: heads begin with as much of
    them as the labels bear out, and what is learnt beside that is pulled towards nothing, so that
    few labels do no harm. Groups are never torn between folds. With many examples one fold is held
    out, else each in turn.
    """
    shift, scale = features.mean(axis=0), _scale(features, blocks)
    ready, basis = _projected((features - shift) * scale, seed)
    words = np.zeros((len(ready), layout.size), np.float32) if words is None else words
    loud = _loudness(layout, words)
    words = words / loud
    fold = _folds(groups, seed)
    turns = range(1 if len(features) >= MANY else FOLDS)
    rows = [np.flatnonzero(fold == turn) for turn in turns]
    rows = [r for r in rows if 0 < len(r) < len(fold)]
    said: dict[float, Features] = {
        s: np.zeros((len(fold), layout.size), np.float32) for s in STRENGTHS
    }
    total = len(rows) * len(STRENGTHS) + 1
    for turn, out in enumerate(rows):
        others = np.setdiff1d(np.arange(len(fold)), out)
        known, seen = targets.at(others), (ready[others], words[others])
        path = _path(layout, seen, known, loss(layout, known))
        for place, (strength, heads) in enumerate(path):
            tell(turn * len(STRENGTHS) + place, total)
            said[strength][out] = _said(heads, ready[out], words[out])
    held_out = np.sort(np.concatenate(rows)) if rows else np.zeros(0, np.int64)
    best = _best(layout, said, targets, held_out)
    *_, (_, heads) = _path(layout, (ready, words), targets, loss(layout, targets), best)
    weight, bias, trust = heads
    tell(total, total)
    weight = weight if basis is None else weight @ basis.T
    logits = _joined(layout, said, best)[held_out]
    return Probe(
        weight, bias, shift.astype(np.float32), scale, trust / loud, best, held_out, logits
    )


Heads = tuple[Features, Features, Features]
"""Weights (L, D), biases (L,) and trust in words (L,)."""


def _said(heads: Heads, features: Features, words: Features) -> Features:
    weight, bias, trust = heads
    return np.asarray(features @ weight.T + bias + words * trust, np.float32)


def _path(
    layout: Layout,
    seen: tuple[Features, Features],
    targets: Targets,
    loss: Loss,
    best: dict[str, float] | None = None,
) -> Iterator[tuple[float, Heads]]:
    """Heads of each strength, the strongest first, each fit from the one before; at most `best`.

    From nothing at once, a weak pull takes many more steps than it is given.
    """
    heads: Heads | None = None
    for strength in sorted(STRENGTHS, reverse=True):
        wanted = {
            h.attribute: max(strength, (best or {}).get(h.attribute, 0)) for h in layout.heads
        }
        heads = _fit(layout, seen, targets, loss, wanted, heads)
        yield strength, heads


def _loudness(layout: Layout, words: Features) -> Features:
    """(L,) by which words are divided so that each attribute's vary about as much as features."""
    found = np.ones(layout.size, np.float32)
    for mine in layout.slices().values():
        own = words[:, mine] - words[:, mine].mean(axis=0)
        found[mine] = max(float(own.std()), 1e-3) if own.any() else 1
    return found


def _scale(features: Features, blocks: Sequence[int]) -> Features:
    """(D,) that gives every feature of a block the same variance, and every block the same."""
    sizes = np.array(blocks or [features.shape[1]])
    share = np.repeat(np.sqrt(1 / (sizes * len(sizes))), sizes)
    return np.asarray(share / (features.std(axis=0) + 1e-6), np.float32)


def _projected(ready: Features, seed: int) -> tuple[Features, Features | None]:
    """Centred features (N, D) on their principal components, and these (D, WIDEST)."""
    if ready.shape[1] <= WIDEST:
        return ready, None
    torch.manual_seed(seed)  # the components are found by random projections
    kept = min(WIDEST, *ready.shape)
    _, _, basis = torch.pca_lowrank(torch.from_numpy(ready), q=kept, center=False, niter=2)
    found = np.asarray(basis.numpy(), np.float32)
    return np.asarray(ready @ found, np.float32), found


def _fit(
    layout: Layout,
    seen: tuple[Features, Features],
    targets: Targets,
    loss: Loss,
    strengths: dict[str, float],
    start: Heads | None,
) -> Heads:
    """Heads by L-BFGS on features (N, D) and words (N, L), from those of another strength."""
    x, words, *known = (
        torch.from_numpy(np.ascontiguousarray(array))
        for array in (*seen, targets.values, targets.known, targets.allowed)
    )
    size = layout.size
    begin = start or (np.zeros((size, x.shape[1])), np.zeros(size), np.full(size, DOUBT))
    weight, bias = (torch.tensor(one, dtype=torch.float32, requires_grad=True) for one in begin[:2])
    owner = torch.zeros(len(layout.heads), size)
    pull = torch.zeros(size, 1)
    for number, (name, mine) in enumerate(layout.slices().items()):
        pull[mine] = strengths[name]
        owner[number, mine] = 1
    # one number an attribute, which all its logits have in common
    first = owner @ torch.tensor(begin[2], dtype=torch.float32) / owner.sum(dim=1)
    trust = first.requires_grad_()
    optimizer = torch.optim.LBFGS(
        [weight, bias, trust],
        max_iter=STEPS,
        history_size=10,
        tolerance_change=ENOUGH,
        line_search_fn="strong_wolfe",
    )

    measured = Gradient(loss, *known)

    @torch.no_grad()
    def closure() -> Tensor:
        value, gradient = measured(x @ weight.T + bias + words * (trust @ owner))
        weight.grad = gradient.T @ x + pull * weight
        bias.grad = gradient.sum(dim=0)
        trust.grad = owner @ (gradient * words).sum(dim=0)
        return value + (pull * weight.square()).sum() / 2

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach().numpy(), bias.detach().numpy(), (trust @ owner).detach().numpy()


def _folds(groups: Sequence[str], seed: int) -> NDArray[np.int64]:
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = dict(zip(names, (order % FOLDS).tolist(), strict=True))
    return np.array([fold[group] for group in groups], np.int64)


def _best(
    layout: Layout,
    said: dict[float, Features],
    targets: Targets,
    held_out: NDArray[np.int64],
) -> dict[str, float]:
    """The strength of each attribute under which the held-out labels are likeliest."""
    middle = STRENGTHS[len(STRENGTHS) // 2]
    if not len(held_out):
        return {head.attribute: middle for head in layout.heads}
    known = targets.at(held_out)
    best = {}
    for number, head in enumerate(layout.heads):
        alone = Targets(known.values, _only(known.known, number), known.allowed)
        worth = {s: _surprise(layout, logits[held_out], alone) for s, logits in said.items()}
        best[head.attribute] = min(worth, key=lambda strength: worth[strength])
    return best


def _only(known: NDArray[np.bool_], number: int) -> NDArray[np.bool_]:
    return np.asarray(known & (np.arange(known.shape[1]) == number))


def _surprise(layout: Layout, logits: Features, targets: Targets) -> float:
    arrays = (logits, targets.values, targets.known, targets.allowed)
    return float(Loss(layout)(*(torch.from_numpy(np.ascontiguousarray(one)) for one in arrays)))


def _joined(layout: Layout, said: dict[float, Features], best: dict[str, float]) -> Features:
    """Each attribute's logits of its own strength."""
    found = np.zeros_like(next(iter(said.values())))
    for name, mine in layout.slices().items():
        found[:, mine] = said[best[name]][:, mine]
    return found
