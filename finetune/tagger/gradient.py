"""The same loss as `finetune.tagger.losses`, with its gradient in closed form.

A probe asks for both some hundred times over all its examples; autograd takes several times as
long for it. A test holds the two against each other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from finetune.tagger.losses import RULED_OUT, Loss


@dataclass(frozen=True, eq=False)
class _Part:
    """One head: its place among the logits, and what does not change from step to step.

    `truth` (N, K) is smoothed where one value holds; `weight` (N, 1) or (N, K) is 0 where nothing
    is known.
    """

    mine: slice
    multiple: bool
    truth: Tensor
    weight: Tensor
    ruled_out: Tensor | None


class Gradient:
    """Value and gradient of a loss for N examples whose targets stay the same."""

    def __init__(self, loss: Loss, values: Tensor, known: Tensor, allowed: Tensor) -> None:
        self._count = len(values)
        self._offset = loss.offset
        places = loss.layout.slices()
        self._parts = [
            _part(loss, head.multiple, places[head.attribute], values, known[:, number], allowed)
            for number, head in enumerate(loss.layout.heads)
        ]

    def __call__(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and its gradient (N, L), at logits (N, L)."""
        shifted = logits if self._offset is None else logits + self._offset
        gradient = torch.zeros_like(logits)
        total = torch.zeros(())
        for part in self._parts:
            step = _several if part.multiple else _one
            value, gradient[:, part.mine] = step(part, shifted[:, part.mine])
            total = total + value
        return total / self._count, gradient.div_(self._count)


def _part(
    loss: Loss, multiple: bool, mine: slice, values: Tensor, known: Tensor, allowed: Tensor
) -> _Part:
    truth, can = values[:, mine], allowed[:, mine]
    weight = known.float()[:, None]
    by_value = None if loss.weight is None else loss.weight[mine]
    if multiple:
        if by_value is not None:
            weight = weight * torch.where(truth > 0, by_value, torch.ones_like(by_value))
        return _Part(mine, True, truth.contiguous(), (weight * can).contiguous(), None)
    if by_value is not None:
        weight = weight * (truth * by_value).sum(dim=1, keepdim=True)
    even = can / can.sum(dim=1, keepdim=True)
    smoothed = (1 - loss.smoothing) * truth + loss.smoothing * even
    return _Part(mine, False, smoothed, weight, None if bool(can.all()) else ~can)


def _one(part: _Part, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax and cross entropy: the gradient is probability less truth."""
    if part.ruled_out is not None:
        logits = logits.masked_fill(part.ruled_out, RULED_OUT)
    said = F.log_softmax(logits, dim=1)
    value = -((part.truth * said).sum(dim=1, keepdim=True) * part.weight).sum()
    return value, said.exp_().sub_(part.truth).mul_(part.weight)


def _several(part: _Part, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Sigmoid and binary cross entropy: the gradient is probability less truth."""
    each = F.softplus(logits) - part.truth * logits
    return (each * part.weight).sum(), torch.sigmoid(logits).sub_(part.truth).mul_(part.weight)
