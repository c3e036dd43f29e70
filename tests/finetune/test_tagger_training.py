"""Training of the tagger: it learns, goes on after a kill, and says what is wrong."""

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_garments import SHAPES, clothing_folder, draw
from training_run import RECIPE, train

from annotate.evaluate import evaluate_tagger
from annotate.finetuned.backbones import load_backbone, sets_seen
from annotate.finetuned.folder import load_net
from annotate.native import native_taxonomy
from annotate.taggers import load_tagger
from finetune.tagger.options import Recipe
from finetune.tagger.train import finetune_folder
from finetune.tagger.train_net import newest_checkpoint
from garments.errors import BadInput, BadSetting, GarmentLoopError, ModelError, UnfitModel
from garments.modelfolder import read_weights
from garments.tagger import Crop
from garments.taxonomy import Attribute, Taxonomy

TAXONOMY = native_taxonomy("clothing")
CATEGORY = TAXONOMY.attributes[0].id


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clothing_folder(tmp_path_factory.mktemp("drawn") / "clothing")


@pytest.fixture(scope="module")
def probed(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of a probe on the starter's backbone."""
    out = tmp_path_factory.mktemp("probed")
    train(drawn, out, recipe=Recipe())
    return out / "model"


def test_a_probe_tells_drawn_garments_apart(drawn: Path, probed: Path):
    figures = evaluate_tagger(drawn, f"dir:{probed}", split="validation")
    assert figures["category_accuracy"] == 1.0
    card = (probed / "README.md").read_text()
    assert "## Limits" in card and "starter" in card and "labels" in card
    settings = json.loads((probed / "config.json").read_text())["settings"]
    assert settings["trained_on"]["sets"] == ["ccp", "clothing", "fashion_products", "street:train"]
    assert settings["backbone"]["reference"] == "starter"


def test_a_fine_tuned_tower_is_a_backbone_of_its_own(drawn: Path, probed: Path, tmp_path: Path):
    _, before = load_backbone("starter")
    _, after = load_backbone(f"dir:{probed}")
    assert after.reference == f"dir:{probed.name}" != before.reference
    assert after.weights_hash != before.weights_hash, "or kept features would be taken for its own"
    assert sets_seen(f"dir:{probed}") == ("ccp", "clothing", "fashion_products", "street:train")
    scratch = Recipe(backbone="timm:test_resnet", from_scratch=True, side=32)
    train(drawn, tmp_path, recipe=scratch)
    assert sets_seen(f"dir:{tmp_path}/model") == ("clothing",)


def test_of_what_was_trained_the_most_accurate_is_kept(drawn: Path, tmp_path: Path, monkeypatch):
    said = iter([0.5, 0.7, 0.7, 0.6])
    monkeypatch.setattr("finetune.tagger.train_net.mean_accuracy", lambda *_: next(said, 0.1))
    train(drawn, tmp_path, recipe=replace(RECIPE, epochs=4))
    kept = json.loads((max((tmp_path / "checkpoints").glob("*/trainer_state.json"))).read_text())
    found = [one for one in kept["log_history"] if "eval_score" in one]
    equals = [one for one in found if one["eval_accuracy"] == 0.7]
    best = min(equals, key=lambda one: one["eval_loss"])
    assert kept["best_global_step"] == best["step"]


def test_sixteen_crops_are_learnt_by_heart(tmp_path: Path):
    data = clothing_folder(tmp_path / "clothing", each=8, validation=0, words=("dress", "pants"))
    recipe = replace(RECIPE, epochs=60, patience=60, smoothing=0.0, dropout=0.0, mix=0.0)
    train(data, tmp_path / "out", recipe=recipe)
    figures = evaluate_tagger(data, f"dir:{tmp_path}/out/model", split="train")
    assert figures["category_accuracy"] == 1


def test_low_rank_changes_are_worked_into_the_weights(drawn: Path, tmp_path: Path):
    train(
        drawn, tmp_path, recipe=Recipe(mode="lora", epochs=1, rate=0.05, batch=8, side=32, rank=2)
    )
    before, _ = load_backbone("starter")
    after, _ = load_net(tmp_path / "model")
    old, whole = before.state_dict(), after.backbone.state_dict()
    new = {name.removeprefix("tower.tower."): value for name, value in whole.items()}
    assert old.keys() == new.keys() - {"projection.weight", "projection.bias"}
    changed = {k for k in old if old[k].ndim == 4 and not torch.allclose(old[k], new[k], atol=1e-3)}
    assert changed


def test_a_crop_and_its_mirror_image_are_told_the_same(drawn: Path, probed: Path, tmp_path: Path):
    train(drawn, tmp_path, recipe=Recipe(mirror=False))
    pixels = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 255
    for folder, same in ((probed, True), (tmp_path / "model", False)):
        net, made = load_net(folder)
        assert made.backbone.mirrored is same
        with torch.no_grad():
            assert torch.allclose(net(pixels), net(pixels.flip(3)), atol=1e-4) is same
            seen = [net.backbone((p - net.mean) / net.std) for p in (pixels, pixels.flip(3))]
            expected = (seen[0] + seen[1]) / 2 if same else seen[0]
            torch.testing.assert_close(net.features(pixels), expected)
            net.train().backbone.eval()
            torch.testing.assert_close(net.features(pixels), seen[0])


def test_a_longer_training_begins_with_the_heads_of_a_probe(drawn: Path, tmp_path: Path):
    """With a rate of next to nothing it stays there: right at once, where it would know nothing."""
    recipe = Recipe(mode="full", epochs=1, batch=8, rate=1e-7, average=0.0, side=32, threads=1)
    figures = train(drawn, tmp_path / "heads", recipe=recipe)
    alone = train(drawn, tmp_path / "alone", recipe=replace(recipe, heads_first=False))
    assert figures[f"{CATEGORY}_accuracy"] > 0.9 > alone[f"{CATEGORY}_accuracy"]


def test_a_killed_training_ends_with_the_same_weights(drawn: Path, tmp_path: Path):
    straight = train(drawn, tmp_path / "straight")
    killed = finetune_folder(drawn, tmp_path / "killed", recipe=RECIPE)
    for event in killed:
        if event.what == "training" and event.done >= 8:
            break
    killed.close()
    assert newest_checkpoint(tmp_path / "killed" / "checkpoints")
    assert not (tmp_path / "killed" / "model").exists()
    assert train(drawn, tmp_path / "killed") == straight
    one, other = (read_weights(tmp_path / name / "model") for name in ("straight", "killed"))
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], atol=1e-3, rtol=1e-2)


@pytest.mark.faults
def test_a_training_is_killed_at_any_moment_and_gone_on_with(
    drawn: Path, tmp_path: Path, fault_rounds: int
):
    straight = train(drawn, tmp_path / "straight")
    command = [sys.executable, str(Path(__file__).with_name("training_run.py")), str(drawn)]
    for turn in range(fault_rounds):
        out = tmp_path / f"killed-{turn}"
        process = subprocess.Popen([*command, str(out), "0.1"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while newest_of(out) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(random.Random(turn).uniform(0, 1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert train(drawn, out) == straight


def newest_of(out: Path) -> Path | None:
    return next((out / "checkpoints").glob("checkpoint-*"), None)


def test_a_damaged_checkpoint_is_named(drawn: Path, tmp_path: Path):
    run = finetune_folder(drawn, tmp_path, recipe=RECIPE)
    for event in run:
        if event.metrics:
            next(run)
            next(run)
            break
    run.close()
    newest = newest_checkpoint(tmp_path / "checkpoints")
    assert newest is not None
    (newest / "optimizer.pt").write_bytes(b"torn")
    with pytest.raises(ModelError, match="delete that folder to go on from the one before"):
        train(drawn, tmp_path)
    assert not (tmp_path / "model").exists()


def test_a_loss_that_is_no_number_ends_the_training(drawn: Path, tmp_path: Path):
    with pytest.raises(ModelError, match="lower --rate"):
        train(drawn, tmp_path, recipe=replace(RECIPE, rate=1e30, epochs=20))
    assert not (tmp_path / "model").exists()


def test_a_class_that_nobody_has_is_never_said(probed: Path):
    unseen = set(TAXONOMY.values(CATEGORY)) - set(SHAPES)
    tags = load_tagger(f"dir:{probed}", TAXONOMY).tag(crops())
    tops = tags.logits[CATEGORY].argmax(axis=1)
    assert unseen and not {TAXONOMY.values(CATEGORY)[top] for top in tops} & unseen


def test_one_value_only_cannot_be_learnt(tmp_path: Path):
    data = clothing_folder(tmp_path / "clothing", words=("dress",))
    with pytest.raises(BadInput, match=r"all \d+ labels say dress"):
        train(data, tmp_path / "out", recipe=Recipe())


def crops() -> list[Crop]:
    return [Crop(np.asarray(draw(word, 99))) for word in SHAPES]


def changed(values: tuple[str, ...], **fields: object) -> Taxonomy:
    """The taxonomy with these values of its only attribute, in this order."""
    before = TAXONOMY.attributes[0]
    content = before.model_dump() | {"values": [before.value(v) for v in values]} | fields
    return Taxonomy(attributes=(Attribute.model_validate(content),))


def test_values_are_matched_by_name_under_another_taxonomy(probed: Path):
    values = TAXONOMY.values(CATEGORY)
    other = changed(tuple(reversed(values[1:])))
    same = load_tagger(f"dir:{probed}", TAXONOMY)
    mapped = load_tagger(f"dir:{probed}", other)
    one, two = (tagger.tag(crops()).logits[CATEGORY] for tagger in (same, mapped))
    np.testing.assert_array_equal(two, one[:, :0:-1])
    assert mapped.version(CATEGORY).id != same.version(CATEGORY).id


def test_another_taxonomy_is_refused(probed: Path):
    few = changed(TAXONOMY.values(CATEGORY)[:1])
    added = [{"id": f"new-{i}", "title": "New"} for i in range(9)]
    strange = few.attributes[0].model_dump() | {"values": added}
    with pytest.raises(UnfitModel, match="knows 0% of its values"):
        load_tagger(f"dir:{probed}", Taxonomy(attributes=(Attribute.model_validate(strange),)))
    with pytest.raises(UnfitModel, match="several in the other"):
        load_tagger(f"dir:{probed}", changed(TAXONOMY.values(CATEGORY), multiple=True))
    with pytest.raises(UnfitModel, match="was trained for"):
        load_tagger(f"dir:{probed}", Taxonomy.default())


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "calibration.json"])
def test_a_damaged_model_is_told(probed: Path, tmp_path: Path, name: str):
    for path in probed.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(GarmentLoopError, match="again"):
        load_tagger(f"dir:{tmp_path}", TAXONOMY)


@pytest.mark.parametrize(
    "fields", [{"mode": "both"}, {"epochs": 0}, {"side": 8}, {"dropout": 1.0}, {"rate": -1.0}]
)
def test_a_recipe_that_cannot_be_is_refused(fields: dict[str, object]):
    with pytest.raises(BadSetting, match="expected"):
        Recipe(**fields)
