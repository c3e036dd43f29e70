"""Small CLIP and SigLIP models with random weights, in the formats that their libraries publish.

`save_open_clip` writes an open_clip folder (for `dir:` and `openclip:local-dir:`), `save_hf_clip`
and `save_hf_siglip` transformers checkpoints (for `dir:`). Weights are stronger than usual and the
temperature is that of a trained model, so that crops and values are told apart.
"""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

SIZE, PATCH, WIDTH, DIMENSION, LENGTH = 32, 8, 64, 32, 64
"""Pixels a side of image and patch, width of both towers, of the embedding, tokens of a text."""

PAD, START, END = "<pad>", "<start>", "<end>"
SCALE = 3.0
"""Logarithm of what similarities are multiplied by: about 20."""


def save_tokenizer(folder: Path, length: int = LENGTH) -> int:
    """Write a tokenizer that takes a byte for a token; returns the size of its vocabulary."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = [PAD, START, *letters, END]  # the end last: CLIP looks for the highest id
    vocabulary = {name: index for index, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(n, vocabulary[n]) for n in (START, END)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        model_max_length=length,
    ).save_pretrained(folder)
    return len(names)


def save_open_clip(
    folder: Path, sigmoid: bool = False, seed: int = 0, dimension: int = DIMENSION, **vision: Any
) -> Path:
    """Write an open_clip folder; `sigmoid` makes it a SigLIP, `vision` overrides vision_cfg."""
    from open_clip.model import CLIP

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "embed_dim": dimension,
        "vision_cfg": {
            "image_size": SIZE,
            "patch_size": PATCH,
            "width": WIDTH,
            "head_width": 32,
            "layers": 2,
            **vision,
        },
        "text_cfg": {
            "context_length": LENGTH,
            "vocab_size": save_tokenizer(folder),
            "hf_tokenizer_name": "in this folder",
            "width": WIDTH,
            "heads": 2,
            "layers": 2,
        },
        **({"init_logit_bias": -2.0} if sigmoid else {}),
    }
    content = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    torch.manual_seed(seed)
    network = stronger(CLIP(**config))
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def save_hf_clip(folder: Path, seed: int = 0) -> Path:
    """Write a transformers CLIPModel with image processor and tokenizer."""
    vocabulary = save_tokenizer(folder)
    config = transformers.CLIPConfig(
        text_config=_tower() | _texts(vocabulary),
        vision_config=_tower() | _images(),
        projection_dim=DIMENSION,
    )
    torch.manual_seed(seed)
    stronger(transformers.CLIPModel(config)).save_pretrained(folder)
    transformers.CLIPImageProcessor(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}
    ).save_pretrained(folder)
    return folder


def save_hf_siglip(folder: Path, seed: int = 0) -> Path:
    """Write a transformers SiglipModel with image processor and tokenizer."""
    vocabulary = save_tokenizer(folder)
    config = transformers.SiglipConfig(
        text_config=_tower() | _texts(vocabulary), vision_config=_tower() | _images()
    )
    torch.manual_seed(seed)
    stronger(transformers.SiglipModel(config)).save_pretrained(folder)
    transformers.SiglipImageProcessor(size={"height": SIZE, "width": SIZE}).save_pretrained(folder)
    return folder


def stronger(network: Any) -> Any:
    """Weights so large that different inputs get different embeddings."""
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "logit_scale" in name:
                weight.fill_(SCALE)
            elif "logit_bias" in name:
                weight.fill_(-2.0)
            elif weight.dim() > 1:
                fan = weight[0].numel()
                weight.normal_(0, 1.0 if "embedding" in name else 1.5 * fan**-0.5)
    return network.eval()


def _tower() -> dict[str, int]:
    return {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }


def _images() -> dict[str, int]:
    return {"image_size": SIZE, "patch_size": PATCH}


def _texts(vocabulary: int) -> dict[str, int]:
    return {
        "vocab_size": vocabulary,
        "max_position_embeddings": LENGTH,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": vocabulary - 1,
    }
