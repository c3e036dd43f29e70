"""How a backbone is trained: by low-rank changes of it, with blocks that are skipped at times."""

from torch import nn

from finetune.tagger.options import Recipe
from garments.errors import BadSetting

SKIPPABLE = ("drop_path", "drop_path1", "drop_path2")
"""What timm calls the places in a block where its branch may be skipped."""


def with_low_rank(backbone: nn.Module, recipe: Recipe) -> nn.Module:
    """The backbone with low-rank changes of its matrices and kernels, all else fixed."""
    from peft import LoraConfig, get_peft_model

    names = [
        name
        for name, part in backbone.named_modules()
        if isinstance(part, nn.Linear | nn.MultiheadAttention)
        or (isinstance(part, nn.Conv2d) and part.groups == 1)
    ]
    inside = [n for n in names if not any(n.startswith(f"{other}.") for other in names)]
    config = LoraConfig(r=recipe.rank, lora_alpha=2 * recipe.rank, target_modules=inside)
    wrapped: nn.Module = get_peft_model(backbone, config)
    return wrapped


def skip_blocks(backbone: nn.Module, rate: float) -> None:
    """Let the last block be skipped for that share of inputs, those before it more seldom.

    Linear in depth, as the authors of stochastic depth have it. Raises `BadSetting` for a backbone
    without blocks of timm's kind.
    """
    from timm.layers.drop import DropPath

    places = [
        (part, name)
        for part in backbone.modules()
        for name in SKIPPABLE
        # where nothing is skipped, some networks have nothing there, others None
        if isinstance(getattr(part, name, False), nn.Identity | DropPath | None)
    ]
    if not places:
        raise BadSetting(
            "expected a backbone of timm with blocks that can be skipped, but this one has none; "
            "leave --drop-path out"
        )
    for number, (part, name) in enumerate(places, start=1):
        setattr(part, name, DropPath(rate * number / len(places)))
