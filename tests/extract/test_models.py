"""From references to models: what loads, and what the user is told when something does not."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from random_checkpoints import save_detr, save_segformer

from extract.models import load_detector, load_parser, resolve_device
from extract.parsers import smp
from garments.errors import BadSetting, ModelError, UnfitModel, UnknownModel
from garments.modelfolder import CONFIG, WEIGHTS
from garments.parts import PARTS

CROPS = np.random.default_rng(0).integers(0, 255, (2, 256, 256, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def segformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_segformer(tmp_path_factory.mktemp("models") / "segformer")


@pytest.fixture(scope="module")
def detr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_detr(tmp_path_factory.mktemp("models") / "detr")


@pytest.mark.parametrize("load", [load_detector, load_parser])
def test_unknown_references_say_what_is_understood(load) -> None:
    with pytest.raises(UnknownModel, match=r"Did you mean 'starter'.*\n  starter"):
        load("startr", "cpu")
    with pytest.raises(UnknownModel, match="Did you mean 'hf:facebook/detr-resnet-50'"):
        load("facebook/detr-resnet-50", "cpu")
    with pytest.raises(UnknownModel, match="no model folder"):
        load("dir:/nowhere/at/all", "cpu")
    with pytest.raises(UnknownModel, match="promoted"):
        load("champion", "cpu")
    with pytest.raises(UnfitModel, match="tags garments"):
        load("openclip:ViT-B-32", "cpu")


def test_hub_out_of_reach_names_the_ways_out(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnknownModel, match=r"connect to the network once.*dir:FOLDER or starter"):
        load_detector("hf:garmentloop-tests/no-such-model", "cpu")


def test_detector_without_a_person_lists_its_labels(tmp_path: Path) -> None:
    folder = save_detr(tmp_path, labels=("cat", "remote", "couch"))
    with pytest.raises(UnfitModel, match=r"class 'person'.*cat, remote, couch.*starter"):
        load_detector(f"dir:{folder}", "cpu")


def test_parser_whose_labels_map_to_nothing_lists_them(tmp_path: Path) -> None:
    folder = save_segformer(tmp_path, labels=["wall", "building", "sky"])
    with pytest.raises(UnfitModel, match=r"none of its 3 labels.*wall, building, sky.*starter"):
        load_parser(f"dir:{folder}", "cpu")


def test_unknown_labels_count_as_background(tmp_path: Path, caplog) -> None:
    folder = save_segformer(tmp_path, labels=["Background", "Pants", "gizmo"])
    parser = load_parser(f"dir:{folder}", "cpu", engine="torch")
    assert parser.unknown_labels == ["gizmo"] and "gizmo" in caplog.text
    parts = parser.parse(CROPS)
    np.testing.assert_allclose(parts[:, [0, 4]].sum(axis=1), 1, atol=1e-4)


def test_checkpoints_of_another_task_are_refused(detr: Path, segformer: Path) -> None:
    with pytest.raises(UnfitModel, match=r"object detection.*segformer"):
        load_detector(f"dir:{segformer}", "cpu")
    with pytest.raises(UnfitModel, match=r"semantic segmentation.*detr"):
        load_parser(f"dir:{detr}", "cpu")


def test_checkpoint_without_its_head_is_refused(tmp_path: Path, segformer: Path) -> None:
    """Transformers would fill the head with random numbers."""
    shutil.copytree(segformer, tmp_path / "headless")
    whole = transformers.AutoModelForSemanticSegmentation.from_pretrained(segformer)
    whole.segformer.save_pretrained(tmp_path / "headless")
    with pytest.raises(UnfitModel, match=r"lacks .* weights.*decode_head"):
        load_parser(f"dir:{tmp_path / 'headless'}", "cpu")


@pytest.mark.parametrize("damage", ["truncated", "garbage"])
def test_damaged_weights(tmp_path: Path, segformer: Path, detr: Path, damage: str) -> None:
    for folder, load in ((segformer, load_parser), (detr, load_detector)):
        broken = tmp_path / folder.name
        shutil.copytree(folder, broken)
        content = (broken / WEIGHTS).read_bytes()
        half = content[: len(content) // 2]
        (broken / WEIGHTS).write_bytes(half if damage == "truncated" else b"nonsense" * 99)
        with pytest.raises(ModelError, match=r"damaged.*download the model again"):
            load(f"dir:{broken}", "cpu")


def test_incomplete_folders(tmp_path: Path, segformer: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnknownModel, match=r"config\.json.*finetune"):
        load_parser(f"dir:{tmp_path / 'empty'}", "cpu")
    for missing in (WEIGHTS, "preprocessor_config.json"):
        folder = shutil.copytree(segformer, tmp_path / f"without {missing}")
        (folder / missing).unlink()
        with pytest.raises(ModelError, match="no complete transformers checkpoint"):
            load_parser(f"dir:{folder}", "cpu")
    (tmp_path / "empty" / CONFIG).write_text('{"model_type": "no_such_type"}')
    with pytest.raises(UnfitModel, match="not for transformers"):
        load_detector(f"dir:{tmp_path / 'empty'}", "cpu")
    (tmp_path / "empty" / CONFIG).write_text("{")
    with pytest.raises(ModelError, match="JSON"):
        load_detector(f"dir:{tmp_path / 'empty'}", "cpu")


def test_wrong_options_and_devices(segformer: Path) -> None:
    with pytest.raises(BadSetting, match="auto, fp32, bf16"):
        load_parser(f"dir:{segformer}", "cpu", precision="fp8")
    with pytest.raises(BadSetting, match="auto, torch, openvino"):
        load_parser(f"dir:{segformer}", "cpu", engine="warp").parse(CROPS)
    with pytest.raises(BadSetting, match="expected device"):
        resolve_device("tpu")
    with pytest.raises(BadSetting, match="torch sees no"):
        resolve_device("cuda:99")
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.Module]:
    pytest.importorskip("segmentation_models_pytorch")
    settings = smp.SMPSettings("Unet", "mobilenet_v2", PARTS, size=64)
    torch.manual_seed(0)
    network = smp.build_smp(settings)
    folder = tmp_path_factory.mktemp("models") / "unet"
    smp.save_smp(folder, network, settings, "1", "# A parser\n", {"miou5": 0.5})
    return folder, network


def test_smp_parser_answers_as_its_network_does(unet: tuple[Path, torch.nn.Module]) -> None:
    folder, network = unet
    parser = load_parser(f"dir:{folder}", "cpu", precision="fp32")
    settings = smp.SMPSettings("Unet", "mobilenet_v2", PARTS, size=64)
    mean, std = (torch.tensor(v)[:, None, None] for v in (settings.mean, settings.std))
    with torch.inference_mode():
        pixels = smp.prepare(CROPS, settings).float() / 255
        expected = network((pixels - mean) / std).softmax(dim=1)
    for _ in range(4):  # these inputs are not contiguous, and engines run beside each other
        got = parser.parse(CROPS)
        assert got.shape == (2, 8, 64, 64)
        np.testing.assert_allclose(got, expected.numpy(), atol=1e-5)
    assert parser.reference == f"dir:{folder}" and len(parser.fingerprint) == 16


@pytest.mark.parametrize("model", ["DeepLabV3", "DeepLabV3Plus"])
def test_other_smp_models(tmp_path: Path, model: str) -> None:
    pytest.importorskip("segmentation_models_pytorch")
    labels = ("background", "Pants", "Dress")
    settings = smp.SMPSettings(model, "mobilenet_v2", labels, size=64)
    smp.save_smp(tmp_path, smp.build_smp(settings), settings, "1", "card")
    parts = load_parser(f"dir:{tmp_path}", "cpu").parse(CROPS)
    np.testing.assert_allclose(parts.sum(axis=1), 1, atol=1e-4)
    assert parts[:, [1, 2, 3, 6, 7]].max() == 0


def test_smp_faults(unet: tuple[Path, torch.nn.Module], tmp_path: Path, monkeypatch) -> None:
    folder = shutil.copytree(unet[0], tmp_path / "unet")
    with pytest.raises(UnfitModel, match="expected a detector"):
        load_detector(f"dir:{folder}", "cpu")
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:1000])
    with pytest.raises(ModelError, match="damaged"):
        load_parser(f"dir:{folder}", "cpu")
    (folder / WEIGHTS).write_bytes(content)
    config = json.loads((folder / CONFIG).read_text())
    for change, words in (
        ({"encoder": "resnet18"}, "damaged"),
        ({"encoder": "no_such_encoder"}, "cannot build"),
        ({"model": "Transformer9000"}, "Unet, DeepLabV3"),
        ({"colour": "blue"}, "do not describe a network"),
    ):
        changed = config | {"settings": config["settings"] | change}
        (folder / CONFIG).write_text(json.dumps(changed))
        with pytest.raises((ModelError, BadSetting), match=words):
            load_parser(f"dir:{folder}", "cpu")
    (folder / CONFIG).write_text(json.dumps(config | {"architecture": "newer-than-this"}))
    with pytest.raises(UnfitModel, match="upgrade"):
        load_parser(f"dir:{folder}", "cpu")
    (folder / CONFIG).write_text(json.dumps(config))
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(ModelError, match=r"pip install 'garmentloop\[train\]'"):
        load_parser(f"dir:{folder}", "cpu")
