"""One way of finding, parsing and tagging, in a process of its own on cores of its own.

`python -m garmentloop.bench.ways NAME FOLDER CORE...` keeps to these cores and obeys lines on its
standard input: `run A B` takes photos A to B of FOLDER and answers with the seconds; `peak` answers
with the billions of operations a second that multiplying matrices reaches (bf16, torch).
"""

import io
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np

from garments.boxes import Box
from garments.errors import GarmentLoopError
from garments.tagger import Crop

DETECTOR, PARSER, TAGGER = "detr-resnet-50", "segformer-b2", "vit-b-32"
PERSON = Box(120, 20, 430, 810)
GARMENTS = (Box(130, 120, 420, 400), Box(140, 380, 410, 720))
"""Random weights find nobody, so each way cuts these out of each photo, xyxy pixels."""

HELPED = 1.05
"""Seconds of cores for each second on a core from which on others must have helped."""

QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}


@dataclass
class Child:
    """A way that runs in a process of its own."""

    process: "subprocess.Popen[str]"
    out: IO[str]
    into: IO[str]

    def ask(self, line: str) -> float:
        """Give an order; the number that comes back."""
        self.into.write(line + "\n")
        self.into.flush()
        if not (answer := self.out.readline()):
            raise GarmentLoopError(f"expected an answer to {line!r}, but the process has ended")
        return float(answer)


@contextmanager
def child(name: str, folder: Path, cores: Sequence[int]) -> Iterator[Child]:
    """Start a way on some cores; the process ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__, name, str(folder), *map(str, cores)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **QUIET, "OMP_NUM_THREADS": str(len(cores))},
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield Child(process, process.stdout, process.stdin)
        finally:
            process.stdin.close()


class Naive:
    """What a user writes after reading the three model cards, with the texts kept."""

    def __init__(self, folder: Path) -> None:
        from garmentloop.bench.tagging import Naive as NaiveTagger
        from garmentloop.bench.tagging import categories

        pipeline: Any = import_module("transformers").pipeline
        self.detect = pipeline("object-detection", model=str(folder / DETECTOR), device="cpu")
        self.parse = pipeline("image-segmentation", model=str(folder / PARSER), device="cpu")
        self.tagger = NaiveTagger(folder / TAGGER, categories())
        self.texts = self.tagger.read_texts()

    def run(self, photos: Sequence[bytes]) -> None:
        """Regions by label and tags of each photo, one photo at a time."""
        for photo in photos:
            self._one(photo)

    def _one(self, photo: bytes) -> None:
        from PIL import Image

        from extract.letterbox import person_crop

        image = Image.open(io.BytesIO(photo)).convert("RGB")
        self.detect(image)
        person, _ = person_crop(np.asarray(image), PERSON)
        for segment in self.parse(Image.fromarray(person)):
            segment["mask"].getbbox()
        for box in GARMENTS:
            self.tagger.tag(Crop(cut(np.asarray(image), box)), self.texts)


class Ours:
    """The same work by the interfaces that `extract` and `prelabel` use."""

    def __init__(
        self,
        folder: Path,
        engine: str = "auto",
        precision: str = "auto",
        padded: bool | None = None,
        device: str = "cpu",
    ) -> None:
        """`padded` as for `HFDetector`."""
        from annotate.taggers import load_tagger
        from extract.models import load_detector, load_parser
        from garmentloop.bench.tagging import categories
        from garments.settings import SpeedSettings

        speed = SpeedSettings.model_validate({"engine": engine, "precision": precision})
        detector, parser, tagger = (f"dir:{folder / name}" for name in (DETECTOR, PARSER, TAGGER))
        options = {"floor": 0.0, "padded": padded}
        self.detector: Any = load_detector(detector, device, engine, precision, **options)
        self.parser: Any = load_parser(parser, device, engine, precision)
        self.tagger: Any = load_tagger(tagger, categories(), device=device, speed=speed)

    def run(self, photos: Sequence[bytes], done: Callable[[str], None] = lambda step: None) -> None:
        """Regions by part, at the parser's own resolution, and tags of each photo, together.

        `done` is told the name of each step after it.
        """
        from extract.letterbox import person_crop
        from garments.images import decode

        images = [decode(photo).pixels for photo in photos]
        done("decode")
        self.detector.detect(images)
        done("detect")
        people = np.stack([person_crop(image, PERSON)[0] for image in images])
        crops = [Crop(cut(image, box)) for image in images for box in GARMENTS]
        done("crop")
        for parts in self.parser.parse(people).argmax(axis=1):
            for part in np.unique(parts):
                (parts == part).nonzero()[0][[0, -1]]
        done("parse")
        self.tagger.tag(crops)
        done("tag")

    def in_int8(self, photos: Sequence[bytes]) -> "Ours":
        """The same, quantised by these photos: with random weights there is no loss to measure."""
        from extract.accelerate.int8 import quantise

        runners = [one.runner for one in (self.detector, self.parser, self.tagger)]
        for runner in runners:
            runner.heard = []
        self.run(photos)
        for runner in runners:
            quantise(runner)
        return self


def cut(pixels: Any, box: Box) -> Any:
    """What lies in a box, its pixels beside one another in memory."""
    x1, y1, x2, y2 = map(int, box)
    return np.ascontiguousarray(pixels[y1:y2, x1:x2])


def _way(name: str, folder: Path, photos: Sequence[bytes]) -> Callable[[Sequence[bytes]], None]:
    if name == "naive":
        return Naive(folder).run
    if name == "int8":
        return Ours(folder, "openvino", "fp32", padded=True).in_int8(photos[:2]).run
    if name == "torch":
        return Ours(folder, "torch").run
    return Ours(folder, "auto", "auto").run


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, by the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@dataclass
class _Obedient:
    """The child's side."""

    name: str
    folder: Path
    photos: list[bytes] = field(default_factory=list)

    def obey(self, orders: IO[str], answers: IO[str]) -> None:
        self.photos = [path.read_bytes() for path in sorted((self.folder / "photos").iterdir())]
        run = _way(self.name, self.folder, self.photos)
        for order in orders:
            word, *told = order.split()
            numbers = [*map(int, told)]
            if word == "peak":
                from garmentloop.bench.floor import peak

                answer = peak()
            else:
                chosen = self.photos[slice(*numbers)]
                answer = _on_our_cores(partial(run, chosen))
            print(answer, file=answers, flush=True)


def _on_our_cores(work: Callable[[], None]) -> float:
    """Seconds of work; `GarmentLoopError` if other cores helped, which would flatter it."""
    spent, cores = time.process_time(), len(os.sched_getaffinity(0))
    took = seconds(work)
    spent = time.process_time() - spent
    if spent > HELPED * cores * took:
        raise GarmentLoopError(
            f"expected the work of {cores} cores, but {spent:.2f} s of cores were spent in "
            f"{took:.2f} s; threads have left the cores that the process was started on"
        )
    return took


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # pipelines advise batches, which are slower on a CPU
    # Before OpenVINO is loaded: its threads return to the cores that there were then.
    os.sched_setaffinity(0, map(int, sys.argv[3:]))
    real, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    _Obedient(sys.argv[1], Path(sys.argv[2])).obey(sys.stdin, real)
