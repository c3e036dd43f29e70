"""Who is compared: the zero-shot tagger, the color rule, the taggers in force, the challengers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.hearing import Panel
from annotate.in_force import references_in_force, trained_models
from annotate.taggers import load_tagger
from finetune.evaluate.hear import Voice
from finetune.evaluate.held_out import HeldOut
from garments.errors import BadSetting
from garments.migration.history import History
from garments.reading import Answers, read_all
from garments.settings import SpeedSettings
from garments.tagger import Tagger
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from garments.dataset import Dataset

ZERO_SHOT, RULE, CHAMPION = "zero_shot", "rule_color", "champion"
"""Keys of those who are always there; a challenger's key is its reference."""

COLOR, COLOR_RULE = "color", "rule:color"

Load = Callable[[str, Sequence[str] | None], Tagger]
"""From a model reference and the attributes it shall answer (None: all it can) to its tagger."""


@dataclass(frozen=True, eq=False)
class Contender:
    """Who answers which attribute. Only the taggers in force may be several."""

    key: str
    voices: Mapping[str, Voice]

    @property
    def title(self) -> str:
        """As people read it."""
        return {ZERO_SHOT: "zero-shot", RULE: COLOR_RULE, CHAMPION: "in force"}.get(
            self.key, "challenger"
        )

    def model(self, attribute: str) -> str:
        """Reference of the model that answers the attribute."""
        return self.voices[attribute].reference

    def speaks_as(self, taxonomy: Taxonomy, attribute: str) -> tuple[str, ...]:
        """Models that decide its answer: that of the attribute, and those of its parents."""
        names = [name for name in lineage(taxonomy, attribute) if name in self.voices]
        return tuple(self.model(name) for name in names)


def lineage(taxonomy: Taxonomy, attribute: str) -> list[str]:
    """The attribute, its parent, its parent's parent and so on."""
    found: list[str] = []
    name: str | None = attribute
    while name:
        found.append(name)
        name = taxonomy.attribute(name).parent
    return found


def answers(
    taxonomy: Taxonomy, held_out: HeldOut, voices: Mapping[str, Voice]
) -> dict[str, Answers]:
    """Answers about the test garments, each attribute by its voice, under its parent's answer."""
    return read_all(
        taxonomy,
        {name: voice.logits[name] for name, voice in voices.items()},
        {name: voice.activations[name] for name, voice in voices.items()},
        {n: voice.calibrations[n] for n, voice in voices.items() if n in voice.calibrations},
        held_out.regions,
    )


@dataclass(frozen=True)
class Cast:
    """Model references: who is zero-shot, who is in force by attribute, who challenges."""

    zero_shot: str
    in_force: Mapping[str, str]
    challengers: tuple[str, ...]

    @classmethod
    def of(cls, dataset: "Dataset", challengers: Iterable[str] = ()) -> "Cast":
        """As the data set has it now."""
        settings, force = dataset.settings, references_in_force(dataset)
        return cls(settings.models.tagger, force, tuple(dict.fromkeys(challengers)))

    def taggers(self, taxonomy: Taxonomy, attributes: Sequence[str], load: Load) -> list[Tagger]:
        """Each model once, for the `attributes` that it is asked."""
        asked: dict[str, Sequence[str] | None] = dict.fromkeys(self.challengers)
        if self.zero_shot not in asked:
            asked[self.zero_shot] = attributes
        for name in attributes:
            model = self.in_force.get(name)
            if model and (model not in asked or model not in (*self.challengers, self.zero_shot)):
                asked[model] = [*(asked.get(model) or ()), name]
        if COLOR in attributes and taxonomy.anchors(COLOR)[0]:
            asked.setdefault(COLOR_RULE, [COLOR])
        return [load(model, names) for model, names in asked.items()]

    def contenders(self, voices: Iterable[Voice], attributes: Sequence[str]) -> list[Contender]:
        """Who they are, from what each of `taggers` said; those who say nothing are left out."""
        said = {voice.reference: voice for voice in voices}
        roles: dict[str, dict[str, str]] = {
            ZERO_SHOT: dict.fromkeys(attributes, self.zero_shot),
            RULE: {COLOR: COLOR_RULE},
            CHAMPION: dict(self.in_force),
        }
        roles |= {model: dict.fromkeys(attributes, model) for model in self.challengers}
        found = []
        for key, models in roles.items():
            mine = {
                name: said[models[name]]
                for name in attributes
                if models.get(name) in said and name in said[models[name]].logits
            }
            found += [Contender(key, mine)] if mine else []
        return found


def loader(dataset: "Dataset", device: str = "auto", speed: SpeedSettings | None = None) -> Load:
    """Loads taggers as the data set's settings say; `speed` goes before theirs."""
    load = partial(
        load_tagger,
        taxonomy=dataset.taxonomy,
        device=device,
        speed=speed or dataset.settings.speed,
        background=dataset.settings.prelabel.background,
        cache=dataset.run / "texts",
        models=trained_models(dataset),
        history=History.of(dataset.folder),
    )
    return lambda model, names: load(model, attributes=names)


def panel(
    dataset: "Dataset",
    cast: Cast,
    attributes: Sequence[str],
    device: str = "auto",
    speed: SpeedSettings | None = None,
) -> Panel:
    """The taggers of a cast, which are loaded anew wherever they travel."""
    taggers = cast.taggers(dataset.taxonomy, attributes, loader(dataset, device, speed))
    return Panel(taggers, partial(_elsewhere, dataset.folder, cast, attributes, device, speed))


def _elsewhere(
    folder: Path,
    cast: Cast,
    attributes: Sequence[str],
    device: str,
    speed: SpeedSettings | None,
) -> list[Tagger]:
    from garments.dataset import Dataset

    dataset = Dataset.open(folder)
    return cast.taggers(dataset.taxonomy, attributes, loader(dataset, device, speed))


def asked_attributes(
    taxonomy: Taxonomy, held_out: HeldOut, wanted: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """The attributes to score, and with their parents those to ask for, both in order.

    `BadSetting` for an attribute that the release cannot score.
    """
    known = [a.id for a in taxonomy.attributes if a.id in held_out.truths]
    if unknown := [name for name in wanted or () if name not in known]:
        raise BadSetting(
            f"expected some of the attributes {', '.join(known)} of the release {held_out.name}, "
            f"but got {', '.join(unknown)}; choose among these"
        )
    scored = [name for name in known if wanted is None or name in wanted]
    needed = {above for name in scored for above in lineage(taxonomy, name)}
    return scored, [name for name in known if name in needed]
