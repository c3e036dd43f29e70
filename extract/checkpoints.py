"""Transformers checkpoints from the Hugging Face hub, its cache, or a folder."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from garments.errors import ModelError, UnfitModel, UnknownModel
from garments.modelfolder import HASH_LENGTH, damaged
from garments.references import Reference, Source


@dataclass(frozen=True)
class Checkpoint:
    """A network in eval mode on the CPU, with the image processor that it was published with.

    `tokenizer` is None unless the task reads texts.
    """

    reference: str
    network: nn.Module
    processor: Any
    labels: dict[int, str]
    tokenizer: Any = None

    def fingerprint(self, **settings: object) -> str:
        """Hash of the weights, the processor and `settings`, 16 hex digits."""
        what = {"processor": self.processor.to_dict(), "labels": self.labels, "settings": settings}
        digest = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode())
        digest.update(hash_tensors(self.network.state_dict()).encode())
        return digest.hexdigest()[:HASH_LENGTH]


@dataclass(frozen=True)
class Task:
    """What a checkpoint is wanted for.

    `auto_class` is the transformers class that loads it, `words` names the task in messages, and
    `check` is given the labels by class index and the reference before any weights are read: it
    raises `UnfitModel` where they do not serve. `families` are the model types that will do, empty
    for all that `auto_class` knows; `texts` asks for the tokenizer too.
    """

    auto_class: str
    words: str
    check: Callable[[dict[int, str], str], object]
    families: frozenset[str] = frozenset()
    texts: bool = False

    @property
    def parts(self) -> str:
        """What a folder has to hold, in words."""
        return f"model{', tokenizer' if self.texts else ''} and image processor"

    def serves(self, config: Any) -> bool:
        """Whether a checkpoint with this configuration can do the task."""
        mapped = type(config) in getattr(_transformers(), self.auto_class)._model_mapping
        return mapped and (not self.families or config.model_type in self.families)


def hash_tensors(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and values of CPU tensors."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name}\x1f{tensor.dtype}\x1f{tuple(tensor.shape)}\x1f".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load_checkpoint(reference: Reference, task: Task) -> Checkpoint:
    """Load a `hf:` or `dir:` checkpoint; the hub is asked only for what its cache lacks.

    Raises `UnknownModel` when nothing has that name or the hub is out of reach, `UnfitModel` when
    the checkpoint is for another task, `ModelError` when its files are missing or damaged.
    """
    if reference.source is Source.FOLDER:
        folder = str(reference.folder)
        try:
            return _load(reference, task, folder, local_files_only=True)
        except OSError as error:
            raise ModelError(
                f"{folder!r} is no complete transformers checkpoint ({first_line(error)}); save "
                f"{task.parts} there with their save_pretrained"
            ) from error
    where = {"revision": reference.revision} if reference.revision else {}
    try:
        return _load(reference, task, reference.name, local_files_only=True, **where)
    except OSError:
        check_hub(reference)  # transformers itself would retry for half a minute
    try:
        return _load(reference, task, reference.name, **where)
    except OSError as error:
        raise UnknownModel(out_of_reach(reference, error)) from error


def _load(reference: Reference, task: Task, name: str, **where: Any) -> Checkpoint:
    """Configuration first, then weights: what does not serve is refused before it is loaded."""
    transformers = _transformers()
    where["trust_remote_code"] = False
    try:
        config = transformers.AutoConfig.from_pretrained(name, **where)
    except OSError:
        raise
    except Exception as error:  # an unknown model type, or whatever a config of another era does
        raise UnfitModel(
            f"{reference} is not for transformers ({first_line(error)}); expected a checkpoint "
            f"for {task.words}"
        ) from error
    auto_class = getattr(transformers, task.auto_class)
    if not task.serves(config):
        raise UnfitModel(
            f"expected a checkpoint for {task.words}, but {reference} is a {config.model_type} "
            f"model ({', '.join(config.architectures or ['no head named'])}), which has no such "
            "head; choose another, or starter"
        )
    labels = {int(index): str(label) for index, label in config.id2label.items()}
    task.check(labels, str(reference))
    network = _weights(reference, task, auto_class, name, config, where)
    processor = _processor(transformers, reference, name, where)
    tokenizer = _tokenizer(transformers, reference, name, where) if task.texts else None
    return Checkpoint(str(reference), network.eval(), processor, labels, tokenizer)


def _weights(
    reference: Reference, task: Task, auto_class: Any, name: str, config: Any, where: dict[str, Any]
) -> nn.Module:
    try:
        network, info = auto_class.from_pretrained(
            name, config=config, dtype=torch.float32, output_loading_info=True, **where
        )
    except OSError:
        raise
    except Exception as error:  # safetensors, pickle and torch each have their own
        raise ModelError(damaged(str(reference), error)) from error
    # transformers fills what a checkpoint lacks with random numbers and only logs it
    lacking = sorted(set(info["missing_keys"]) & {key for key, _ in network.named_parameters()})
    if lacking:
        raise UnfitModel(
            f"{reference} lacks {len(lacking)} weights that {task.words} needs, such as "
            f"{', '.join(lacking[:3])}; choose a checkpoint that was trained for it"
        )
    return network  # type: ignore[no-any-return]


def _processor(transformers: Any, reference: Reference, name: str, where: dict[str, Any]) -> Any:
    """The image processor, also where it has the name that such classes had before 2023."""
    try:
        return transformers.AutoImageProcessor.from_pretrained(name, **where)
    except ValueError as error:
        base = transformers.image_processing_utils.ImageProcessingMixin
        settings, _ = base.get_image_processor_dict(name, **where)
        old = str(settings.get("image_processor_type"))
        processor = getattr(transformers, old.replace("FeatureExtractor", "ImageProcessor"), None)
        if processor is None:
            raise UnfitModel(
                f"{reference} has an image processor {old!r} that transformers does not know; "
                "correct image_processor_type in its preprocessor_config.json"
            ) from error
        return processor.from_dict(settings)


def _tokenizer(transformers: Any, reference: Reference, name: str, where: dict[str, Any]) -> Any:
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, **where)
    except OSError:
        raise
    except Exception as error:  # each kind of tokenizer has its own
        raise ModelError(
            f"the tokenizer of {reference} cannot be loaded ({first_line(error)}); save it there "
            "with its save_pretrained, or download the model again"
        ) from error
    # where its files are missing, some families make one without words
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise OSError("its tokenizer is missing")
    return tokenizer


def _transformers() -> Any:
    """The package, told to send nothing home and to keep its notes to itself."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    transformers: Any = import_module("transformers")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


def check_hub(reference: Reference) -> None:
    """`UnknownModel` at once when the hub cannot be reached."""
    import httpx
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise UnknownModel(out_of_reach(reference, "HF_HUB_OFFLINE is set"))
    try:
        httpx.head(constants.ENDPOINT, timeout=10)
    except httpx.HTTPError as error:
        raise UnknownModel(out_of_reach(reference, error)) from error


def out_of_reach(reference: Reference, error: object) -> str:
    """The message for a reference that neither the hub nor its cache gave."""
    return (
        f"{reference} could not be loaded from the hub or its cache ({first_line(error)}); check "
        "the name, connect to the network once to fetch it, or use dir:FOLDER or starter"
    )


def first_line(error: object) -> str:
    """What an error says, in one line; its class where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
