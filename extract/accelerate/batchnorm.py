"""Batch norms multiplied into the convolutions before them, as inference allows."""

from itertools import pairwise

import torch
from torch import nn

_PAIRS = (("convolution", "normalization"), ("conv", "bn"), ("conv", "norm"))


def fold_batch_norms(network: nn.Module) -> int:
    """Fold each batch norm that directly follows a convolution, in place; how many there were.

    Pairs are found by the names that timm's and transformers' backbones give them (conv1 and bn1,
    convolution and normalization) and by their places in a `Sequential`.
    """
    folded = 0
    with torch.no_grad():
        for module in list(network.modules()):
            children = dict(module.named_children())
            for first, second in _pairs(module, list(children)):
                conv, norm = children[first], children[second]
                if isinstance(conv, nn.Conv2d) and _is_batch_norm(norm):
                    _fold(conv, norm)
                    setattr(module, second, nn.Identity())
                    folded += 1
    return folded


def _pairs(module: nn.Module, names: list[str]) -> list[tuple[str, str]]:
    if isinstance(module, nn.Sequential):
        return list(pairwise(names))
    known = set(names)
    return [
        (name, name.replace(conv, norm, 1))
        for name in names
        for conv, norm in _PAIRS
        if name.startswith(conv) and name.replace(conv, norm, 1) in known - {name}
    ]


def _is_batch_norm(module: nn.Module) -> bool:
    """Batch norms, and the frozen ones that each DETR of transformers has as a class of its own."""
    return isinstance(module, nn.BatchNorm2d) or type(module).__name__.endswith("FrozenBatchNorm2d")


def _fold(conv: nn.Conv2d, norm: nn.Module) -> None:
    weight, bias, mean, variance = (
        getattr(norm, name).double() for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight * (variance + getattr(norm, "eps", 1e-5)).rsqrt()
    before = torch.zeros_like(bias) if conv.bias is None else conv.bias.double()
    conv.weight.copy_(conv.weight.double() * scale[:, None, None, None])
    conv.bias = nn.Parameter((bias + (before - mean) * scale).to(conv.weight.dtype))
