"""The taggers whose word counts: loaded for `prelabel`, and put together for plain inference."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from annotate.taggers import load_tagger
from garments.dataset import Dataset
from garments.inforce import calibrations, promotions
from garments.migration.history import History
from garments.settings import Settings, SpeedSettings
from garments.tagger import Activation, Crop, Tagger, TaggerVersion, Tags
from garments.taxonomy import Taxonomy

TRAINED = "tagger"
"""Folder of trained taggers below a data set's `models`."""

COLOR = "color"


def references_in_force(dataset: Dataset) -> dict[str, str]:
    """The model whose word counts by attribute, in the taxonomy's order.

    The promoted one, else for color that of `prelabel.color_by`, else that of `models.tagger`.
    """
    promoted = promotions(dataset)
    settled = _by_settings(dataset.taxonomy, dataset.settings)
    return {
        name: str(promoted[name]["model"]) if promoted.get(name, {}).get("model") else model
        for name, model in settled.items()
    }


def promoted_references(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """Attributes by each model that a promotion put in force for them."""
    found: dict[str, list[str]] = {}
    for name, row in promotions(dataset).items():
        if row["model"] and any(a.id == name for a in dataset.taxonomy.attributes):
            found.setdefault(str(row["model"]), []).append(name)
    return {model: tuple(names) for model, names in found.items()}


def trained_models(dataset: Dataset) -> Path:
    """Where the taggers that were trained in a data set lie."""
    return dataset.models / TRAINED


def load_in_force(
    dataset: Dataset | None = None,
    taxonomy: Taxonomy | None = None,
    device: str = "auto",
    cache: Path | None = None,
    speed: SpeedSettings | None = None,
) -> Tagger:
    """One tagger that asks for each attribute the model whose word counts.

    Without a data set the default settings' models, under `taxonomy` or the default one. What it
    says is calibrated as it is in the data set. `speed` None is that of the settings. Errors as
    `load_tagger`.
    """
    settings = dataset.settings if dataset else Settings(name="none")
    taxonomy = taxonomy or (dataset.taxonomy if dataset else Taxonomy.default())
    wanted = _by_settings(taxonomy, settings)
    if dataset:
        wanted |= {k: v for k, v in references_in_force(dataset).items() if k in wanted}
    asked: dict[str, list[str]] = {}
    for attribute, model in wanted.items():
        asked.setdefault(model, []).append(attribute)
    parts = [
        load_tagger(
            model,
            taxonomy,
            attributes=attributes,
            device=device,
            speed=speed or settings.speed,
            background=settings.prelabel.background,
            cache=cache or (dataset.run / "texts" if dataset else None),
            models=trained_models(dataset) if dataset else None,
            history=History.of(dataset.folder) if dataset else None,
        )
        for model, attributes in asked.items()
    ]
    return ComposedTagger(parts, dataset)


class ComposedTagger:
    """Several taggers as one, each answering its own attributes."""

    reference = "champion"

    def __init__(self, parts: Sequence[Tagger], dataset: Dataset | None = None) -> None:
        """Calibrations of `dataset` go before those that the parts bring along."""
        self.parts = tuple(parts)
        self.attributes = tuple(name for part in parts for name in part.attributes)
        self.weights_hash = "+".join(part.weights_hash for part in parts)
        self._owners = {name: part for part in parts for name in part.attributes}
        fitted = calibrations(dataset, "labels") if dataset else {}
        self.calibrations = {
            name: found
            for name, part in self._owners.items()
            if (found := fitted.get((part.version(name).id, name)) or part.calibrations.get(name))
        }

    def model(self, attribute: str) -> str:
        """Reference of the model that answers an attribute."""
        return self._owners[attribute].reference

    def version(self, attribute: str) -> TaggerVersion:
        """See `garments.tagger.Tagger`."""
        return self._owners[attribute].version(attribute)

    def tag(self, crops: Sequence[Crop]) -> Tags:
        """See `garments.tagger.Tagger`."""
        logits: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}
        kinds: dict[str, Activation] = {}
        for part in self.parts:
            tags = part.tag(crops)
            logits |= {name: tags.logits[name] for name in part.attributes}
            kinds |= {name: tags.activation_of(name) for name in part.attributes}
        return Tags(logits, kinds)


def _by_settings(taxonomy: Taxonomy, settings: Settings) -> dict[str, str]:
    """The model of each attribute as the settings have it."""
    found = dict.fromkeys((a.id for a in taxonomy.attributes), settings.models.base_tagger)
    rule = settings.prelabel.color_by
    # the rule goes by anchors, which a taxonomy may lack
    if COLOR in found and (not rule.startswith("rule:") or taxonomy.anchors(COLOR)[0]):
        found[COLOR] = rule
    return found
