"""The models at their real size on a GPU: pace, share of its peak, and where the rest goes."""

import time
from collections.abc import Iterator
from pathlib import Path

import torch

from garmentloop.bench import Figure
from garmentloop.bench.floor import gflop, peak, products
from garmentloop.bench.ways import Ours

PHOTOS, WARM, MATRIX = 64, 3, 8192
"""Photos that are taken at once; rounds in which networks are compiled; side of large matrices."""

WORDS = {
    "decode": "JPEG to pixels, by the processor",
    "detect": "resizing by the processor, DETR, boxes",
    "crop": "people and garments cut out, by the processor",
    "parse": "SegFormer, parts",
    "tag": "ViT-B/32 for two garments",
}


def measure(folder: Path, device: str = "cuda", photos: int = PHOTOS) -> Iterator[Figure]:
    """Figures `gpu_...` of what `models.save_checkpoints` and `write_photos` wrote."""
    if device == "cuda" and not torch.cuda.is_available():
        yield Figure("gpu_photos_per_second", 0, "photos/s", "skipped: no GPU here")
        return
    files = sorted((folder / "photos").iterdir())
    taken = [files[index % len(files)].read_bytes() for index in range(photos)]
    ours = Ours(folder, device=device)
    for _ in range(WARM):
        seconds = stages(ours, taken)
    total = sum(seconds.values())
    work, best = gflop(products(folder)), peak(device, MATRIX)
    yield Figure("gpu_photos_per_second", photos / total, "photos/s", f"{photos} at once, bf16")
    yield Figure("gpu_peak", best, "GFLOP/s", f"bf16, matrices of up to {MATRIX}")
    yield Figure("gpu_share", 100 * work * photos / total / best, "%", "of that speed")
    for name, words in WORDS.items():
        share = 100 * seconds[name] / total
        note = f"{share:.0f} %; {words}"
        yield Figure(f"gpu_{name}", 1000 * seconds[name] / photos, "ms a photo", note)


def stages(ours: Ours, photos: list[bytes]) -> dict[str, float]:
    """Seconds of each step; a model's answers are on the processor when it returns."""
    marks = {"": time.perf_counter()}
    ours.run(photos, lambda step: marks.update({step: time.perf_counter()}))
    return {step: marks[step] - before for step, before in zip(WORDS, marks.values(), strict=False)}
