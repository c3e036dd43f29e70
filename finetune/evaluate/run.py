"""`evaluate_release`: every tagger on the test rows of a frozen release."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from annotate.hearing import Panel
from extract.pipeline import Workers
from finetune.evaluate.contenders import (
    Cast,
    Contender,
    Load,
    answers,
    asked_attributes,
    panel,
)
from finetune.evaluate.figures import Figure, Scored, accuracy
from finetune.evaluate.hear import Tell, hear
from finetune.evaluate.held_out import HeldOut, read_held_out
from finetune.evaluate.leaks import leak
from finetune.evaluate.propose import propose
from finetune.evaluate.slices import Slice, slices
from garments.settings import SpeedSettings
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from garments.dataset import Dataset

__all__ = ["Evaluation", "evaluate_release"]

FEWEST = 1
"""Labels below which an attribute is not scored."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was found: `scored` has for each attribute each contender's answers, by its key.

    Attributes come in the taxonomy's order, contenders as zero_shot, rule_color, champion and
    then the challengers by reference. `leaks` says of models which of the test rows they learnt
    from: their figures mean nothing.
    """

    taxonomy: Taxonomy
    held_out: HeldOut
    cast: Cast
    contenders: dict[str, Contender]
    scored: dict[str, dict[str, Scored]]
    leaks: dict[str, str]

    def alike(self, attribute: str) -> list[list[str]]:
        """Keys of contenders of an attribute, together where they are one and the same."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for key in self.scored[attribute]:
            models = self.contenders[key].speaks_as(self.taxonomy, attribute)
            groups.setdefault(models, []).append(key)
        return list(groups.values())

    @cached_property
    def slices(self) -> dict[str, list[tuple[Slice, dict[str, Figure]]]]:
        """By attribute: parts of the test split with the accuracy of each contender."""
        found = {}
        for name, by_key in self.scored.items():
            rows = next(iter(by_key.values())).rows
            found[name] = [
                (one, {key: accuracy(mine.at(one.places)) for key, mine in by_key.items()})
                for one in slices(self.held_out, rows)
            ]
        return found

    def flat(self) -> dict[str, float | int | str | None]:
        """Everything as one flat object: `<attribute>_<contender>_<figure>[_low|_high]`.

        None stands for what cannot be told, such as the precision of one who never answers.
        """
        found: dict[str, float | int | str | None] = {
            "release": self.held_out.name,
            "hash": self.held_out.hash,
            "items": len(self.held_out),
        }
        for name, by_key in self.scored.items():
            found[f"{name}_n"] = len(next(iter(by_key.values())))
            for key, mine in by_key.items():
                found[f"{name}_{key}_model"] = self.contenders[key].model(name)
                for figure, value in mine.figures.items():
                    found |= _flat(f"{name}_{key}_{figure}", value)
            for one, accuracies in self.slices[name]:
                at = f"{name}_{one.kind}_{one.name}"
                found[f"{at}_n"] = len(one.places)
                for key, value in accuracies.items():
                    found |= _flat(f"{at}_{key}_accuracy", value)
        return found


def evaluate_release(
    dataset: "Dataset",
    release: str | None = None,
    models: Sequence[str] = (),
    *,
    attributes: Sequence[str] | None = None,
    device: str = "auto",
    load: Load | None = None,
    record: bool = False,
    tell: Tell = lambda done, total: None,
    workers: Workers | None = None,
    speed: SpeedSettings | None = None,
) -> Evaluation:
    """Score taggers side by side on the test rows of a release, by default of the newest.

    The settings' zero-shot tagger, rule:color for color, the taggers in force and the challengers
    `models` (any reference). Not scored is what is not labelled, not visible or disputed, and
    where nothing applies. What a tagger said is kept below the data set's `run/evaluations`, so
    that a second run, or one that goes on after a kill, asks only for the rest. With
    `record` it is also added to the catalogue's proposals, so that FiftyOne shows it. `load` makes
    taggers from references. `workers` do the work, threads of this process unless given; `speed`
    says what runs the models, None as the data set's settings do.

    Raises `DatasetError` for the release (none, damaged, no test rows), `BadSetting` for unknown
    attributes, `ModelError` and its kin for a tagger, among them one of another taxonomy.
    """
    held_out = read_held_out(dataset, release)
    scored, asked = asked_attributes(dataset.taxonomy, held_out, attributes)
    cast = Cast.of(dataset, models)
    if load:
        company = Panel(cast.taggers(dataset.taxonomy, asked, load))
    else:
        company = panel(dataset, cast, asked, device, speed)
    voices = hear(dataset, held_out, company, tell, workers)
    if record:
        propose(dataset, held_out, company.taggers, voices)
    contenders = {one.key: one for one in cast.contenders(voices, asked)}
    found: dict[str, dict[str, Scored]] = {name: {} for name in scored}
    for key, one in contenders.items():
        said = answers(dataset.taxonomy, held_out, one.voices)
        for name in scored:
            rows = held_out.labelled(name)
            if name in said and len(rows) >= FEWEST:
                truth = held_out.truths[name]
                found[name][key] = Scored.of(said[name], truth, rows, held_out.photo_ids)
    kept = {name: by_key for name, by_key in found.items() if by_key}
    known = dict.fromkeys([*cast.challengers, *cast.in_force.values()])
    leaks = {model: why for model in known if (why := leak(dataset, held_out, model))}
    return Evaluation(dataset.taxonomy, held_out, cast, contenders, kept, leaks)


def _flat(key: str, figure: Figure) -> dict[str, float | int | str | None]:
    numbers = {key: figure.value, f"{key}_low": figure.low, f"{key}_high": figure.high}
    return {name: None if value != value else value for name, value in numbers.items()}
