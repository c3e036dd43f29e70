"""Whether a tagger has seen what it is examined on: a leak between training and test."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.in_force import trained_models
from annotate.taggers import trained_folder
from curate.release.manifest import read_manifest
from curate.release.names import release_folder
from curate.release.rows import TIES, split_files, ties
from finetune.evaluate.held_out import HeldOut
from garments.errors import DatasetError
from garments.modelfolder import CONFIG, read_raw_config
from garments.references import Reference, Source

if TYPE_CHECKING:
    from garments.dataset import Dataset

_SEEN = ("train", "validation")


def leak(dataset: "Dataset", held_out: HeldOut, model: str) -> str:
    """Why a tagger must not be judged on these rows, in words; empty where nothing speaks against.

    What a tagger was trained and calibrated on (train and validation of the release that its
    folder names) must share no garment, photo or group with the test rows. Where that cannot be
    looked up, the tagger is not trusted either. Models that were not trained here have seen none
    of it.
    """
    reference = Reference.parse(model)
    trained_on = _trained_on(dataset, reference)
    if trained_on is None:
        return ""
    name = trained_on.get("release")
    if not name:
        return "" if reference.source is not Source.TRAINED else _UNKNOWN
    try:
        folder = release_folder(dataset, str(name))
        manifest = read_manifest(folder)
    except DatasetError:
        return f"it was trained on the release {name}, which is not here to be compared with"
    if trained_on.get("hash") not in (None, *manifest.hashes):
        return (
            f"it was trained on another release {name} than the one that is here, so nobody can "
            "say what it has seen"
        )
    try:
        seen = split_files(folder, manifest, *_SEEN)
    except DatasetError:
        return (
            f"it was trained on the release {name}, whose files are not as they were frozen, so "
            "nobody can say what it has seen"
        )
    return _shared(seen, held_out, str(name))


_UNKNOWN = (
    "its config.json does not say on which release it was trained, so nobody can say what it has "
    "seen"
)


def _trained_on(dataset: "Dataset", reference: Reference) -> Mapping[str, Any] | None:
    """What the model's folder says about that, None for a model without any such folder."""
    if reference.source is Source.TRAINED:
        folder = trained_folder(trained_models(dataset), reference.name)
    elif reference.source is Source.FOLDER and (reference.folder / CONFIG).is_file():
        folder = reference.folder
    else:
        return None
    settings = read_raw_config(folder).get("settings")
    found = settings.get("trained_on") if isinstance(settings, dict) else None
    return found if isinstance(found, dict) else {}


def _shared(seen: Sequence[Path], held_out: HeldOut, release: str) -> str:
    test = (held_out.garment_ids, held_out.photo_ids, held_out.groups)
    learnt = ties(seen)
    for (column, title), values in zip(TIES.items(), test, strict=True):
        both = learnt[column] & set(values)
        if both:
            return (
                f"{len(both):,} {title} of the test split were among what it learnt from "
                f"(release {release}), {min(both)} for one"
            )
    return ""
