"""Published architectures at their real size against the naive way of running them.

DETR-ResNet-50 and SegFormer-B2 with random weights, since weights change no speed. Both ways are
given the same JPEG photos in turn, so that whatever else the machine does hits both: the naive
way asks transformers' pipelines one photo at a time, ours hands the same photos to `detect` and
`parse` together. Random weights find nobody, so both ways cut one fixed box out of each photo.
"""

import io
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from garmentloop.bench import Figure, Size
from garments.boxes import Box
from garments.mappings import mapping

if TYPE_CHECKING:
    from extract.base import Pixels

CHUNK = 4
"""Photos that the ways take in turn."""

PATIENCE = 240.0
"""Seconds of measuring after which no further chunk is begun; two are always measured."""

PHOTO_SIZE = (550, 830)
"""Width and height of the photos: those of Clothing Co-Parsing."""

PERSON = Box(120, 20, 430, 810)
CLOTHES = mapping("atr").labels
"""What the SegFormer that is measured tells apart."""


@dataclass(frozen=True)
class Way:
    """One way of doing the work: `run` takes encoded photos and answers with person boxes."""

    name: str
    run: Callable[[Sequence[bytes]], object]


def bench_models(folder: Path, photos: int = 24) -> dict[str, Any]:
    """Seconds a photo of each way, medians over chunks, and how well the answers agree.

    `folder` is for the checkpoints (300 MB); about two minutes on two idle cores. Keys:
    `photos`, `engine`, and `naive`, `ours`, `ours_bf16`, `ours_torch` (seconds a photo),
    `ratio`, `ratio_bf16`, `ratio_torch` (against naive), `box_difference` (largest, in pixels),
    `labels_equal` (share of pixels).
    """
    detector, parser = save_checkpoints(folder)
    count = max(1, round(photos / CHUNK)) * CHUNK
    encoded = [_street(seed) for seed in range(count)]
    naive = _Naive(detector, parser)
    ours = {
        "ours": _Ours(detector, parser),
        "ours_bf16": _Ours(detector, parser, precision="bf16"),
        "ours_torch": _Ours(detector, parser, engine="torch"),
    }
    ways = [Way("naive", naive.run), *(Way(name, one.run) for name, one in ours.items())]
    seconds = _interleaved(ways, encoded)
    medians: dict[str, Any] = {name: statistics.median(times) for name, times in seconds.items()}
    ratios = {
        name.replace("ours", "ratio"): statistics.median(
            a / b for a, b in zip(seconds["naive"], seconds[name], strict=True)
        )
        for name in ours
    }
    agreement = _agreement(naive, ours["ours"], encoded[:CHUNK])
    about = {"photos": len(seconds["naive"]) * CHUNK, "engine": ours["ours"].detector.engine.name}
    return about | medians | ratios | agreement


def measure(scratch: Path, size: Size) -> Iterator[Figure]:
    """The benchmark as figures; see `bench_models`."""
    found = bench_models(scratch, size.reference_photos)
    note = "DETR-ResNet-50 and SegFormer-B2, random weights"
    yield Figure("models_photos", found["photos"], "photos", note)
    yield Figure("models_naive", 1 / found["naive"], "photos/s", "pipelines, one photo at a time")
    for name, words in (
        ("ours", found["engine"]),
        ("ours_torch", "without OpenVINO"),
        ("ours_bf16", "precision bf16"),
    ):
        yield Figure(f"models_{name}", 1 / found[name], "photos/s", words)
        yield Figure(
            f"models_{name.replace('ours', 'ratio')}",
            found[name.replace("ours", "ratio")],
            "times naive",
            words,
        )
    yield Figure("models_box_difference", found["box_difference"], "px", "largest, to transformers")
    yield Figure("models_labels_equal", found["labels_equal"], "of pixels", "to transformers")


def save_checkpoints(folder: Path) -> tuple[Path, Path]:
    """Write both checkpoints at their real size, with random weights; every class is a person."""
    import torch

    transformers: Any = import_module("transformers")
    torch.manual_seed(0)
    detector, parser = folder / "detr-resnet-50", folder / "segformer-b2"
    classes = dict.fromkeys(range(91), "person")
    detr = transformers.DetrConfig(use_timm_backbone=True, backbone="resnet50", id2label=classes)
    transformers.DetrForObjectDetection(detr).save_pretrained(detector)
    transformers.DetrImageProcessor().save_pretrained(detector)
    segformer = transformers.SegformerConfig(
        depths=[3, 4, 6, 3],
        hidden_sizes=[64, 128, 320, 512],
        decoder_hidden_size=768,
        id2label=dict(enumerate(CLOTHES)),
    )
    transformers.SegformerForSemanticSegmentation(segformer).save_pretrained(parser)
    transformers.SegformerImageProcessor().save_pretrained(parser)
    return detector, parser


class _Naive:
    """What a user writes after reading the two model cards."""

    def __init__(self, detector: Path, parser: Path) -> None:
        pipeline: Any = import_module("transformers").pipeline
        self.detect = pipeline("object-detection", model=str(detector), device="cpu")
        self.parse = pipeline("image-segmentation", model=str(parser), device="cpu")

    def run(self, photos: Sequence[bytes]) -> list[dict[str, Any]]:
        """Regions by label for each photo."""
        return [self._one(photo) for photo in photos]

    def _one(self, photo: bytes) -> dict[str, Any]:
        from PIL import Image

        from extract.letterbox import person_crop

        image = Image.open(io.BytesIO(photo)).convert("RGB")
        self.detect(image)
        crop, _ = person_crop(np.asarray(image), PERSON)
        segments = self.parse(Image.fromarray(crop))
        return {segment["label"]: segment["mask"].getbbox() for segment in segments}


class _Ours:
    """The same work by the interfaces that `extract` uses."""

    def __init__(self, detector: Path, parser: Path, **options: Any) -> None:
        from extract.models import load_detector, load_parser

        self.detector: Any = load_detector(f"dir:{detector}", "cpu", floor=0.0, **options)
        self.parser: Any = load_parser(f"dir:{parser}", "cpu", **options)

    def run(self, photos: Sequence[bytes]) -> list[dict[int, tuple[int, int]]]:
        """Regions by part for each photo, at the parser's own resolution."""
        from garments.images import decode

        images = [decode(photo).pixels for photo in photos]
        self.detector.detect(images)
        parts = self.parser.parse(_crops(images)).argmax(axis=1)
        return [
            {int(part): (labels == part).nonzero()[0][[0, -1]] for part in np.unique(labels)}
            for labels in parts
        ]


def _interleaved(ways: Sequence[Way], photos: Sequence[bytes]) -> dict[str, list[float]]:
    """Seconds a photo by way, one measurement a chunk; the first photo warms every way up."""
    seconds: dict[str, list[float]] = {way.name: [] for way in ways}
    deadline = time.perf_counter() + PATIENCE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pipelines advise batches, which are slower on a CPU
        for way in ways:
            way.run(photos[:1])
        for start in range(0, len(photos), CHUNK):
            if start >= 2 * CHUNK and time.perf_counter() > deadline:
                break
            chunk = photos[start : start + CHUNK]
            for way in ways:
                began = time.perf_counter()
                way.run(chunk)
                seconds[way.name].append((time.perf_counter() - began) / len(chunk))
    return seconds


def _agreement(naive: _Naive, ours: _Ours, photos: Sequence[bytes]) -> dict[str, float]:
    """Our boxes and label maps against transformers' processors on the same weights."""
    import torch

    from garments.images import decode

    images = [decode(photo).pixels for photo in photos]
    crops = _crops(images)
    worst = 0.0
    with torch.inference_mode():
        for image, found in zip(images, ours.detector.detect(images), strict=True):
            processor = naive.detect.image_processor
            outputs = naive.detect.model(**processor(image, return_tensors="pt"))
            answer = processor.post_process_object_detection(
                outputs, threshold=0.0, target_sizes=[image.shape[:2]]
            )[0]
            gaps = np.abs(answer["boxes"].numpy()[:, None] - found.boxes[None]).max(axis=2)
            worst = max(worst, float(gaps.min(axis=1).max()))  # each box's nearest: scores tie
        processor = naive.parse.image_processor
        outputs = naive.parse.model(**processor(list(crops), return_tensors="pt"))
        maps = processor.post_process_semantic_segmentation(
            outputs, target_sizes=[crops.shape[1:3]] * len(crops)
        )
    equal = float((torch.stack(maps).numpy() == ours.parser.label_maps(crops)).mean())
    return {"box_difference": worst, "labels_equal": equal}


def _crops(images: "Sequence[Pixels]") -> NDArray[np.uint8]:
    from extract.letterbox import person_crop

    return np.stack([person_crop(image, PERSON)[0] for image in images])


def _street(seed: int) -> bytes:
    from garments.images import encode_jpeg
    from garments.synthetic import draw_street

    return encode_jpeg(draw_street(seed, size=PHOTO_SIZE, people=1).pixels)
