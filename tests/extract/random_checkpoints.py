"""Small checkpoints with random weights, saved in the format that transformers publishes."""

from pathlib import Path
from typing import Any

import torch
import transformers

from garments.mappings import mapping

ATR = list(mapping("atr").labels)

SMALL_DETR = {
    "use_timm_backbone": True,
    "use_pretrained_backbone": False,
    "backbone": "resnet18",
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_queries": 12,
}


def save_detr(
    folder: Path, labels: tuple[str, ...] = ("N/A", "Person", "dog"), conditional: bool = False
) -> Path:
    names = dict(enumerate(labels))
    if conditional:
        config: Any = transformers.ConditionalDetrConfig(**SMALL_DETR, id2label=names)
        processor: Any = transformers.ConditionalDetrImageProcessor
    else:
        config = transformers.DetrConfig(**SMALL_DETR, id2label=names)
        processor = transformers.DetrImageProcessor
    save_detector(folder, config)
    processor(size={"shortest_edge": 96, "longest_edge": 160}).save_pretrained(folder)
    return folder


def save_yolos(folder: Path) -> Path:
    config = transformers.YolosConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=[64, 96],
        patch_size=16,
        num_detection_tokens=9,
        id2label={0: "cat", 1: "person"},
    )
    save_detector(folder, config)
    size = {"shortest_edge": 64, "longest_edge": 128}
    transformers.YolosImageProcessor(size=size).save_pretrained(folder)
    return folder


def save_rt_detr(folder: Path) -> Path:
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = transformers.RTDetrConfig(
        backbone_config=backbone,
        encoder_hidden_dim=16,
        encoder_in_channels=[16, 16, 16],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=1,
        decoder_attention_heads=2,
        num_queries=12,
        num_denoising=0,
        id2label={0: "person", 1: "bicycle"},
    )
    save_detector(folder, config)
    processor = transformers.RTDetrImageProcessor(size={"height": 128, "width": 128})
    processor.save_pretrained(folder)
    return folder


def save_detector(folder: Path, config: Any) -> None:
    """Weights stronger than usual, so that queries differ in box and label, with more people."""
    people = [index for index, name in config.id2label.items() if name.lower() == "person"]
    torch.manual_seed(3)
    model = transformers.AutoModelForObjectDetection.from_config(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.normal_(0, 1.2 * weight.shape[1] ** -0.5)
            if "embeddings.weight" in name or "detection_tokens" in name:
                weight.normal_(0, 1)
            if weight.dim() == 1 and "class" in name and people:
                weight[people] += 2
    model.save_pretrained(folder)


def save_segformer(folder: Path, labels: list[str] = ATR) -> Path:
    torch.manual_seed(4)
    config = transformers.SegformerConfig(
        id2label=dict(enumerate(labels)),
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 16, 24, 32],
        num_attention_heads=[1, 2, 2, 2],
        decoder_hidden_size=32,
    )
    model = transformers.SegformerForSemanticSegmentation(config).eval()
    with torch.no_grad():
        norm = model.decode_head.batch_norm
        for tensor in (norm.weight, norm.running_var):
            tensor.uniform_(0.5, 2)
        for tensor in (norm.bias, norm.running_mean):
            tensor.normal_(0, 0.1)
        for name, weight in model.decode_head.named_parameters():
            if weight.dim() > 1 and "norm" not in name:
                weight.normal_(0, 0.2)
    model.save_pretrained(folder)
    processor = transformers.SegformerImageProcessor(size={"height": 192, "width": 192})
    processor.save_pretrained(folder)
    return folder
