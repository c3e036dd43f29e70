"""Regularisation of a training: pictures shown as one, blocks that are skipped."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from drawn_garments import clothing_folder
from training_run import RECIPE, train

from annotate.finetuned.folder import load_net
from finetune.tagger.adapt import skip_blocks
from finetune.tagger.mixing import mixed
from finetune.tagger.options import Recipe
from garments.errors import BadSetting


def batch(count: int = 6) -> dict[str, torch.Tensor]:
    """Row i is of the color 40 i and has the value i; value i + 1 is also allowed to it."""
    pixels = torch.arange(count).view(-1, 1, 1, 1).expand(-1, 3, 8, 8) * 40
    one = torch.eye(count)
    known = torch.tensor([[True, row != 2] for row in range(count)])
    allowed = one + one.roll(1, dims=1) > 0
    return {"pixels": pixels.to(torch.uint8), "values": one, "known": known, "allowed": allowed}


@pytest.mark.parametrize("seed", range(12))
def test_what_is_true_of_a_mixed_picture_is_what_it_shows(seed: int):
    given = batch()
    made = mixed(given, np.random.default_rng(seed))
    shown = made["pixels"].float().mean(dim=(1, 2, 3)) / 40
    said = made["values"] @ torch.arange(6.0)
    torch.testing.assert_close(shown, said, atol=1e-3, rtol=0)
    torch.testing.assert_close(made["values"].sum(dim=1), torch.ones(6))
    assert (made["allowed"] | (made["values"] == 0)).all()
    touched = made["values"][:, 2] > 0
    assert not made["known"][touched, 1].any(), "what is not known of one is not known of both"
    assert given["pixels"].dtype == torch.uint8 and torch.equal(given["values"], torch.eye(6))


def test_later_blocks_are_skipped_more_often_and_none_at_inference():
    network = timm.create_model("test_resnet", num_classes=0)
    skip_blocks(network, 0.5)
    rates = [part.drop_prob for part in network.modules() if type(part).__name__ == "DropPath"]
    assert rates == sorted(rates) and rates[0] > 0 and rates[-1] == 0.5
    pixels = torch.rand(1, 3, 64, 64)
    network.eval()
    assert torch.equal(network(pixels), network(pixels))


def test_a_backbone_without_blocks_is_refused():
    with pytest.raises(BadSetting, match="leave --drop-path out"):
        skip_blocks(timm.create_model("vgg11", num_classes=0), 0.1)


@pytest.mark.parametrize("wrong", [{"mix": 1.5}, {"mix": -0.1}, {"drop_path": 1.0}])
def test_impossible_shares_are_refused(wrong: dict[str, float]):
    with pytest.raises(BadSetting, match=next(iter(wrong))):
        Recipe(**wrong)


def test_a_training_with_both_is_the_same_twice_and_loads(tmp_path: Path):
    data = clothing_folder(tmp_path / "clothing")
    fields = {**vars(RECIPE), "mix": 0.7, "drop_path": 0.2, "epochs": 2}
    figures = [train(data, tmp_path / name, recipe=Recipe(**fields)) for name in ("one", "two")]
    assert figures[0] == figures[1]
    _, made = load_net(tmp_path / "one" / "model")
    assert (made.recipe["mix"], made.recipe["drop_path"]) == (0.7, 0.2)
    assert list((tmp_path / "one" / "tensorboard").glob("events.*"))
