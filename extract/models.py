"""From a model reference to the detector or parser that it names."""

from importlib import resources
from pathlib import Path
from typing import Any

from extract.accelerate.compute import Compute
from extract.base import Detector, Parser
from garments.errors import BadSetting, ModelError, UnfitModel, UnknownModel
from garments.modelfolder import damaged, read_config, read_raw_config
from garments.references import Reference, Source


def load_detector(
    reference: str,
    device: str = "auto",
    engine: str = "auto",
    precision: str = "auto",
    **options: Any,
) -> Detector:
    """The detector that `reference` names: `starter`, `hf:OWNER/NAME` or `dir:PATH`.

    `device` is auto (a GPU where torch sees one, else the CPU), cpu, cuda, cuda:N or mps; `engine`
    and `precision` are those of `garments.settings.SpeedSettings`. `options` go to checkpoints of
    transformers: floor (lowest score returned), padded (to common sizes; all but fp32 are).
    Raises `UnknownModel`, `UnfitModel`, `ModelError` or `BadSetting`, each saying what to do.
    """
    compute = Compute(resolve_device(device), engine, precision)
    detector: Detector = _load("detector", reference, compute, options)
    return detector


def load_parser(
    reference: str, device: str = "auto", engine: str = "auto", precision: str = "auto"
) -> Parser:
    """The parser that `reference` names: `starter`, `hf:OWNER/NAME` or `dir:PATH`.

    The other arguments and what is raised are as for `load_detector`.
    """
    compute = Compute(resolve_device(device), engine, precision)
    parser: Parser = _load("parser", reference, compute, {})
    return parser


def resolve_device(device: str) -> str:
    """`device` as torch spells it; `BadSetting` when it is no device or this machine lacks it."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind, index = torch.device(device).type, torch.device(device).index or 0
    except RuntimeError:
        kind, index = "", 0
    if kind not in ("cpu", "cuda", "mps"):
        raise BadSetting(f"expected device auto, cpu, cuda, cuda:N or mps, but got {device!r}")
    there = {
        "cpu": index == 0,
        "cuda": index < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[kind]:
        raise BadSetting(
            f"expected a device of this machine, but torch sees no {device!r}; use auto or cpu, or "
            "see what `garmentloop doctor` says"
        )
    return "cpu" if kind == "cpu" else device


def _load(kind: str, reference: str, compute: Compute, options: dict[str, Any]) -> Any:
    parsed = Reference.parse(reference)
    if parsed.source is Source.STARTER:
        return _starter(kind, _shipped(kind), compute, reference)
    if parsed.source is Source.FOLDER and not _is_transformers(parsed.folder):
        return _own(kind, parsed, compute)
    _expect_checkpoint(parsed, kind)
    if kind == "detector":
        from extract.detectors.hf import HFDetector

        return HFDetector.load(parsed, compute, **options)
    from extract.parsers.hf import HFParser

    return HFParser.load(parsed, compute)


def _is_transformers(folder: Path) -> bool:
    return "model_type" in read_raw_config(folder)


def _expect_checkpoint(reference: Reference, kind: str) -> None:
    if reference.source is Source.CHAMPION:
        raise UnknownModel(
            f"no {kind} of this data set has been promoted to champion; use starter, hf: or dir:"
        )
    if reference.source in (Source.OPEN_CLIP, Source.RULE):
        raise UnfitModel(
            f"{reference} tags garments, it is no {kind}; use starter, hf:OWNER/NAME or dir:PATH"
        )


def _own(kind: str, reference: Reference, compute: Compute) -> Any:
    """A model of the project's own folder format, by its architecture."""
    folder = reference.folder
    config = read_config(folder)
    architecture = config.architecture
    if config.kind != kind:
        raise UnfitModel(
            f"expected a {kind} in {str(folder)!r}, but its config.json says kind "
            f"{config.kind!r}; give the folder of a {kind} or of a transformers checkpoint"
        )
    if kind == "parser" and architecture == "smp":
        from extract.parsers.smp import SMPParser

        return SMPParser.load(folder, compute)
    if architecture.startswith("starter"):
        return _starter(kind, folder, compute, str(reference))
    raise UnfitModel(
        f"{str(folder)!r} holds a {kind} of architecture {architecture!r}, which this version of "
        "garmentloop does not have; upgrade it, or use starter"
    )


def _starter(kind: str, folder: Path, compute: Compute, reference: str) -> Any:
    from safetensors import SafetensorError

    try:
        if kind == "detector":
            from extract.starter.detector import StarterDetector

            return StarterDetector.load(folder, compute, reference)
        from extract.starter.parser import StarterParser

        return StarterParser.load(folder, compute, reference)
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError) as error:
        raise ModelError(damaged(folder, error)) from error


def _shipped(kind: str) -> Path:
    """Folder of the weights that ship with the package."""
    folder = Path(str(resources.files("extract"))) / "weights" / kind
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"the {kind} that ships with garmentloop is missing from {str(folder)!r}; install the "
            "package again"
        )
    return folder
