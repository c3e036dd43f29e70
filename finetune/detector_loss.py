"""The starter detector's loss."""

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import generalized_box_iou_loss

from extract.starter.detector import cell_centres, to_boxes

CENTRE = 0.22
"""A cell belongs to a person when it lies in the middle of the box: this share to each side."""

REACH = 8.0
"""At least this many pixels around the middle count too, so that small people get a cell."""


def assign(boxes: Tensor, height: int, width: int) -> Tensor:
    """Box index (N, height, width) of each cell, -1 for none; `boxes` (N, M, 4), NaN = absent.

    Of several people that claim a cell the smaller one gets it, as in FCOS.
    """
    centres = cell_centres(height, width, boxes.device)[None, :, :, None]
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    reach = ((boxes[..., 2:] - boxes[..., :2]) * CENTRE).clamp(min=REACH)
    inside = ((centres - middle[:, None, None]).abs() <= reach[:, None, None]).all(dim=-1)
    areas = (boxes[..., 2:] - boxes[..., :2]).prod(dim=-1)[:, None, None]
    claimed = torch.where(inside, areas.expand(inside.shape), torch.inf)
    smallest, index = claimed.min(dim=-1)
    return torch.where(torch.isfinite(smallest), index, -1)


def detection_loss(
    logits: Tensor, distances: Tensor, boxes: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Score loss and box loss of one batch.

    Scores (N, h, w) learn the IoU of their own box (quality focal loss, Li et al., 2020,
    arXiv 2006.04388); distances (N, h, w, 4) learn by generalised IoU (Rezatofighi et al., 2019,
    arXiv 1902.09630). `boxes` (N, M, 4) xyxy pixels, NaN-padded; `weights` (N, h, w) say how far
    an empty cell may be trusted.
    """
    owners = assign(boxes, logits.shape[1], logits.shape[2])
    wanted = owners >= 0
    predicted = to_boxes(distances)[wanted]
    sample = torch.nonzero(wanted)[:, 0]
    truth = boxes[sample, owners[wanted]]
    quality = torch.zeros_like(logits)
    box_loss = logits.sum() * 0
    if len(truth):
        loss = generalized_box_iou_loss(predicted, truth)
        iou = _iou(predicted.detach(), truth)
        box_loss = (loss * iou.clamp(min=0.1)).sum() / iou.clamp(min=0.1).sum()
        quality[wanted] = iou
    focal = (quality - logits.sigmoid()).abs().square()
    entropy = F.binary_cross_entropy_with_logits(logits, quality, reduction="none")
    trusted = torch.where(wanted, 1.0, weights)
    score_loss = (focal * entropy * trusted).sum() / max(1, len(truth))
    return score_loss, box_loss


def _iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes pair by pair, (K, 4) each -> (K,)."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    common = (high - low).clamp(min=0).prod(dim=1)
    union = (a[:, 2:] - a[:, :2]).prod(dim=1) + (b[:, 2:] - b[:, :2]).prod(dim=1) - common
    return common / union.clamp(min=1e-6)
