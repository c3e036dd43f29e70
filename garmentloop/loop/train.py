"""The steps of a round in which a tagger is trained and has to earn its place."""

from typing import TYPE_CHECKING, Any

from garmentloop.loop.context import Context
from garments.rounds import Details

if TYPE_CHECKING:
    from pathlib import Path

    from finetune.tagger.options import TaggerOptions

FIGURES = ("accuracy", "weighted_f1", "ece")
"""Figures that are kept with a round; the page of `evaluate tagger` has all."""


def finetune_step(context: Context) -> Details:
    """Train a tagger on the round's release; one of its name is what a killed round has made."""
    from finetune.tagger.train import finetune_tagger
    from garments.modelfolder import CONFIG, weights_hash

    folder = _folder(context)
    if not (folder / CONFIG).is_file():
        context.follow(finetune_tagger(context.dataset, training(context)), "training")
    options = context.options
    return {
        "model": context.model,
        "weights": weights_hash(folder),
        "release": context.of("release", "hash"),
        "mode": options.mode,
        "backbone": options.backbone,
        "seed": options.seed,
    }


def training(context: Context) -> "TaggerOptions":
    """What is trained in the round."""
    from finetune.tagger.options import Recipe, TaggerOptions

    options = context.options
    given = {"epochs": options.epochs, "minutes": options.minutes}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    recipe = Recipe(backbone=options.backbone, mode=options.mode, seed=options.seed, **chosen)
    return TaggerOptions(context.release, context.round, recipe=recipe, device=options.device)


def evaluate_step(context: Context) -> Details:
    """Measure the new tagger and those in force on the release's test rows, side by side."""
    from finetune.evaluate import evaluate_release

    found = evaluate_release(
        context.dataset, context.release, [context.model], device=context.options.device
    )
    figures = {
        attribute: {key: _figures(scored) for key, scored in by_key.items()}
        for attribute, by_key in found.scored.items()
    }
    models = {key: one.model for key, one in found.contenders.items()}
    return {
        "release": found.held_out.hash,
        "items": len(found.held_out),
        "figures": figures,
        "contenders": {
            attribute: {key: models[key](attribute) for key in by_key}
            for attribute, by_key in found.scored.items()
        },
    }


def promote_step(context: Context) -> Details:
    """Put the new tagger in force where it is better; else say why not."""
    from finetune.promotion import Outcome, PromoteOptions, promote

    options = PromoteOptions(device=context.options.device)
    verdict = promote(context.dataset, context.model, context.release, options)
    # In force already: a loop that was killed after the promotion had put it there.
    won = [one for one in verdict.attributes if one.outcome is not Outcome.REFUSED]
    lost = [one for one in verdict.attributes if one.outcome is Outcome.REFUSED]
    return {
        "model": verdict.challenger,
        "release": verdict.release_hash,
        "promoted": {one.attribute: one.tagger for one in won},
        "refused": {one.attribute: one.reason for one in lost},
    }


def _figures(scored: Any) -> dict[str, float]:
    figures = {name: scored.figures[name].value for name in FIGURES}
    return {**figures, "n": len(scored)}


def _folder(context: Context) -> "Path":
    from annotate.in_force import trained_models

    return trained_models(context.dataset) / context.round
