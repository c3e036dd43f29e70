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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from extract.accelerate.processor import cpu_flags
from garmentloop.bench import Figure, Size, gpu
from garmentloop.bench.ways import DETECTOR, PARSER, PERSON, TAGGER, Child, child
from garments.mappings import mapping

CHUNK, CHUNKS = 4, 5
"""Photos that the ways take in turn, and how often."""

SLOW = ("naive", "torch")
"""Ways that take one photo of each chunk; they do not gain by company."""

TWO = "bf16 on two cores"

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
    os.environ.setdefault("XDG_CACHE_HOME", str(scratch / "cache"))
    with ExitStack() as stack:
        there = sorted(os.sched_getaffinity(0))
        cores = dict.fromkeys([*SLOW, "bf16", "int8"], there[:1]) | {TWO: there[:2]}
        ways = {
            name: stack.enter_context(child(name.partition(" ")[0], scratch, mine))
            for name, mine in cores.items()
        }
        _settle(ways, CHUNK * chunks)
        two = ways.pop(TWO)
        times = _interleaved(ways, chunks)
        yield Figure("models_photos", CHUNK * chunks, "photos", photos)
        yield from _ratios(times)
        yield from _floor(times, scratch)
        yield from _cores(ways["bf16"], two, CHUNK * chunks)
    yield from _agreement(scratch)
    yield from gpu.measure(scratch)


def _settle(ways: dict[str, Child], count: int) -> None:
    """Convert, compile and quantise.

    All photos are taken once: sizes that come often get graphs of their own, and only then the pace
    is that of a long run. The others begin with the graphs that bf16 has converted.
    """
    for name in SLOW:
        ways[name].ask("run 0 1")
    ways["bf16"].ask(f"run 0 {count}")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: ways[name].ask(f"run 0 {count}"), (TWO, "int8")))


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
    for start in range(0, CHUNK * chunks, CHUNK):
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
    from garmentloop.bench.floor import gflop, products, seconds_of

    counted = products(folder)
    work, own = gflop(counted), times["bf16"]
    pairs = zip(times["peak"], own, strict=True)
    share = 100 * statistics.median(work / peak / seconds for peak, seconds in pairs)
    units = ", ".join(sorted({"amx_bf16", "avx512_bf16"} & cpu_flags())) or "no bf16 of its own"
    yield Figure(
        "models_gflop", work, "GFLOP a photo", "folded graphs, two garments, photo of middle size"
    )
    best = statistics.median(times["peak"])
    yield Figure("models_peak", best, "GFLOP/s", f"bf16, by torch, one core with {units}")
    note = "of that speed, by bf16; at least 85 wanted"
    yield Figure("models_floor", share, "%", note)
    note = "of bf16's time, if each product is made by itself by torch"
    alone = 100 * seconds_of(counted) / statistics.median(own)
    yield Figure("models_products", alone, "%", note)


def _cores(one: Child, two: Child, count: int) -> Iterator[Figure]:
    """The same photos on one core and on two, in turn."""
    if len(os.sched_getaffinity(0)) < 2:
        yield Figure("models_two_cores", 0, "times one", "skipped: only one core here")
        return
    half = min(2 * CHUNK, count)
    ratios = []
    for start in (0, count - half, 0, count - half, 0):
        order = f"run {start} {start + half}"
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
