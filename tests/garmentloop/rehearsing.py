"""A tiny set laid out like `clothing`, and a rehearsal on it without any network."""

import csv
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "annotate"))

import looping
import numpy as np
from looping import STAND_INS

from garmentloop.loop.steps import STEPS
from garmentloop.simulate.options import SimulateOptions
from garmentloop.simulate.run import Rehearsal
from garments.images import encode_jpeg
from garments.whole import write_whole

CLASSES = {"dress": (200, 40, 40), "pants": (40, 40, 200), "hat": (40, 180, 60)}


def small_set(root: Path, count: int = 36) -> Path:
    """`count` noisy photos in a color for each class; every third one is held out."""
    rows = []
    for number in range(count):
        name = list(CLASSES)[number % len(CLASSES)]
        source = np.random.default_rng(number)
        noise = source.integers(-30, 30, (48, 40, 3))
        pixels = np.clip(np.array(CLASSES[name]) + noise, 0, 255).astype(np.uint8)
        file = f"images/{number:03d}.jpg"
        write_whole(root / file, encode_jpeg(pixels, 90))
        rows.append((file, name, "validation" if number // 3 % 3 == 0 else "train"))
    with (root / "labels.csv").open("w", newline="", encoding="utf-8") as table:
        csv.writer(table).writerows([("file", "category", "split"), *rows])
    return root


def evaluate(context) -> dict:
    """Figures as the real step records them, better by the round."""
    number = int(context.round.rpartition("-")[2])
    scores = {"champion": 0.2 * number, context.model: 0.2 + 0.2 * number}
    figures = {key: {"weighted_f1": value, "n": 12} for key, value in scores.items()}
    return {"items": 12, "figures": {"category": figures}}


def judge(context) -> dict:
    """Promotes in the first round only, on paper: the tagger in force stays the same."""
    if context.round == "round-1":
        return {"model": context.model, "promoted": {"category": "x"}, "refused": {}}
    return {"model": context.model, "promoted": {}, "refused": {"category": "it is no better"}}


def propose(context) -> dict:
    return looping.propose(context)


QUICK = {
    **STEPS,
    "propose": propose,
    "prelabel": propose,
    "finetune": STAND_INS["finetune"],
    "evaluate": evaluate,
    "promote": judge,
}
"""The steps of the loop with stand-ins for taggers and training."""


def rehearse(root: Path, folder: Path, connect=None, **options) -> tuple[Rehearsal, int]:
    """Two rounds of eight, unless told otherwise; the rehearsal and what it holds out."""
    chosen = SimulateOptions(**{"rounds": 2, "budget": 8, **options})
    rehearsal = Rehearsal(root, folder, chosen, connect, steps=QUICK)
    held_out = rehearsal.prepare()
    list(rehearsal.rounds())
    return rehearsal, held_out


def model_folder(folder: Path, sets: list[str] | None) -> Path:
    """A folder that says what it was trained on, or does not."""
    settings = {} if sets is None else {"trained_on": {"sets": sets}}
    content = {"kind": "tagger", "architecture": "x", "settings": settings}
    write_whole(folder / "config.json", json.dumps(content))
    return folder
