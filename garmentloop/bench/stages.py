"""Where extraction's time goes with the starter models: milliseconds a photo of each stage.

One process, one core, one photo after the other, so that the stages can be told apart: each is the
function that `extract` runs in its threads. What the models take is measured in a whole run, what
the catalogue takes is that run less everything else. Seconds are the processor's, which others on
the machine change less.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from extract.base import Detector, Parser
from garmentloop.bench import Figure, Size
from garmentloop.bench.extraction import copies, draw
from garments.dataset import Dataset
from garments.settings import Settings

MODELS = ("detect", "parse")
WORDS = {
    "read": "file read, decoded, identified, perceptual hash",
    "detect": "starter detector",
    "judge": "framing, person crops",
    "parse": "starter parser, mirror image too",
    "masks": "parts enlarged to the photo, garments, run lengths",
    "write": "garment crops and preview as JPEG",
    "catalogue": "threads, files, rows, the rest of a whole run",
}


class Watch:
    """Seconds of the processor by stage, of the thread that waits for it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Count what happens in the block to a stage."""
        began = time.thread_time()
        try:
            yield
        finally:
            self.seconds[stage] += time.thread_time() - began


class Timed:
    """A detector or a parser that is watched."""

    def __init__(self, model: Any, watch: Watch, stage: str) -> None:
        self._model, self._watch, self._stage = model, watch, stage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def detect(self, images: Sequence[Any]) -> Any:
        """See `Detector`."""
        with self._watch.on(self._stage):
            return self._model.detect(images)

    def parse(self, crops: Any) -> Any:
        """See `Parser`."""
        with self._watch.on(self._stage):
            return self._model.parse(crops)


def measure(scratch: Path, size: Size) -> Iterator[Figure]:
    """Figures `stage_...`, and the share of time outside the models."""
    count = size.stage_photos
    photos = copies(draw(scratch / "street"), scratch / "photos", count)
    everybody = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everybody)})
    try:
        seconds = stages(photos, scratch)
    finally:
        os.sched_setaffinity(0, everybody)
    total = sum(seconds.values())
    for stage, words in WORDS.items():
        note = f"{100 * seconds[stage] / total:.0f} %; {words}"
        yield Figure(f"stage_{stage}", 1000 * seconds[stage] / count, "ms a photo", note)
    outside = 100 * (1 - sum(seconds[stage] for stage in MODELS) / total)
    yield Figure("stage_outside_models", outside, "%", "under 25 wanted; one core")
    pace = count / total
    yield Figure("stage_photos_per_second", pace, "1/s", f"{count} drawn photos, one core")


def stages(photos: Path, scratch: Path) -> dict[str, float]:
    """Seconds by stage for all photos."""
    import torch

    from extract.models import load_detector, load_parser

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    watch = Watch()
    detector: Any = Timed(load_detector("starter", "cpu"), watch, "detect")
    parser: Any = Timed(load_parser("starter", "cpu"), watch, "parse")
    whole = Dataset.create(scratch / "whole")
    _all_of_it(next(photos.iterdir()), whole, detector, parser)  # warms up
    watch.seconds.clear()
    began = time.process_time()
    _all_of_it(photos, Dataset.create(scratch / "again"), detector, parser)
    total = time.process_time() - began
    models = {stage: watch.seconds[stage] for stage in MODELS}
    watch.seconds.clear()
    _one_by_one(photos, whole.settings, detector, parser, watch)
    watch.seconds.update(models)
    torch.set_num_threads(threads)
    watch.seconds["catalogue"] = max(0.0, total - sum(watch.seconds.values()))
    return watch.seconds


def _all_of_it(photos: Path, dataset: Dataset, detector: Detector, parser: Parser) -> None:
    from extract.run import RunOptions, run

    options = RunOptions(workers=1)
    for _ in run(dataset, [str(photos)], options, detector=detector, parser=parser):
        pass


def _one_by_one(photos: Path, settings: Settings, detector: Any, parser: Any, watch: Watch) -> None:
    from extract.claims import Claims
    from extract.finish import Seen
    from extract.look import dress, look
    from extract.prepare import Prepared, prepare
    from extract.sources import find_sources
    from extract.steps import finish_all
    from garments.idset import IdSet

    claims = Claims(IdSet(), {})
    for found in find_sources([str(photos)]):
        with watch.on("read"):
            prepared = prepare(found, claims, settings.extract.working_longest)
        if not isinstance(prepared, Prepared):
            continue
        before = sum(watch.seconds[stage] for stage in MODELS)
        with watch.on("judge"):
            (looked,) = look([prepared.pixels], detector, parser, settings.framing)
        watch.seconds["judge"] -= sum(watch.seconds[stage] for stage in MODELS) - before
        with watch.on("masks"):
            dress(looked, settings.framing, settings.crops.second_guess)
        began = time.thread_time()
        finish_all([Seen(prepared, looked)], settings)
        watch.seconds["write"] += time.thread_time() - began
    watch.seconds["write"] -= watch.seconds["masks"]  # finishing makes the masks too
