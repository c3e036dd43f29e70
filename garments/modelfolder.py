"""The folder format of the project's own models.

`model.safetensors` holds the weights, `config.json` what they are (`ModelConfig`), `README.md` is
the model card. A folder is complete when it has its `config.json`, which is written last.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garments.errors import ModelError, UnknownModel
from garments.whole import write_whole

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
HASH_LENGTH = 16
_WEIGHT_FILES = ("*.safetensors", "*.bin", "*.pt", "*.pth")


@dataclass(frozen=True)
class ModelConfig:
    """What the weights of a model folder are.

    `kind` is the role (detector, parser, tagger), `architecture` names the code that builds the
    network, `settings` is all that this code needs, `metrics` what was measured on the weights.
    """

    kind: str
    architecture: str
    version: str
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def read_raw_config(folder: Path) -> dict[str, Any]:
    """The folder's `config.json`, whoever wrote it; `ModelError` when it is missing or damaged."""
    path = folder / CONFIG
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnknownModel(
            f"expected a model folder with {CONFIG}, but {str(folder)!r} has none; "
            "give a folder that `finetune` or transformers' save_pretrained wrote"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{str(path)!r} cannot be read as JSON ({error}); copy or save the model again"
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"expected an object in {str(path)!r}, but got {type(content).__name__}")
    return content


def read_config(folder: Path) -> ModelConfig:
    """The configuration of one of our own model folders; `ModelError` when keys are missing."""
    raw = read_raw_config(folder)
    missing = [key for key in ("kind", "architecture") if not isinstance(raw.get(key), str)]
    if missing:
        raise ModelError(
            f"expected 'kind' and 'architecture' in {str(folder / CONFIG)!r}, but "
            f"{' and '.join(missing)} is missing; is this a folder that `finetune` wrote?"
        )
    return ModelConfig(
        kind=raw["kind"],
        architecture=raw["architecture"],
        version=str(raw.get("version", "0")),
        settings=dict(raw.get("settings") or {}),
        metrics=dict(raw.get("metrics") or {}),
    )


def write_model(
    folder: Path,
    weights: "Mapping[str, Tensor]",
    config: ModelConfig,
    card: str,
    half: bool = False,
) -> None:
    """Write a model folder; `half` stores floating-point matrices and kernels as float16.

    Each file is replaced at once, `config.json` last, so a killed writer leaves no folder that
    looks complete but is not.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).unlink(missing_ok=True)
    tensors = {name: _stored(tensor, half) for name, tensor in weights.items()}
    write_whole(folder / WEIGHTS, save(tensors))
    write_whole(folder / CARD, card.encode())
    content = {
        "kind": config.kind,
        "architecture": config.architecture,
        "version": config.version,
        "settings": config.settings,
        "metrics": config.metrics,
    }
    write_whole(folder / CONFIG, (json.dumps(content, indent=2) + "\n").encode())


def read_weights(folder: Path) -> "dict[str, Tensor]":
    """Weights by name, on the CPU, floating-point ones as float32 whatever they are stored as.

    `ModelError` when the file is missing, truncated or not a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(
            f"expected the weights in {str(path)!r}, but there is none; copy it or train again"
        )
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(damaged(path, error)) from error
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }


def damaged(path: Path | str, error: Exception) -> str:
    """The message for weights that cannot be read."""
    return (
        f"the weights in {str(path)!r} are damaged or no safetensors file ({error}); "
        "copy or download the model again"
    )


def weights_hash(folder: Path) -> str:
    """SHA-256 over the folder's weight files and their names, first 16 hex digits.

    `ModelError` when the folder has no weights.
    """
    files = sorted({path for pattern in _WEIGHT_FILES for path in folder.glob(pattern)})
    if not files:
        raise ModelError(f"expected weights such as {WEIGHTS} in {str(folder)!r}, but found none")
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name}\x1f{path.stat().st_size}\x1f".encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:HASH_LENGTH]


def _stored(tensor: "Tensor", half: bool) -> "Tensor":
    tensor = tensor.detach().cpu()
    # vectors take no room, and float16 has no variances below 6e-8
    halved = half and tensor.is_floating_point() and tensor.dim() > 1
    return (tensor.half() if halved else tensor).contiguous()
