"""Agreement with transformers' own processors and post-processing, on the same random weights."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import transformers
from random_checkpoints import ATR, save_detr, save_rt_detr, save_segformer, save_yolos

from extract.accelerate.batchnorm import fold_batch_norms
from extract.accelerate.segformer import FoldedHead
from extract.models import load_detector, load_parser
from garments.parts import PART_INDEX, PARTS

FLOOR = 0.2
HAS_OPENVINO = find_spec("openvino") is not None
ENGINES = ["auto", "torch"]


def smooth_noise(seed: int, height: int, width: int) -> np.ndarray:
    """Blobs of colour: detail at several scales, as photos have."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells in (4, 16, 64):
        grid = rng.normal(size=(cells, cells, 3)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 50 * total, 0, 255).astype(np.uint8)


PHOTOS = [
    smooth_noise(seed, height, width)
    for seed, (height, width) in enumerate([(200, 150), (120, 300), (200, 150), (97, 61)])
]
CROPS = np.stack([smooth_noise(10 + seed, 256, 256) for seed in range(5)])


def reference_people(folder: Path, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and scores of people as transformers' documentation says to get them."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModelForObjectDetection.from_pretrained(folder).eval()
    inputs = processor(images=photo, return_tensors="pt")
    with torch.inference_mode():
        outputs = model(**inputs)
    answer = processor.post_process_object_detection(
        outputs, threshold=FLOOR, target_sizes=[photo.shape[:2]]
    )[0]
    names = [model.config.id2label[i].lower() for i in answer["labels"].tolist()]
    people = torch.tensor([name == "person" for name in names], dtype=torch.bool)
    order = answer["scores"][people].argsort(descending=True)
    return answer["boxes"][people][order].numpy(), answer["scores"][people][order].numpy()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("save", [save_detr, save_yolos, save_rt_detr])
def test_detector_agrees_with_transformers(
    tmp_path: Path, save: Callable[[Path], Path], engine: str
) -> None:
    folder = save(tmp_path / "checkpoint")
    detector = load_detector(f"dir:{folder}", "cpu", floor=FLOOR, engine=engine, precision="fp32")
    found = detector.detect(PHOTOS)
    assert len(found) == len(PHOTOS)
    expected = [reference_people(folder, photo) for photo in PHOTOS]
    assert sum(len(scores) for _, scores in expected) >= len(PHOTOS)
    for detections, (boxes, scores) in zip(found, expected, strict=True):
        assert len(detections.scores) == len(scores)
        np.testing.assert_allclose(detections.scores, scores, atol=1e-3)
        np.testing.assert_allclose(detections.boxes, boxes, atol=1.0)
        assert np.all(np.diff(detections.scores) <= 0)


def test_conditional_detr_agrees_too(tmp_path: Path) -> None:
    folder = save_detr(tmp_path / "checkpoint", conditional=True)
    found = load_detector(f"dir:{folder}", "cpu", floor=FLOOR, precision="fp32").detect(PHOTOS[:2])
    for detections, photo in zip(found, PHOTOS, strict=False):
        boxes, scores = reference_people(folder, photo)
        assert len(scores) and len(scores) == len(detections.scores)
        np.testing.assert_allclose(detections.scores, scores, atol=1e-3)
        np.testing.assert_allclose(detections.boxes, boxes, atol=1.0)


def test_company_changes_no_answer(tmp_path: Path) -> None:
    detector = load_detector(f"dir:{save_detr(tmp_path)}", "cpu", floor=FLOOR, precision="fp32")
    together = detector.detect(PHOTOS)
    for photo, detections in zip(PHOTOS, together, strict=True):
        alone = detector.detect([photo])[0]
        np.testing.assert_allclose(alone.boxes, detections.boxes, atol=0.05)
    assert detector.detect([]) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_parser_agrees_with_transformers(tmp_path: Path, engine: str) -> None:
    folder = save_segformer(tmp_path / "checkpoint")
    parser = load_parser(f"dir:{folder}", "cpu", engine=engine, precision="fp32")
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModelForSemanticSegmentation.from_pretrained(folder).eval()
    with torch.inference_mode():
        outputs = model(**processor(images=list(CROPS), return_tensors="pt"))
    maps = processor.post_process_semantic_segmentation(outputs, target_sizes=[(256, 256)] * 5)
    expected = np.stack([one.numpy() for one in maps])
    assert len(np.unique(expected)) > 4
    assert (parser.label_maps(CROPS) == expected).mean() >= 0.995

    parts = parser.parse(CROPS)
    assert parts.shape == (5, len(PARTS), 48, 48) and parts.dtype == np.float32
    np.testing.assert_allclose(parts.sum(axis=1), 1, atol=1e-4)
    by_label = outputs.logits.softmax(dim=1).numpy()
    shoes = by_label[:, ATR.index("Left-shoe")] + by_label[:, ATR.index("Right-shoe")]
    np.testing.assert_allclose(parts[:, PART_INDEX["feet"]], shoes, atol=1e-3)
    assert parser.label_maps(CROPS[:0]).shape == (0, 256, 256)
    assert len(parser.parse(CROPS[:0])) == 0


def test_a_parser_is_given_crops_as_large_as_its_processor_wants(tmp_path: Path) -> None:
    """Up to a limit: what a checkpoint could see is not thrown away, and memory is not either."""
    folder = save_segformer(tmp_path / "checkpoint")
    prints = set()
    for wanted, given in ((192, 256), (512, 512), (2048, 256)):
        told = transformers.AutoImageProcessor.from_pretrained(folder)
        told.size = {"height": wanted, "width": wanted}
        told.save_pretrained(folder)
        parser = load_parser(f"dir:{folder}", "cpu")
        assert parser.side == given
        prints.add(parser.fingerprint)
    assert len(prints) == 3


def test_checkpoints_of_older_transformers_load(tmp_path: Path) -> None:
    """The hub's files name feature extractors, flat sizes and a timm backbone."""
    detr, segformer = save_detr(tmp_path / "detr"), save_segformer(tmp_path / "segformer")
    config = json.loads((detr / "config.json").read_text()) | {
        "backbone": "resnet18",
        "backbone_config": None,
        "use_timm_backbone": True,
        "use_pretrained_backbone": True,
    }
    (detr / "config.json").write_text(json.dumps(config))
    for folder, changes in (
        (detr, {"feature_extractor_type": "DetrFeatureExtractor", "size": 96, "max_size": 160}),
        (segformer, {"image_processor_type": "SegformerFeatureExtractor"}),
    ):
        path = folder / "preprocessor_config.json"
        settings = json.loads(path.read_text())
        del settings["image_processor_type"]
        path.write_text(json.dumps(settings | changes))
    exact = {"engine": "torch", "precision": "fp32"}
    found = load_detector(f"dir:{detr}", "cpu", floor=FLOOR, **exact).detect(PHOTOS[:1])[0]
    boxes, _ = reference_people(detr, PHOTOS[0])
    np.testing.assert_allclose(found.boxes, boxes, atol=1.0)
    parser = load_parser(f"dir:{segformer}", "cpu", engine="torch")
    assert parser.parse(CROPS[:1]).shape == (1, 8, 48, 48)


def test_folded_head_is_the_same_function(tmp_path: Path) -> None:
    folder = save_segformer(tmp_path)
    model = transformers.AutoModelForSemanticSegmentation.from_pretrained(folder).eval()
    features = [torch.randn(2, c, 48 >> i, 40 >> i) for i, c in enumerate((8, 16, 24, 32))]
    with torch.inference_mode():
        expected = model.decode_head(features)
        got = FoldedHead(model.decode_head)(features)
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("save", "least"), [(save_detr, 20), (save_rt_detr, 10)])
def test_folded_batch_norms_are_the_same_function(
    tmp_path: Path, save: Callable[[Path], Path], least: int
) -> None:
    folder = save(tmp_path)
    model = transformers.AutoModelForObjectDetection.from_pretrained(folder).eval().double()
    with torch.no_grad():
        for module in model.modules():
            if hasattr(module, "running_var"):
                module.running_var.uniform_(0.5, 2)
                module.running_mean.normal_(0, 0.1)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.1)
    pixels = torch.randn(1, 3, 128, 128, dtype=torch.float64)
    with torch.inference_mode():
        expected = model(pixel_values=pixels)
        assert fold_batch_norms(model) >= least
        got = model(pixel_values=pixels)
    torch.testing.assert_close(got.logits, expected.logits, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(got.pred_boxes, expected.pred_boxes, atol=1e-9, rtol=1e-9)


@pytest.mark.skipif(not HAS_OPENVINO, reason="openvino (extra 'speed') is not installed")
def test_openvino_runs_what_it_can_run_rightly(tmp_path: Path) -> None:
    detector = load_detector(f"dir:{save_detr(tmp_path / 'detr')}", "cpu")
    detector.detect(PHOTOS[:1])
    parser = load_parser(f"dir:{save_segformer(tmp_path / 'segformer')}", "cpu")
    parser.parse(CROPS[:1])
    assert "openvino" in detector.runner.engine.name
    assert "openvino" in parser.runner.engine.name


def test_bf16_is_close_and_has_its_own_fingerprint(tmp_path: Path) -> None:
    folder = save_segformer(tmp_path)
    for engine in ENGINES:
        exact = load_parser(f"dir:{folder}", "cpu", engine=engine, precision="fp32")
        rough = load_parser(f"dir:{folder}", "cpu", engine=engine, precision="bf16")
        assert exact.fingerprint != rough.fingerprint
        assert np.abs(exact.parse(CROPS) - rough.parse(CROPS)).mean() < 0.02


def test_fingerprint_tells_weights_and_settings_apart(tmp_path: Path) -> None:
    folder = save_detr(tmp_path / "a")
    first, again = (load_detector(f"dir:{folder}", "cpu") for _ in range(2))
    assert first.fingerprint == again.fingerprint and first.reference == f"dir:{folder}"
    assert load_detector(f"dir:{folder}", "cpu", floor=0.4).fingerprint != first.fingerprint
    model = transformers.AutoModelForObjectDetection.from_pretrained(folder)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1
    model.save_pretrained(folder)
    assert load_detector(f"dir:{folder}", "cpu").fingerprint != first.fingerprint


def test_padding_to_a_common_size_changes_little(tmp_path: Path) -> None:
    """In bf16 photos of nearly one size share a graph: what is filled up is masked."""
    folder = save_detr(tmp_path)
    for engine in ENGINES:
        exact = load_detector(f"dir:{folder}", "cpu", floor=FLOOR, engine=engine, precision="fp32")
        rough = load_detector(f"dir:{folder}", "cpu", floor=FLOOR, engine=engine, precision="bf16")
        for one, other in zip(exact.detect(PHOTOS), rough.detect(PHOTOS), strict=True):
            nearest = np.abs(one.boxes[:, None] - other.boxes[None]).max(axis=2).min(axis=1)
            assert np.median(nearest) < 6, nearest
