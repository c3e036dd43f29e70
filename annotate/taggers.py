"""From a model reference to the tagger that it names."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.preparation import Background
from extract.accelerate.compute import Compute
from extract.models import resolve_device
from garments.calibration import Calibration
from garments.errors import BadInput, ModelError, UnfitModel, UnknownModel
from garments.migration.history import History
from garments.modelfolder import CONFIG as MODEL_CONFIG
from garments.modelfolder import read_raw_config
from garments.references import Reference, Source
from garments.settings import SpeedSettings
from garments.tagger import Tagger
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from annotate.zeroshot.encoder import Encoder

CALIBRATION = "calibration.json"
"""In a model folder: {attribute: {temperature, bias, threshold, items}}, each of them optional."""


def load_tagger(
    reference: str,
    taxonomy: Taxonomy,
    *,
    attributes: Sequence[str] | None = None,
    device: str = "auto",
    speed: SpeedSettings | None = None,
    background: Background = "grey",
    cache: Path | None = None,
    models: Path | None = None,
    history: History | None = None,
) -> Tagger:
    """The tagger that `reference` names.

    `starter`, `openclip:hf-hub:OWNER/NAME`, `openclip:local-dir:PATH`, `openclip:NAME/TAG`,
    `hf:OWNER/NAME`, `dir:PATH` (an open_clip, a transformers or a `finetune tagger` folder),
    `model:NAME` (a folder of `models`, the data set's trained taggers) or `rule:color`.
    `attributes` are those that it shall answer, None for all that it can; `speed` says what runs
    it, None by the default settings; `background` is what it sees beside the garment (a fine-tuned
    one sees what it was trained on); `cache` is a folder where text embeddings are kept between
    runs. A fine-tuned tagger runs on torch in fp32, and one of an earlier taxonomy answers
    in present words by `history`, the migrations of its data set. Raises `UnknownModel`,
    `UnfitModel` or `ModelError` for the model, `BadTaxonomy` for an unknown attribute or one
    without prompts, `BadSetting` for the device; each says what to do.
    """
    parsed = Reference.parse(reference)
    if parsed.source is Source.RULE:
        return _rule(parsed, taxonomy, attributes)
    if folder := _finetuned(parsed, models):
        from annotate.finetuned.tagger import FineTunedTagger

        name, device = reference.strip(), resolve_device(device)
        return FineTunedTagger.load(folder, name, taxonomy, attributes, device, history)
    from annotate.zeroshot.base import ZeroShotTagger
    from annotate.zeroshot.texts import TextCache, check_prompts

    asked = [found.id for found in taxonomy.attributes] if attributes is None else attributes
    check_prompts(taxonomy, asked)
    folder = model_folder(parsed)
    calibrations = read_calibrations(folder) if folder else {}
    speed = speed or SpeedSettings()
    compute = Compute(resolve_device(device), speed.engine, speed.precision)
    encoder = load_encoder(parsed, compute)
    return ZeroShotTagger(encoder, taxonomy, asked, background, TextCache(cache), calibrations)


def read_calibrations(folder: Path) -> dict[str, Calibration]:
    """What `calibration.json` of a model folder says, by attribute; empty without that file."""
    path = folder / CALIBRATION
    if not path.is_file():
        return {}
    try:
        content: Mapping[str, Mapping[str, float]] = json.loads(path.read_text(encoding="utf-8"))
        return {attribute: _calibration(values) for attribute, values in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, BadInput) as error:
        raise ModelError(
            f"expected {{attribute: {{temperature, bias, threshold, items}}}} in {str(path)!r}, "
            f"but {error}; copy the model again, or delete that file to do without"
        ) from error


def _calibration(values: Mapping[str, float]) -> Calibration:
    return Calibration(
        temperature=float(values.get("temperature", 1)),
        bias=float(values.get("bias", 0)),
        threshold=float(values.get("threshold", 0)),
        items=int(values.get("items", 0)),
    )


def _rule(reference: Reference, taxonomy: Taxonomy, attributes: Sequence[str] | None) -> Tagger:
    if reference.name != "color":
        raise UnknownModel(f"there is no rule {reference.name!r}; use rule:color")
    if attributes is not None and "color" not in attributes:
        raise UnfitModel(
            f"rule:color answers color alone, but was asked for {', '.join(attributes)}; use "
            "another tagger for these"
        )
    from annotate.color_rule import ColorRule

    return ColorRule(taxonomy)


def _finetuned(reference: Reference, models: Path | None) -> Path | None:
    """The folder of a fine-tuned tagger, None for any other model."""
    from annotate.finetuned.folder import is_finetuned

    if reference.source is Source.FOLDER:
        folder = Path(reference.name).expanduser()  # one that is not there is told of later
        return folder if is_finetuned(folder) else None
    if reference.source is not Source.TRAINED:
        return None
    if models is None:
        raise UnknownModel(
            f"expected a data set to look for {reference} in, but none was given; name it, or "
            "give the model's folder as dir:PATH"
        )
    return trained_folder(models, reference.name)


def trained_folder(models: Path, name: str) -> Path:
    """Folder of a tagger that was trained in a data set; `UnknownModel` names those there are."""
    folder = models / name
    if Path(name).name == name and not name.startswith(".") and (folder / MODEL_CONFIG).is_file():
        return folder
    there = ", ".join(trained_names(models)) or "none yet; `garmentloop finetune tagger` makes one"
    raise UnknownModel(
        f"expected a tagger that was trained in this data set, but got model:{name}; there: {there}"
    )


def trained_names(models: Path) -> list[str]:
    """Names of the trained taggers in a folder, the first that was made first."""
    found = [path for path in models.glob(f"*/{MODEL_CONFIG}") if path.parent.name[0] != "."]
    found.sort(key=lambda path: (path.stat().st_mtime, path.parent.name))
    return [path.parent.name for path in found]


def model_folder(reference: Reference) -> Path | None:
    """The folder of an image-text model on this machine, None for what comes from a hub."""
    from annotate.zeroshot.openclip import LOCAL

    if reference.source is Source.STARTER:
        return shipped_tagger()
    if reference.source is Source.FOLDER:
        return reference.folder
    if reference.source is Source.OPEN_CLIP and reference.name.startswith(LOCAL):
        return Path(reference.name.removeprefix(LOCAL)).expanduser()
    return None


def load_encoder(reference: Reference, compute: Compute | None = None) -> "Encoder":
    """The image-text model that a reference names; `UnknownModel`, `UnfitModel`, `ModelError`."""
    compute = compute or Compute()
    from annotate.zeroshot.hf import HFEncoder
    from annotate.zeroshot.openclip import CONFIG, OpenClipEncoder

    folder = model_folder(reference)
    if reference.source is Source.CHAMPION:
        raise UnknownModel(
            "champion stands for all taggers in force, not for one model; leave it out where those "
            "are meant, or name one: starter, model:NAME, openclip:, hf: or dir:"
        )
    if reference.source is Source.STARTER:
        compute = compute.for_starter()
    if folder and (reference.source is not Source.FOLDER or (folder / CONFIG).is_file()):
        return OpenClipEncoder.load_folder(folder, str(reference), compute)
    if reference.source is Source.OPEN_CLIP:
        return OpenClipEncoder.load(reference, compute)
    if reference.source is Source.TIMM:
        raise UnfitModel(
            f"{reference} knows no words; train a tagger on it by `garmentloop finetune tagger "
            f"--backbone {reference}`"
        )
    if folder and "model_type" not in read_raw_config(folder):
        raise UnfitModel(
            f"{str(folder)!r} holds no image-text model; expected an open_clip folder ({CONFIG}) "
            "or a CLIP or SigLIP that transformers saved"
        )
    return HFEncoder.load(reference, compute)


def shipped_tagger() -> Path:
    """Folder of the starter tagger; `UnknownModel` where the package came without it."""
    folder = Path(str(resources.files("annotate"))) / "weights" / "tagger"
    if not (folder / "open_clip_config.json").is_file():
        raise UnknownModel(
            f"the starter tagger is not shipped yet: {str(folder)!r} has no open_clip_config.json; "
            "install the package again, or use openclip:, hf: or dir:"
        )
    return folder
