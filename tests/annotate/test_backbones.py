"""Image towers of each library, taken from a model and built again without it."""

from pathlib import Path

import pytest
import torch
from random_clips import save_hf_clip, save_hf_siglip, save_open_clip

from annotate.finetuned.backbone import Backbone
from annotate.finetuned.backbones import load_backbone
from garments.errors import ModelError

SAVED = {"open_clip": save_open_clip, "clip": save_hf_clip, "siglip": save_hf_siglip}


@pytest.mark.parametrize("kind", SAVED)
def test_a_tower_is_built_again_from_its_description(kind: str, tmp_path: Path):
    SAVED[kind](tmp_path)
    tower, found = load_backbone(f"dir:{tmp_path}")
    built = Backbone.read(found.content(), "config.json").build()
    built.load_state_dict(tower.state_dict())
    pixels = torch.rand(2, 3, found.side, found.side)
    with torch.no_grad():
        one, other = tower.eval()(pixels), built.eval()(pixels)
    assert one.shape == (2, found.width)
    torch.testing.assert_close(one, other)
    assert found.weights_hash


def test_a_description_that_nobody_can_build_from_is_told(tmp_path: Path):
    content = load_backbone("starter")[1].content()
    with pytest.raises(ModelError, match="constraints"):
        Backbone.read({**content, "config": {"tower": {}}}, "config.json").build()
    with pytest.raises(ModelError, match="train it again"):
        Backbone.read({"library": "timm"}, "config.json")
