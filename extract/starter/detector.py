"""The starter detector: an anchor-free person detector on the narrow ResNet."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from extract.accelerate.compute import Compute
from extract.accelerate.engines import Inputs, Runner, Work, noise
from extract.accelerate.normalised import FromPixels
from extract.base import Detections, Pixels
from extract.letterbox import PADDING
from extract.starter.blocks import WIDTHS, Encoder, Fuse, conv_bn, fold_batch_norms, load_weights
from garments.errors import UnfitModel
from garments.modelfolder import read_config, weights_hash

STRIDE = 8
"""Pixels between neighbouring predictions."""

UNIT = 24.0
"""Distance in pixels that a regression output of 0 stands for."""

ENCODER_STRIDE = 32
MOST_BOXES = 100


class DetectorNet(nn.Module):
    """Scores and box distances at stride 8, as FCOS does (Tian et al., 2019, arXiv 1904.01355).

    One level is enough: people that matter fill a quarter of the photo's height or more.
    """

    def __init__(self, channels: int = 96) -> None:
        """`channels` in the neck and in the head."""
        super().__init__()
        self.encoder = Encoder()
        self.coarse = Fuse(WIDTHS[4], WIDTHS[3], 128)
        self.fine = Fuse(128, WIDTHS[2], channels)
        self.tower = nn.Sequential(conv_bn(channels, channels), conv_bn(channels, channels))
        self.score = nn.Conv2d(channels, 1, 1)
        self.distance = nn.Conv2d(channels, 4, 1)
        nn.init.constant_(self.score.bias, -4.0)  # type: ignore[arg-type]  # few places hold a person
        nn.init.zeros_(self.distance.bias)  # type: ignore[arg-type]

    def features(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 255], multiples of 32 -> (N, channels, H / 8, W / 8)."""
        maps = self.encoder(pixels)
        return self.fine(self.coarse(maps[4], maps[3]), maps[2])  # type: ignore[no-any-return]

    def heads(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features -> logits (N, h, w) and distances left, top, right, bottom (N, h, w, 4) px."""
        x = self.tower(features)
        distance = torch.exp(self.distance(x).float().clamp(-5, 5)) * UNIT
        return self.score(x).float()[:, 0], distance.permute(0, 2, 3, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, H, W) -> logits (N, H / 8, W / 8), distances (N, H / 8, W / 8, 4)."""
        return self.heads(self.features(pixels))


def cell_centres(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Centres (height, width, 2) of the prediction cells, xy in input pixels."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    return (torch.stack([x, y], dim=-1).float() + 0.5) * STRIDE


def to_boxes(distances: Tensor) -> Tensor:
    """Distances (N, h, w, 4) around their cells -> xyxy boxes (N, h, w, 4) in input pixels."""
    centres = cell_centres(distances.shape[1], distances.shape[2], distances.device)
    return torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], dim=-1)


class StarterDetector:
    """`Detector` over `DetectorNet`."""

    def __init__(
        self,
        net: nn.Module,
        reference: str,
        fingerprint: str,
        compute: Compute | None = None,
        longest: int = 384,
        threshold: float = 0.05,
        overlap: float = 0.55,
    ) -> None:
        """`longest` input side in pixels; lowest score kept; IoU above which one box wins."""
        self.reference = reference
        compute = (compute or Compute()).for_starter()
        self.fingerprint = compute.identity(f"{fingerprint}-{longest}-{threshold}-{overlap}")
        self.runner = Runner(Work(FromPixels(net), _examples, name=reference), compute)
        self._longest, self._threshold, self._overlap = longest, threshold, overlap

    @classmethod
    def load(
        cls, folder: Path, compute: Compute | None = None, reference: str = "starter"
    ) -> "StarterDetector":
        """Read `model.safetensors` and `config.json` of a folder that `finetune detector` wrote."""
        config = read_config(folder)
        if config.kind != "detector":
            raise UnfitModel(
                f"expected a detector in {folder}, but it holds a {config.kind}; "
                "train one with `garmentloop finetune detector`"
            )
        net = load_weights(DetectorNet(), folder)
        known = ("longest", "threshold", "overlap")
        settings = {key: config.settings[key] for key in known if key in config.settings}
        return cls(
            fold_batch_norms(net.eval()), reference, weights_hash(folder), compute, **settings
        )

    def detect(self, images: Sequence[Pixels]) -> list[Detections]:
        """See `extract.base.Detector`.

        Each image by itself, because convolutions round differently in batches of another size,
        and what a photo gives must not depend on which photos came with it.
        """
        if not images:  # so that no engine is built
            return []
        answers = self.runner.run((self._prepared(image),) for image in images)
        return [self._found(*pair) for pair in zip(images, answers, strict=True)]

    def _prepared(self, image: Pixels) -> Tensor:
        return torch.from_numpy(_resized(image, self._scale(image))).permute(2, 0, 1)[None]

    def _scale(self, image: Pixels) -> float:
        return self._longest / max(image.shape[:2])

    @torch.inference_mode()
    def _found(self, image: Pixels, answer: Inputs) -> Detections:
        logits, distances = answer
        scores, boxes = logits.sigmoid().flatten(), to_boxes(distances).flatten(0, 2)
        kept, sure = self._kept(boxes, scores)
        return _on_photo(kept / self._scale(image), sure, image.shape)

    def _kept(
        self, boxes: Tensor, scores: Tensor
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        likely = scores > self._threshold
        boxes, scores = boxes[likely], scores[likely]
        order = suppressed(boxes.numpy(), scores.numpy(), self._overlap)[:MOST_BOXES]
        return boxes[order].numpy(), scores[order].numpy()


def suppressed(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float
) -> NDArray[np.intp]:
    """Indices of the xyxy boxes (N, 4) that stay, best score first: non-maximum suppression.

    By OpenCV: torchvision's takes a second and a half to import.
    """
    if not len(boxes):
        return np.zeros(0, np.intp)
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    found = cv2.dnn.NMSBoxes(sized.tolist(), scores.tolist(), 0.0, overlap)
    return np.asarray(found, np.intp)


def _examples(batch: int) -> tuple[Inputs, Inputs]:
    """Inputs of two sizes."""
    tall, wide = (
        (noise((batch, 3, *size), seed, torch.zeros(0, dtype=torch.uint8)),)
        for seed, size in enumerate(((384, 288), (256, 384)))
    )
    return tall, wide


def _resized(image: Pixels, scale: float) -> Pixels:
    """Scale an image and pad it at the right and bottom to multiples of 32."""
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    inner = cv2.resize(image, (width, height), interpolation=method)
    padded = [-(-side // ENCODER_STRIDE) * ENCODER_STRIDE for side in (height, width)]
    canvas = np.full((*padded, 3), PADDING, np.uint8)
    canvas[:height, :width] = inner
    return canvas


def _on_photo(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], shape: tuple[int, ...]
) -> Detections:
    height, width = shape[:2]
    clipped = np.clip(boxes, 0, (width, height, width, height)).astype(np.float32)
    solid = ((clipped[:, 2:] - clipped[:, :2]) >= 1).all(axis=1)
    return Detections(clipped[solid], scores[solid].astype(np.float32))
