"""The starter image-text model: an open_clip model small enough to ship.

An image tower of timm (its ResNet-10-T, where nothing else is given: basic blocks under a
three-layer stem, cheap on a processor) and a narrow text transformer over a small byte-pair
vocabulary, so that nearly all weights see pictures. Saved as an open_clip folder, which
`open_clip.create_model("local-dir:...")` loads too.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotate.preparation import GREY
from garments.errors import ModelError, UnfitModel
from garments.modelfolder import damaged

IMAGE_SIDE = 96
CONTEXT = 16
VOCABULARY = 2048
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Those of OpenAI's CLIP, which open_clip takes by default."""

TOWER = "resnet10t"

CONFIG = "open_clip_config.json"

PAD, BEGIN, END = "<pad>", "<start>", "<end>"

MODEL: dict[str, Any] = {
    "embed_dim": 128,
    "vision_cfg": {
        "timm_model_name": TOWER,
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
        "image_size": IMAGE_SIDE,
    },
    "text_cfg": {
        "context_length": CONTEXT,
        "vocab_size": VOCABULARY,
        "hf_tokenizer_name": "tokenizer",
        "width": 128,
        "heads": 4,
        "layers": 2,
        "pool_type": "eos",
        "pad_id": 0,
        "eos_id": 2,
    },
}
PREPROCESS: dict[str, Any] = {
    "mean": MEAN,
    "std": STD,
    "interpolation": "bicubic",
    "resize_mode": "longest",
    "fill_color": GREY,
}


def model_of(tower: str) -> dict[str, Any]:
    """The configuration of a model with this image tower."""
    vision = {**MODEL["vision_cfg"], "timm_model_name": tower}
    return {**MODEL, "vision_cfg": vision, "text_cfg": dict(MODEL["text_cfg"])}


class ClipNet(nn.Module):
    """An open_clip model, its text tower kept out of reduced precision."""

    def __init__(self, tower: str = TOWER) -> None:
        """`tower` is the image tower's name in timm; all weights are random."""
        super().__init__()
        from open_clip.model import CLIP

        self.tower = tower
        self.clip = CLIP(**model_of(tower), quick_gelu=False)

    def image(self, pixels: Tensor) -> Tensor:
        """Unit vectors (N, D) of pixels (N, 3, 96, 96), float in [0, 255]."""
        mean = torch.tensor(MEAN, device=pixels.device).view(1, 3, 1, 1) * 255
        std = torch.tensor(STD, device=pixels.device).view(1, 3, 1, 1) * 255
        normal = ((pixels.float() - mean) / std).contiguous(memory_format=torch.channels_last)
        return F.normalize(self.clip.encode_image(normal).float(), dim=-1)

    def text(self, tokens: Tensor) -> Tensor:
        """Unit vectors (M, D) of token ids (M, CONTEXT)."""
        with torch.autocast("cpu", enabled=False):
            return F.normalize(self.clip.encode_text(tokens).float(), dim=-1)

    def scale(self) -> Tensor:
        """What similarities are multiplied with, at most 100 as in CLIP (2103.00020)."""
        return self.clip.logit_scale.clamp(max=4.6052).exp()  # type: ignore[no-any-return]


def build_tokenizer(texts: Iterable[str]) -> Any:
    """A byte-pair tokenizer of lower-case text, learnt from `texts`; any other text splits up."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, BEGIN, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sorted(set(texts)), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}", special_tokens=[(BEGIN, 1), (END, 2)]
    )
    fast: Any = PreTrainedTokenizerFast
    return fast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BEGIN,
        eos_token=END,
        model_max_length=CONTEXT,
    )


def tokenize(tokenizer: Any, texts: list[str]) -> Tensor:
    """Token ids (M, CONTEXT) as open_clip's own wrapper makes them."""
    encoded = tokenizer(
        texts, max_length=CONTEXT, padding="max_length", truncation=True, return_tensors="pt"
    )
    return encoded.input_ids  # type: ignore[no-any-return]


def load_clip(folder: Path, net: ClipNet) -> None:
    """Give `net` the weights that `save_clip` wrote into `folder`; `ModelError` where it cannot."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / "open_clip_model.safetensors"
    try:
        net.clip.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(damaged(path, error)) from error


def started(folder: Path) -> ClipNet:
    """A net with the tower and the weights that `save_clip` wrote into `folder`."""
    path = folder / CONFIG
    try:
        tower = json.loads(path.read_text())["model_cfg"]["vision_cfg"]["timm_model_name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(damaged(path, error)) from error
    net = ClipNet(str(tower))
    load_clip(folder, net)
    return net


def with_trunk(folder: Path) -> ClipNet:
    """A net whose image tower is that of a tagger, all else random.

    `folder` was written by `finetune tagger --backbone timm:NAME`; else `UnfitModel`.
    """
    from annotate.finetuned.folder import load_net

    tagger, made = load_net(folder)
    config = made.backbone.mirroring(False).config
    if made.backbone.library != "timm" or len(config) != 1:
        raise UnfitModel(
            f"expected a tagger on a whole tower of timm in {folder}, but its backbone is "
            f"{made.backbone.reference}; train one by `garmentloop finetune tagger --mode full "
            "--backbone timm:NAME --from-scratch`"
        )
    net = ClipNet(str(config["name"]))
    visual: Any = net.clip.visual
    visual.trunk.load_state_dict(tagger.backbone.state_dict())
    return net


def save_clip(folder: Path, net: ClipNet, tokenizer: Any, card: str) -> None:
    """Write an open_clip folder, matrices in float16; the configuration last."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = folder / CONFIG
    config.unlink(missing_ok=True)
    tensors = {
        name: (
            value.half() if value.is_floating_point() and value.dim() > 1 else value
        ).contiguous()
        for name, value in net.clip.state_dict().items()
    }
    save_file(tensors, folder / "open_clip_model.safetensors")
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(card, encoding="utf-8")
    content = {"model_cfg": model_of(net.tower), "preprocess_cfg": PREPROCESS}
    config.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
