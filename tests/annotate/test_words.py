"""What an image-text model says by its words, worked into a network that is trained."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from random_clips import save_hf_clip, save_hf_siglip, save_open_clip

from annotate.finetuned.backbone import Backbone, with_stages
from annotate.finetuned.backbones import load_backbone
from annotate.finetuned.layout import Layout
from annotate.finetuned.words import directions, with_words, words_of
from annotate.taggers import load_tagger
from garments.settings import SpeedSettings
from garments.tagger import Crop
from garments.taxonomy import Taxonomy

TAXONOMY = Taxonomy.default()
LAYOUT = Layout.of(TAXONOMY, ["category", "color", "pattern"])
SAVED = {"open_clip": save_open_clip, "clip": save_hf_clip, "siglip": save_hf_siglip}


@pytest.fixture(params=["starter", *SAVED])
def reference(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "starter":
        return "starter"
    SAVED[request.param](tmp_path)
    return f"dir:{tmp_path}"


def square(side: int) -> Crop:
    """A picture that no model has to resize."""
    source = np.random.default_rng(3)
    return Crop(source.integers(0, 256, (side, side, 3)).astype(np.uint8))


@pytest.mark.parametrize("staged", [False, True])
def test_a_worded_tower_says_what_the_zero_shot_tagger_says(reference: str, staged: bool):
    tower, backbone = load_backbone(reference)
    if staged:
        tower, backbone = with_stages(tower, backbone)
    words = words_of(reference)
    assert words is not None
    made = with_words(tower, backbone, words)
    assert made is not None
    worded, described = made
    assert described.width == backbone.width + described.embedding
    assert sum(described.blocks) == backbone.width
    crop = square(backbone.side)
    pixels = torch.from_numpy(crop.pixels.transpose(2, 0, 1).copy())[None].float() / 255
    mean, std = (torch.tensor(one).view(1, 3, 1, 1) for one in (described.mean, described.std))
    with torch.no_grad():
        seen = worded.eval()((pixels - mean) / std).numpy()
    said = seen[:, backbone.width :] @ directions(words, TAXONOMY, LAYOUT, None).T
    exact = SpeedSettings(precision="fp32")
    expected = load_tagger(reference, TAXONOMY, speed=exact).tag([crop]).logits
    for head in LAYOUT.heads:
        mine = said[0, LAYOUT.slices()[head.attribute]]
        ids = list(TAXONOMY.values(head.attribute))
        theirs = expected[head.attribute][0, [ids.index(value) for value in head.values]]
        # a sigmoid's bias is the same for every value: heads have one of their own
        np.testing.assert_allclose(mine - mine.mean(), theirs - theirs.mean(), atol=0.02)


def test_it_is_built_again_from_its_description():
    words = words_of("starter")
    assert words is not None
    tower, described = with_words(*with_stages(*load_backbone("starter")), words)
    again = Backbone.read(described.content(), "config.json").build()
    again.load_state_dict(tower.state_dict())
    pixels = torch.rand(2, 3, described.side, described.side)
    with torch.no_grad():
        torch.testing.assert_close(tower.eval()(pixels), again.eval()(pixels))


def test_what_knows_no_words_has_none():
    assert words_of("timm:test_resnet") is None


def test_features_that_words_are_not_made_of_are_left_as_they_are():
    words = words_of("starter")
    assert words is not None
    tower = timm.create_model("test_resnet", num_classes=0)
    other = Backbone("timm", {}, 64, (0.5,) * 3, (0.5,) * 3, 96, "timm:test_resnet", "")
    assert with_words(tower, other, words) is None


def test_without_prompts_nothing_is_said():
    words = words_of("starter")
    assert words is not None
    mute = TAXONOMY.model_copy(
        update={
            "attributes": tuple(
                one.model_copy(update={"templates": ()}) if one.id == "color" else one
                for one in TAXONOMY.attributes
            )
        }
    )
    found = directions(words, mute, LAYOUT, None)
    places = LAYOUT.slices()
    assert not found[places["color"]].any() and found[places["category"]].any()
