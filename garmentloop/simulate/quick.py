"""Steps of a round that measure a strategy and nothing else: train, put in force, look, count.

Nobody is compared with whom is in force: what is measured is what the labels are worth, and not
when a tagger has earned its place. Only attributes of which the truth is known are learnt.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from garmentloop.loop.context import Context, Step
from garmentloop.loop.steps import STEPS
from garmentloop.loop.train import training
from garmentloop.simulate.sets import Accepted
from garments.errors import BadInput
from garments.metrics import weighted_f1
from garments.proposals import Block, answers_in_force
from garments.rounds import Details
from garments.said import audit_slice

if TYPE_CHECKING:
    from garments.dataset import Dataset

Truth = Mapping[str, Accepted]
"""What is accepted about each garment."""

WHO = "garmentloop compare"


def quick_steps(attributes: tuple[str, ...], truth: Truth) -> dict[str, Step]:
    """The steps of the loop with quick ones in the place of those that a curve does not need."""

    def train(context: Context) -> Details:
        return _train(context, attributes)

    def look(context: Context) -> Details:
        return _look(context, attributes)

    def score(context: Context) -> Details:
        return {"f1": f1_in_force(context.dataset, attributes, truth)}

    quick: dict[str, Step] = {
        "propose": lambda context: {"proposals": 0},
        "measure": lambda context: {},
        "finetune": train,
        "evaluate": lambda context: {"items": 0, "figures": {}},
        "promote": lambda context: _put_in_force(context, attributes),
        "prelabel": look,
        "refresh": lambda context: {"updated": 0},
        "report": score,
    }
    return {**STEPS, **quick}


def f1_in_force(dataset: "Dataset", attributes: tuple[str, ...], truth: Truth) -> dict[str, float]:
    """Weighted F1 of the taggers in force on the garments that are held out, by attribute.

    Of the top value, whether or not it is held back. A value that the truth accepts counts as its
    own. What nobody proposed anything about is wrong.
    """
    blind = sorted(audit_slice(dataset) & truth.keys())
    said: dict[str, dict[str, str]] = {name: {} for name in attributes}
    for block in answers_in_force(dataset, {}, blind):
        if block.attribute in said:
            said[block.attribute] |= _tops(block)
    found = {}
    for name in attributes:
        known = [(garment, truth[garment][name]) for garment in blind if truth[garment].get(name)]
        tops = [said[name].get(garment, "") for garment, _ in known]
        right = [top if top in yes else yes[0] for top, (_, yes) in zip(tops, known, strict=True)]
        found[name] = weighted_f1(np.array(right), np.array(tops)) if known else float("nan")
    return found


def _tops(block: Block) -> dict[str, str]:
    tops = zip(block.ids, block.answers.best, strict=True)
    return {garment: top or "" for garment, top in tops}


def _train(context: Context, attributes: tuple[str, ...]) -> Details:
    """A probe on the round's release; none while there is too little to learn from."""
    from annotate.in_force import trained_models
    from finetune.tagger.train import finetune_tagger
    from garments.modelfolder import CONFIG

    options = replace(training(context), attributes=attributes)
    made = trained_models(context.dataset) / context.round / CONFIG
    try:
        if not made.is_file():  # else a round that was killed has made it
            context.follow(finetune_tagger(context.dataset, options), "training")
    except BadInput as error:
        context.say(f"note: {context.round} trains nothing: {error}")
        return {"model": "", "mode": "probe", "backbone": context.options.backbone}
    return {"model": context.model, "mode": "probe", "backbone": context.options.backbone}


def _put_in_force(context: Context, attributes: tuple[str, ...]) -> Details:
    """Without asking whether it is better."""
    from annotate.finetuned.tagger import FineTunedTagger
    from annotate.in_force import trained_models
    from finetune.promotion.history import newest_rows, promotion_row

    if not context.of("finetune", "model"):
        return {"promoted": {}, "refused": {}}
    dataset, last = context.dataset, newest_rows(context.dataset)
    folder = trained_models(dataset) / context.round
    tagger = FineTunedTagger.load(folder, context.model, dataset.taxonomy, attributes)
    versions = {name: tagger.version(name).id for name in attributes}
    if any((last.get(name) or {}).get("tagger") != one for name, one in versions.items()):
        rows = [
            promotion_row(name, context.model, one, {}, last.get(name), WHO)
            for name, one in versions.items()
        ]
        dataset.catalog.add("promotions", rows)
    return {"model": context.model, "promoted": versions, "refused": {}}


def _look(context: Context, attributes: tuple[str, ...]) -> Details:
    from finetune.tagger.at_once import propose_from_features

    if not context.of("finetune", "model"):
        return {"proposals": 0}
    return {"proposals": propose_from_features(context.dataset, context.round, attributes)}
