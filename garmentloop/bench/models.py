"""Published architectures at their real size against the naive way of running them.

DETR-ResNet-50, SegFormer-B2 and ViT-B/32 with random weights, since weights change no speed, on
photos of Clothing Co-Parsing where they are present, else on drawn ones. Each way is a process of
its own, pinned to one core, and all are given the same JPEG photos in turn, so that whatever else
the machine does hits all of them. The naive way asks transformers' pipelines and open_clip one
photo at a time, with the texts kept; ours hands the same photos to `detect`, `parse` and `tag`
together. The floor is what the graphs' operations would take at the speed of large matrices.
"""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from extract.accelerate.processor import cpu_flags
from garmentloop.bench import Figure, Size
from garmentloop.bench.ways import DETECTOR, PARSER, PERSON, TAGGER, Child, child
from garments.mappings import mapping

CHUNK, CHUNKS = 4, 6
"""Photos that the ways take in turn, and how often."""

PATIENCE = 300.0
"""Seconds of measuring after which no further chunk is begun; five are always measured."""

SLOW = ("naive", "torch")
"""Ways that take one photo of each chunk; they do not gain by company."""

PHOTO_SIZE = (550, 830)
"""Width and height of drawn photos: about those of Clothing Co-Parsing."""

LEAST = (440, 815)
"""Width and height that a real photo must have for what is cut out of it."""

CCP = Path("../shared/data/ccp/photos")
CLOTHES = mapping("atr").labels
"""What the SegFormer that is measured tells apart."""

NEEDED = frozenset({"avx512_bf16", "avx512_vnni"})
"""What a processor must have for the ratios to be of the kind that was promised."""

WANTED = {
    "bf16": "at least 4.5 wanted",
    "int8": "at least 7 wanted; random weights have nothing to lose",
    "torch": "bf16 weights, without OpenVINO",
}
"""Ways whose ratio to the naive one is told, and what is wanted of it."""

Times = dict[str, list[float]]


def measure(scratch: Path, size: Size) -> Iterator[Figure]:
    """Ratios, the floor, and two cores against one; about six minutes."""
    chunks = min(CHUNKS, max(2, size.reference_photos // CHUNK))
    photos = write_photos(scratch / "photos", CHUNK * chunks)
    save_checkpoints(scratch)
    core = min(os.sched_getaffinity(0))
    names = [*SLOW, "bf16", "int8"]
    os.environ.setdefault("XDG_CACHE_HOME", str(scratch / "cache"))
    with ExitStack() as stack:
        ways = {n: stack.enter_context(child(n, scratch, [core])) for n in names}
        times = _interleaved(ways, chunks)
    yield Figure("models_photos", CHUNK * len(times["bf16"]), "photos", photos)
    yield from _ratios(times)
    yield from _floor(times, scratch)
    yield from _cores(scratch, size)
    yield from _agreement(scratch)


def write_photos(folder: Path, count: int) -> str:
    """JPEG files, real ones where they are present; what they are."""
    from garments.images import encode_jpeg
    from garments.synthetic import draw_street

    folder.mkdir(parents=True)
    chosen = [path.read_bytes() for path in islice(filter(_is_large, sorted(CCP.glob("*"))), count)]
    for number in range(count):
        if number >= len(chosen):
            drawn = draw_street(number, size=PHOTO_SIZE, people=1)
            chosen.append(encode_jpeg(drawn.pixels))
        (folder / f"{number:03d}.jpg").write_bytes(chosen[number])
    what = "Clothing Co-Parsing" if CCP.is_dir() else "drawn photos"
    return f"{what}; DETR-ResNet-50, SegFormer-B2, ViT-B/32, random weights, one pinned core"


def _is_large(path: Path) -> bool:
    from garments.images import size_of

    return all(a >= b for a, b in zip(size_of(path.read_bytes()), LEAST, strict=True))


def save_checkpoints(folder: Path) -> None:
    """Write the models at their real size, with random weights; every class is a person."""
    import torch

    from garmentloop.bench.tagging import save_vit

    transformers: Any = import_module("transformers")
    torch.manual_seed(0)
    detector, parser = folder / DETECTOR, folder / PARSER
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
    save_vit(folder / TAGGER)


def _interleaved(ways: dict[str, Child], chunks: int) -> Times:
    """Seconds a photo by way, and the peaks, one measurement a chunk."""
    times: Times = {name: [] for name in ways}
    times["peak"] = []
    deadline = time.perf_counter() + PATIENCE
    for start in range(0, CHUNK * chunks, CHUNK):
        if start >= 5 * CHUNK and time.perf_counter() > deadline:
            break
        for name, way in ways.items():
            count = 1 if name in SLOW else CHUNK
            times[name].append(way.ask(f"run {start} {start + count}") / count)
        times["peak"].append(ways["bf16"].ask("peak"))
    return times


def _ratios(times: Times) -> Iterator[Figure]:
    lacking = NEEDED - cpu_flags()
    words = {"naive": "pipelines, texts kept", "torch": "without OpenVINO, automatic precision"}
    for name in (name for name in times if name != "peak"):
        note = words.get(name, f"OpenVINO, {name}")
        yield Figure(f"models_{name}", 1 / statistics.median(times[name]), "photos/s", note)
    if lacking:
        yield Figure("models_ratio", 0, "times", f"skipped: no {', '.join(sorted(lacking))} here")
        return
    for name, goal in WANTED.items():
        pairs = zip(times["naive"], times[name], strict=True)
        ratio = statistics.median(naive / own for naive, own in pairs)
        note = f"median of {len(times[name])}; {goal}"
        yield Figure(f"models_ratio_{name}", ratio, "times naive", note)


def _floor(times: Times, folder: Path) -> Iterator[Figure]:
    work = flops(folder) / 1e9
    best = statistics.median(times["peak"])
    units = ", ".join(sorted({"amx_bf16", "avx512_bf16"} & cpu_flags())) or "no bf16 of its own"
    share = 100 * work / best / statistics.median(times["bf16"])
    yield Figure("models_gflop", work, "GFLOP a photo", "folded graphs, two garments")
    yield Figure("models_peak", best, "GFLOP/s", f"bf16, large matrices, one core with {units}")
    yield Figure("models_floor", share, "%", "of that speed, by bf16; at least 85 wanted")


def flops(folder: Path) -> float:
    """Operations of the graphs for one photo (a multiplication with an addition counts as two)."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from garmentloop.bench.ways import Ours

    ours = Ours(folder, "torch", "fp32")
    photo = next((folder / "photos").iterdir()).read_bytes()
    ours.run([photo])  # reads the texts
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        ours.run([photo])
    return float(counter.get_total_flops())


def _cores(folder: Path, size: Size) -> Iterator[Figure]:
    """The same photos on one core and on two, in turn."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        yield Figure("models_two_cores", 0, "times one", "skipped: only one core here")
        return
    count = min(2 * CHUNK, len(list((folder / "photos").iterdir())))
    ratios = []
    with child("bf16", folder, cores[:1]) as one, child("bf16", folder, cores) as two:
        for _ in range(5 if size.reference_photos >= CHUNKS * CHUNK else 1):
            order = f"run 0 {count}"
            ratios.append(one.ask(order) / two.ask(order))
    note = f"bf16, median of {len(ratios)}; at least 1.8 wanted"
    yield Figure("models_two_cores", statistics.median(ratios), "times one", note)


def _agreement(folder: Path) -> Iterator[Figure]:
    """Our boxes and label maps in fp32 against transformers' processors on the same weights."""
    import torch

    from extract.letterbox import person_crop
    from garmentloop.bench.ways import Naive, Ours
    from garments.images import decode

    naive, ours = Naive(folder), Ours(folder, precision="fp32")
    image = decode(next((folder / "photos").iterdir()).read_bytes()).pixels
    crop = person_crop(image, PERSON)[0]
    (found,) = ours.detector.detect([image])
    with torch.inference_mode():
        processor = naive.detect.image_processor
        outputs = naive.detect.model(**processor(image, return_tensors="pt"))
        (answer,) = processor.post_process_object_detection(
            outputs, threshold=0.0, target_sizes=[image.shape[:2]]
        )
        processor = naive.parse.image_processor
        outputs = naive.parse.model(**processor([crop], return_tensors="pt"))
        (labels,) = processor.post_process_semantic_segmentation(
            outputs, target_sizes=[crop.shape[:2]]
        )
    gaps = np.abs(answer["boxes"].numpy()[:, None] - found.boxes[None]).max(axis=2)
    # each box's nearest: scores tie
    worst = float(gaps.min(axis=1).max())
    equal = float((labels.numpy() == ours.parser.label_maps(crop[None])[0]).mean())
    yield Figure("models_box_difference", worst, "px", "fp32, largest, to transformers")
    yield Figure("models_labels_equal", equal, "of pixels", "fp32, to transformers")
