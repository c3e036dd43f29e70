from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.ops import nms

from extract.letterbox import PADDING, person_crop
from extract.models import load_detector, load_parser
from extract.starter.blocks import fold_batch_norms
from extract.starter.detector import (
    DetectorNet,
    StarterDetector,
    cell_centres,
    suppressed,
    to_boxes,
)
from extract.starter.parser import ParserNet, StarterParser
from garments.boxes import Box
from garments.errors import ModelError, UnfitModel
from garments.modelfolder import ModelConfig, write_model
from garments.parts import PARTS


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def _lively(net: torch.nn.Module) -> torch.nn.Module:
    """Give batch norms statistics that are not the identity."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
    return net.eval()


@pytest.mark.parametrize("make", [ParserNet, DetectorNet])
def test_folding_batch_norms_changes_nothing(make: type[torch.nn.Module]) -> None:
    net = _lively(make())
    pixels = torch.rand(1, 3, 64, 96) * 255
    with torch.inference_mode():
        before = net(pixels)
        after = fold_batch_norms(net)(pixels)
    for a, b in zip(_tensors(before), _tensors(after), strict=True):
        assert torch.allclose(a, b, atol=1e-3, rtol=1e-3)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())


def _tensors(value: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_parser_answers_with_probabilities_and_leaves_padding_alone() -> None:
    parser = StarterParser(_lively(ParserNet()), "test", "test")
    photo = np.random.default_rng(0).integers(0, 256, (400, 300, 3)).astype(np.uint8)
    slim, _ = person_crop(photo, Box(100, 10, 160, 390))
    broad, _ = person_crop(photo, Box(10, 100, 290, 220))
    found = parser.parse(np.stack([slim, broad]))
    assert found.shape == (2, len(PARTS), 128, 128)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-4)
    assert (found[0, 0, :, :16] == 1).all()
    assert (found[1, 0] < 1).any(axis=0).all()


def test_parser_gives_each_crop_the_same_answer_alone_and_in_a_batch() -> None:
    parser = StarterParser(_lively(ParserNet()), "test", "test")
    rng = np.random.default_rng(1)
    crops = rng.integers(0, 256, (5, 256, 256, 3)).astype(np.uint8)
    crops[2, :, :70] = PADDING
    crops[2, :, 186:] = PADDING
    together = parser.parse(crops)
    for i, crop in enumerate(crops):
        assert np.array_equal(together[i], parser.parse(crop[None])[0])


def test_a_parser_of_other_crops_answers_at_half_their_side() -> None:
    parser = StarterParser(_lively(ParserNet()), "test", "test", side=320)
    photo = np.random.default_rng(0).integers(0, 256, (400, 300, 3)).astype(np.uint8)
    slim, _ = person_crop(photo, Box(100, 10, 160, 390), parser.side)
    found = parser.parse(slim[None])
    assert found.shape == (1, len(PARTS), 160, 160)
    assert (found[0, 0, :, :16] == 1).all() and (found[0, 0, 40:120, 76:84] < 1).any()


def test_parser_takes_empty_and_blank_input() -> None:
    parser = StarterParser(_lively(ParserNet()), "test", "test")
    assert parser.parse(np.zeros((0, 256, 256, 3), np.uint8)).shape == (0, len(PARTS), 128, 128)
    blank = parser.parse(np.full((1, 256, 256, 3), PADDING, np.uint8))
    assert np.isfinite(blank).all()


def test_cells_and_boxes_by_hand() -> None:
    assert cell_centres(2, 3)[1, 2].tolist() == [20.0, 12.0]
    distances = torch.zeros(1, 2, 3, 4)
    distances[0, 1, 2] = torch.tensor([4.0, 2.0, 6.0, 8.0])
    assert to_boxes(distances)[0, 1, 2].tolist() == [16.0, 10.0, 26.0, 20.0]


def test_detector_keeps_boxes_on_the_photo_best_first() -> None:
    net = _lively(DetectorNet())
    torch.nn.init.constant_(net.score.bias, 0.0)
    detector = StarterDetector(net, "test", "test", longest=160)
    rng = np.random.default_rng(0)
    shapes = [(200, 120), (90, 300), (200, 120), (5, 5), (1, 1)]
    photos = [rng.integers(0, 256, (h, w, 3)).astype(np.uint8) for h, w in shapes]
    together = detector.detect(photos)
    assert len(together) == len(photos)
    for photo, found in zip(photos, together, strict=True):
        height, width = photo.shape[:2]
        assert (np.diff(found.scores) <= 0).all()
        assert (found.boxes >= 0).all()
        assert (found.boxes[:, 2] <= width).all()
        assert (found.boxes[:, 3] <= height).all()
        alone = detector.detect([photo])[0]
        assert np.array_equal(alone.boxes, found.boxes)
    assert len(together[0].boxes)
    assert detector.detect([]) == []


def _save(folder: Path, net: torch.nn.Module, kind: str, **settings: object) -> Path:
    config = ModelConfig(kind, f"starter-{kind}", "1", dict(settings), {})
    write_model(folder, net.state_dict(), config, "# card", half=True)
    return folder


def test_saved_models_load_by_reference(tmp_path: Path) -> None:
    parser = load_parser(f"dir:{_save(tmp_path / 'p', ParserNet(), 'parser', parts=list(PARTS))}")
    assert isinstance(parser, StarterParser)
    folder = _save(tmp_path / "d", DetectorNet(), "detector", longest=96, threshold=0.2)
    detector = load_detector(f"dir:{folder}")
    assert isinstance(detector, StarterDetector)
    again = load_detector(f"dir:{folder}")
    assert detector.fingerprint == again.fingerprint
    other = _save(tmp_path / "o", DetectorNet(), "detector", longest=128)
    assert load_detector(f"dir:{other}").fingerprint != detector.fingerprint


def test_weights_of_another_net_or_other_parts_are_refused(tmp_path: Path) -> None:
    swapped = _save(tmp_path / "s", DetectorNet(), "parser", parts=list(PARTS))
    with pytest.raises(ModelError, match="do not fit"):
        StarterParser.load(swapped)
    parts = _save(tmp_path / "x", ParserNet(), "parser", parts=["background", "person"])
    with pytest.raises(UnfitModel, match="finetune parser"):
        StarterParser.load(parts)
    with pytest.raises(UnfitModel, match="holds a parser"):
        StarterDetector.load(parts)


def test_overlapping_boxes_go_as_torchvision_has_it() -> None:
    for seed in range(40):
        random = np.random.default_rng(seed)
        count = int(random.integers(0, 200))
        centres, sizes = random.uniform(0, 384, (count, 2)), random.uniform(5, 200, (count, 2))
        if seed % 2:  # crowds around few places
            centres = centres // 24 * 24 + random.normal(size=centres.shape)
            sizes = sizes // 60 * 60 + 30
        boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], 1).astype(np.float32)
        scores = random.uniform(0.05, 1, count).astype(np.float32)
        expected = nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.55)
        assert suppressed(boxes, scores, 0.55).tolist() == expected.tolist()
