"""A small data set, and rounds on it with stand-ins for training and judging.

A subprocess can go round too, and be killed: `python looping.py DATASET`.
"""

import itertools
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "annotate"))

from standin_taggers import PixelTagger, add_garments

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.studio.project import Kind, record_of
from garmentloop.loop.context import Context
from garmentloop.loop.options import LoopOptions
from garmentloop.loop.people import labels_now, push_options
from garmentloop.loop.round import find_turn, run_round
from garmentloop.loop.steps import STEPS
from garmentloop.simulate.annotator import Annotator
from garmentloop.simulate.directly import answer_directly, push_directly
from garments.catalog import Catalog
from garments.dataset import Dataset
from garments.modelfolder import CONFIG
from garments.settings import Settings
from garments.whole import write_whole

GARMENTS = 40
OPTIONS = LoopOptions(budget=16, audit=0.25, fiftyone=False)
COLORS = ("black", "grey", "white", "red", "blue", "green")


def small_dataset(folder: Path) -> Dataset:
    """Garments without proposals, and projects that are known, so that copies agree."""
    dataset = Dataset.create(folder, Settings(name="small", simulated=True))
    add_garments(dataset, GARMENTS)
    for kind in Kind:
        record_of(dataset, kind)
    return dataset


def annotator(dataset: Dataset) -> Annotator:
    """Somebody who knows every color and nothing else."""
    ids = sorted(dataset.catalog.ids("garments"))
    truth = {name: {"color": (COLORS[n % len(COLORS)],)} for n, name in enumerate(ids)}
    return Annotator(dataset.taxonomy, truth)


def propose(context: Context) -> dict:
    """By a tagger without weights, and by a better one once that is promoted."""
    dataset = context.dataset
    taggers = [PixelTagger(dataset.taxonomy)]
    if dataset.catalog.count("promotions"):
        taggers.append(PixelTagger(dataset.taxonomy, ("color",), "model:better", "w2"))
    *_, end = prelabel(dataset, PrelabelOptions(commit_seconds=0), taggers)
    return {"proposals": end.proposals}


def send(context: Context) -> dict:
    made = push_directly(context.dataset, push_options(context))
    return {"tasks": made.created, "blind": made.blind, "updated": 0}


def answer(context: Context) -> dict:
    count = answer_directly(context.dataset, annotator(context.dataset), context.round)
    return {"total": count, "waiting": 0}


def train(context: Context) -> dict:
    """A folder that is whole when it has its configuration."""
    folder = context.dataset.models / "tagger" / context.round
    write_whole(folder / CONFIG, json.dumps({"release": context.release}))
    return {"model": context.model, "mode": "probe", "backbone": "starter"}


def judge(context: Context) -> dict:
    """Always promotes, all of it at once."""
    rows = [
        {
            "promotion_id": f"{context.round}-{name}",
            "kind": "tagger",
            "attribute": name,
            "model": context.model,
            "tagger": context.round,
        }
        for name in ("category", "color")
    ]
    context.dataset.catalog.add("promotions", rows)
    return {"promoted": {"color": "x"}, "refused": {"pattern": "too few labels"}}


STAND_INS = {
    "propose": propose,
    "push": send,
    "wait": answer,
    "pull": labels_now,
    "finetune": train,
    "evaluate": lambda context: {"items": 0, "figures": {}},
    "promote": judge,
    "prelabel": propose,
    "refresh": lambda context: {"updated": 0},
}


def go_round(dataset: Dataset, options: LoopOptions = OPTIONS) -> list:
    """One round, or what is left of it; its events."""
    turn = find_turn(dataset, options)
    context = Context(dataset, turn.name, turn.options, studio=no_studio)
    return list(run_round(context, {**STEPS, **STAND_INS}))


def no_studio():
    raise AssertionError("nobody should ask for a server")


def die_at(number: int) -> None:
    """Kill this process at a write: even before it, odd after it."""
    counter = itertools.count(0, 2)
    for name in ("add", "put"):
        setattr(Catalog, name, deadly(getattr(Catalog, name), counter, number))


def deadly(write, counter, number: int):
    def call(*args, **kwargs):
        mine = next(counter)
        if mine == number:
            os.kill(os.getpid(), signal.SIGKILL)
        result = write(*args, **kwargs)
        if mine + 1 == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


if __name__ == "__main__":
    if "DIE_AT" in os.environ:
        die_at(int(os.environ["DIE_AT"]))
    for event in go_round(Dataset.open(sys.argv[1])):
        print(event.step, event.state, flush=True)
