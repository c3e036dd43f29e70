"""Image-text models of open_clip: from the Hugging Face hub, a folder, or by name."""

import difflib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from annotate.zeroshot.tower import ComposedPreparation, Tower
from extract.accelerate.compute import Compute
from extract.checkpoints import check_hub, first_line, hash_tensors, out_of_reach
from garments.errors import ModelError, UnknownModel
from garments.modelfolder import HASH_LENGTH, weights_hash
from garments.references import Reference
from garments.tagger import Activation

CONFIG = "open_clip_config.json"
LOCAL, HUB = "local-dir:", "hf-hub:"


class OpenClipEncoder:
    """`annotate.zeroshot.base.Encoder` over a model of open_clip, with its own preprocessing."""

    def __init__(
        self,
        network: Any,
        preprocess: Any,
        tokenizer: Any,
        reference: str,
        weights_hash: str,
        compute: Compute | None = None,
    ) -> None:
        """`preprocess` and `tokenizer` are what open_clip makes for this network."""
        compute = compute or Compute()
        self.reference = reference
        self.weights_hash = compute.identity(weights_hash)
        bias = getattr(network, "logit_bias", None)
        self.activation = Activation.SOFTMAX if bias is None else Activation.SIGMOID
        self.bias = 0.0 if bias is None else float(bias.detach())
        self.scale = float(network.logit_scale.detach().exp())
        self.network = network.to(compute.device).eval()
        self._tokenizer = tokenizer
        self._device = compute.device
        self._tower = Tower(_Images(network), ComposedPreparation(preprocess), compute, reference)
        self.runner = self._tower.runner
        self.dimension = self.encode_texts(["a garment"]).shape[1]

    @classmethod
    def load(cls, reference: Reference, compute: Compute | None = None) -> "OpenClipEncoder":
        """Load `openclip:hf-hub:OWNER/NAME` or `openclip:NAME/TAG`.

        Raises `UnknownModel` when nothing has that name or the hub is out of reach, `ModelError`
        when open_clip is not installed.
        """
        library = _library(str(reference))
        if reference.name.startswith(HUB):
            name, options = reference.name, dict[str, Any]()
        else:
            name, options = _named(library, reference)
        parts = _from_hub(library, reference, name, options)
        digest = hash_tensors(parts[0].state_dict())[:HASH_LENGTH]
        return cls(*parts, str(reference), digest, compute)

    @classmethod
    def load_folder(
        cls, folder: Path, reference: str, compute: Compute | None = None
    ) -> "OpenClipEncoder":
        """Load a folder with `open_clip_config.json`, weights and, if need be, a tokenizer.

        Raises `UnknownModel` when there is no such folder, `ModelError` when files are missing or
        damaged or open_clip is not installed.
        """
        if not (folder / CONFIG).is_file():
            raise UnknownModel(
                f"expected a folder with {CONFIG}, but {str(folder)!r} has none (from {reference});"
                " give the folder of an open_clip model"
            )
        digest = weights_hash(folder)
        library = _library(reference)
        try:
            parts = _parts(library, f"{LOCAL}{folder}", {})
        except Exception as error:  # open_clip, safetensors, torch and tokenizers each have theirs
            raise ModelError(
                f"{str(folder)!r} cannot be loaded by open_clip ({first_line(error)}); its "
                "configuration, weights or tokenizer are damaged or missing: copy or download the "
                "model again"
            ) from error
        return cls(*parts, reference, digest, compute)

    def encode_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """(N, D) of unit length."""
        return self._tower.unit(images)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, D) of unit length."""
        tokens = self._tokenizer(list(texts))
        with torch.inference_mode():
            return self._unit(self.network.encode_text(tokens.to(self._device)))

    def _unit(self, features: torch.Tensor) -> NDArray[np.float32]:
        unit: NDArray[np.float32] = torch.nn.functional.normalize(features, dim=-1).cpu().numpy()
        return unit


class _Images(nn.Module):
    """The image tower: of the network it owns this part alone, so the texts' stays as it is."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.visual = network.visual
        self._whole = (network,)

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        return (self._whole[0].encode_image(pixels),)


def _library(reference: str) -> Any:
    try:
        return import_module("open_clip")
    except ImportError as error:
        raise ModelError(
            f"{reference} needs open_clip, which cannot be imported ({first_line(error)}); "
            "pip install open-clip-torch"
        ) from error


def _parts(library: Any, name: str, options: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Network on the CPU, preprocessing and tokenizer; fails where there are no trained weights."""
    network, preprocess = library.create_model_from_pretrained(name, **options)
    return network, preprocess, library.get_tokenizer(name)


def _from_hub(
    library: Any, reference: Reference, name: str, options: dict[str, Any]
) -> tuple[Any, Any, Any]:
    """What `_parts` makes of the hub's cache, or else of the hub."""
    try:
        with _offline():
            return _parts(library, name, options)
    except Exception:  # whatever the hub, torch and the tokenizer raise
        check_hub(reference)  # the library itself would retry for a minute
    try:
        return _parts(library, name, options)
    except Exception as error:
        raise UnknownModel(out_of_reach(reference, error)) from error


@contextmanager
def _offline() -> Iterator[None]:
    """Only the hub's cache is asked, and what it lacks is not complained about."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
        logging.disable(logging.NOTSET)


def _named(library: Any, reference: Reference) -> tuple[str, dict[str, Any]]:
    """Name and options for NAME/TAG, or for NAME alone where there is but one set of weights."""
    name, tag = _split(library, reference)
    tags = library.list_pretrained_tags_by_model(name)
    if not tag and len(tags) == 1:
        tag = tags[0]
    if tag not in tags:
        known = ", ".join(tags) or "none"
        raise UnknownModel(
            f"expected the tag of a set of weights as in openclip:{name}/TAG, but got "
            f"{tag or 'none'}; known for {name}: {known}"
        )
    # an architecture's name does not tell with which of two activations a tag was trained
    quick = bool((library.get_pretrained_cfg(name, tag) or {}).get("quick_gelu"))
    return name, {"pretrained": tag, "force_quick_gelu": quick}


def _split(library: Any, reference: Reference) -> tuple[str, str]:
    """Architecture and tag; OpenAI's names such as ViT-B/32 have a slash of their own."""
    known = library.list_models()
    whole = reference.name.replace("/", "-")
    if whole in known:
        return whole, ""
    name, _, tag = reference.name.rpartition("/")
    name = name.replace("/", "-")
    if name in known:
        return name, tag
    raise UnknownModel(
        f"open_clip has no model {reference.name!r}; expected openclip:{HUB}OWNER/NAME, "
        f"openclip:{LOCAL}PATH or openclip:NAME/TAG, such as openclip:ViT-B-32/openai"
        f"{_near(reference.name, known)}"
    )


def _near(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.partition("/")[0], known, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""
