"""What holds for a whole data set while it is written to FiftyOne, and the names of its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from curate.fiftyone.environment import slug
from garments.calibration import Calibration
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.ids import stable_id
from garments.inforce import Speaker, calibrations, in_force, promotions
from garments.said import Rules, audit_slice
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = 3
"""Version of what is written and of the views on it; another one writes everything anew."""

_OWN = """
id filepath tags metadata created_at last_modified_at synced_tags garment_id photo_id person_id
region crop_sha flags state gold split round handle licence embedding uniqueness duplicate_group
near_duplicate near_group suspicion suspicion_why uncertainty edits disagreement disagreement_why
"""
OWN_FIELDS = frozenset(_OWN.split())
"""Fields that a sample has whatever the taxonomy asks."""

_PREFIXES = ("_", "suspect_", "eval_", "embedding_")
_SUFFIXES = ("human", "proposed", "uncertainty", "edited")


def attribute_field(attribute: str) -> str:
    """Field of an attribute: its id, unless that would be one of the fields that all have."""
    taken = attribute in OWN_FIELDS or attribute.startswith(_PREFIXES)
    return f"{attribute}_label" if taken or attribute.endswith(_SUFFIXES) else attribute


@dataclass(frozen=True, eq=False)
class Standing:
    """`speakers` has for each attribute the one in force and every model that spoke.

    `embeddings` is the model whose vectors are shown, None where there are none.
    """

    dataset: Dataset
    speakers: Mapping[str, tuple[Speaker, tuple[str, ...]]]
    calibrations: Mapping[tuple[str, str], Calibration]
    rules: Rules
    embeddings: str | None

    @classmethod
    def of(cls, dataset: Dataset) -> "Standing":
        """How things stand now."""
        rules = Rules(simulated=dataset.settings.simulated, audit=audit_slice(dataset))
        return cls(dataset, _speakers(dataset), calibrations(dataset), rules, _embeddings(dataset))

    @property
    def taxonomy(self) -> Taxonomy:
        """The taxonomy in force."""
        return self.dataset.taxonomy

    @cached_property
    def root(self) -> Path:
        """The data set's folder, absolute."""
        return self.dataset.folder.resolve()

    @cached_property
    def embedding_table(self) -> str | None:
        """Table with the vectors that are shown."""
        catalog = self.dataset.catalog
        mine = one_of("model", [self.embeddings or ""])
        return next((t for t in catalog.embedding_tables() if catalog.count(t, mine)), None)

    @cached_property
    def model_fields(self) -> dict[str, dict[str, str]]:
        """Attribute -> model that is not in force for it -> the field of what it proposed."""
        models = {model for _, spoke in self.speakers.values() for model in spoke}
        suffixes = _suffixes(models)
        return {
            attribute: {
                model: f"{attribute_field(attribute)}_{suffixes[model]}"
                for model in spoke
                if model != speaker.model
            }
            for attribute, (speaker, spoke) in self.speakers.items()
        }

    @property
    def layout(self) -> str:
        """Hash of what all samples depend on: when it changes, all are written."""
        calibrated = sorted((*key, vars(value)) for key, value in self.calibrations.items())
        return stable_id(
            LAYOUT,
            self.root,
            self.taxonomy.hash,
            self.rules.simulated,
            sorted((name, speaker) for name, (speaker, _) in self.speakers.items()),
            calibrated,
            self.embeddings,
        )


def _suffixes(models: set[str]) -> dict[str, str]:
    """A short name for each model that is unlike the others' and unlike our own fields."""
    found: dict[str, str] = {}
    for model in sorted(models):
        name = slug(model)
        if name in _SUFFIXES or name in found.values():
            name = f"{name}_{stable_id(model)[:4]}"
        found[model] = name
    return found


def _speakers(dataset: Dataset) -> dict[str, tuple[Speaker, tuple[str, ...]]]:
    """Who is in force for each attribute in the whole data set, and all who spoke about it."""
    import pyarrow.compute as pc

    columns = ["garment_id", "attribute", "model", "tagger", "vocabulary_hash", "seq"]
    rows = dataset.catalog.rows("proposals", columns)
    active = dataset.catalog.active_garments(columns=["garment_id"]).column(0).combine_chunks()
    rows = rows.filter(pc.is_in(rows.column("garment_id"), active))
    promoted = promotions(dataset)
    found = {}
    for attribute in dataset.taxonomy.attributes:
        vocabulary = dataset.taxonomy.vocabulary_hash(attribute.id)
        wanted = (pc.field("attribute") == attribute.id) & (
            pc.field("vocabulary_hash") == vocabulary
        )
        spoke = _spoke(rows.filter(wanted))
        if spoke:
            speaker = in_force(dataset, attribute.id, spoke, promoted.get(attribute.id))
            models = tuple(dict.fromkeys(one.model for one in spoke))
            found[attribute.id] = speaker, models
    return found


def _spoke(rows: "pa.Table") -> list[Speaker]:
    """Every tagger version in these proposals, the one that spoke last at the end."""
    last = rows.group_by(["model", "tagger"]).aggregate([("seq", "max")]).sort_by("seq_max")
    return [Speaker(row["model"], row["tagger"]) for row in last.to_pylist()]


def _embeddings(dataset: Dataset) -> str | None:
    """The newest vectors of the settings' tagger, else the newest of all."""
    models = dataset.catalog.embedding_models()
    mine = [model for model in models if model.startswith(f"{dataset.settings.models.tagger}@")]
    return (mine or models)[-1] if models else None
