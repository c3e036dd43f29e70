"""The worst answers of the taggers in force after a rehearsal, as pictures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from garments.rounds import rounds

if TYPE_CHECKING:
    from finetune.evaluate.failures import Failure
    from garments.dataset import Dataset

SHOWN = 6
"""Failures of an attribute."""

FEWEST = 20
"""Labels of an attribute below which its failures say little."""


@dataclass(frozen=True)
class Failed:
    """What a tagger gets most wrong of one attribute, the surest first; its accuracy in [0, 1]."""

    title: str
    model: str
    accuracy: float
    labels: int
    failures: "tuple[Failure, ...]"


def failures(dataset: "Dataset", attributes: tuple[str, ...], device: str = "auto") -> list[Failed]:
    """Of the last finished round's test split, by the tagger in force now; [] without a round.

    What the taggers said there is kept by the round's own evaluation, so nobody is asked again.
    """
    from finetune.evaluate import evaluate_release
    from finetune.evaluate.failures import worst

    done = [one for one in rounds(dataset) if one.finished and one.of("release")]
    if not done:
        return []
    release = str(done[-1].of("release")["name"])
    found = evaluate_release(dataset, release, attributes=attributes, device=device)
    shown = []
    for name in attributes:
        mine = found.scored.get(name, {}).get("champion")
        if mine is not None and len(mine) >= FEWEST:
            some = tuple(worst(mine, found.held_out, SHOWN))
            model = found.contenders["champion"].model(name)
            accuracy = mine.figures["accuracy"].value
            shown.append(Failed(mine.attribute.title, model, accuracy, len(mine), some))
    return shown
