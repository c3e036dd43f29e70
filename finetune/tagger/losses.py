"""The loss of all heads: what is not known, and what the parent rules out, teaches nothing."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from annotate.finetuned.layout import Layout

RULED_OUT = -1e4
"""Logit of a value that cannot be: its probability is 0, and no gradient reaches it."""


@dataclass(frozen=True, eq=False)
class Loss:
    """Cross entropy for one value, binary cross entropy for several, added up over attributes.

    `offset` (L,) is added to the logits while learning (logit adjustment), `weight` (L,) counts
    each value. `smoothing` spreads that share of the truth over all values that can be.
    """

    layout: Layout
    offset: Tensor | None = None
    weight: Tensor | None = None
    smoothing: float = 0.0

    def __call__(self, logits: Tensor, values: Tensor, known: Tensor, allowed: Tensor) -> Tensor:
        """Mean over the batch. `logits`, `values`, `allowed` (N, L); `known` (N, A)."""
        if self.offset is not None:
            logits = logits + self.offset.to(logits.device)
        total = logits.sum() * 0
        for number, head in enumerate(self.layout.heads):
            mine = self.layout.slices()[head.attribute]
            rows = known[:, number]
            if bool(rows.any()):
                kind = self._several if head.multiple else self._one
                weight = None if self.weight is None else self.weight[mine].to(logits.device)
                each = kind(logits[rows, mine], values[rows, mine], allowed[rows, mine], weight)
                total = total + each.sum() / len(rows)
        return total

    def _one(
        self, logits: Tensor, values: Tensor, allowed: Tensor, weight: Tensor | None
    ) -> Tensor:
        """(N,) cross entropy among the values that can be."""
        said = F.log_softmax(logits.masked_fill(~allowed, RULED_OUT), dim=1)
        even = allowed / allowed.sum(dim=1, keepdim=True)
        truth = (1 - self.smoothing) * values + self.smoothing * even
        surprise = -(truth * said).sum(dim=1)
        return surprise if weight is None else surprise * (values * weight).sum(dim=1)

    def _several(
        self, logits: Tensor, values: Tensor, allowed: Tensor, weight: Tensor | None
    ) -> Tensor:
        """(N,) binary cross entropy, added up over the values."""
        each = F.binary_cross_entropy_with_logits(logits, values, reduction="none")
        if weight is not None:
            each = each * torch.where(values > 0, weight, torch.ones_like(weight))
        return (each * allowed).sum(dim=1)
