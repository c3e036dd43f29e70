import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import extract
from extract.models import load_detector, load_parser
from finetune.augment import Affine, warp, warp_boxes, warp_labels
from finetune.detector import DetectorRecipe, train_detector
from finetune.detector_data import CANVAS, DetectorBatches, placed
from finetune.detector_loss import assign, detection_loss
from finetune.detector_paste import can_give, pasted
from finetune.detector_scene import Scene
from finetune.loop import CHECKPOINT, Schedule
from finetune.parser import ParserRecipe, train_parser
from finetune.parser_data import (
    Example,
    augment,
    cut_example,
    fine_count,
    fixed,
    parsed_examples,
)
from finetune.parser_weak import labelled, weak_examples
from finetune.street_cache import SHARD, street_pictures
from garments.boxes import Box
from garments.errors import BadSetting, ModelError
from garments.masks import mask_box
from garments.modelfolder import read_weights
from garments.parts import IGNORED, PART_INDEX, PARTS
from garments.sets.ccp import read_ccp
from garments.synthetic import write_street

STARTERS = Path(extract.__file__).parent / "weights"
QUICK = Schedule(steps=4, batch=2, warmup=2, evaluate_every=2, checkpoint_seconds=0.0)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small labelled street, laid out both as a parsing set and as a person set."""
    folder = tmp_path_factory.mktemp("street")
    for _ in write_street(folder, 20, seed=5, look="train"):
        pass
    return folder


def _parser_recipe(street: Path) -> ParserRecipe:
    return ParserRecipe(street, street=0, street_share=0.0, schedule=QUICK)


def test_a_parser_is_trained_saved_and_loaded(street: Path, tmp_path: Path) -> None:
    reports = list(train_parser(_parser_recipe(street), tmp_path))
    assert [report.step for report in reports] == [2, 4]
    assert reports[-1].finished
    assert 0 <= reports[-1].metrics["pixel_accuracy"] <= 1
    parser = load_parser(f"dir:{tmp_path / 'model'}")
    assert parser.parse(np.zeros((1, 256, 256, 3), np.uint8)).shape == (1, 8, 128, 128)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "## Limits" in card
    assert "garmentloop finetune parser" in card


@pytest.mark.parametrize("architecture", ["starter", "unet"])
def test_a_parser_wants_crops_of_the_side_that_it_learnt_on(
    street: Path, tmp_path: Path, architecture: str
) -> None:
    recipe = _parser_recipe(street)
    schedule = replace(recipe.schedule, steps=1)
    names = {"architecture": architecture, "encoder": "mobilenet_v2"}
    list(train_parser(replace(recipe, side=128, schedule=schedule, **names), tmp_path))
    parser = load_parser(f"dir:{tmp_path / 'model'}")
    assert parser.side == 128
    assert parser.parse(np.zeros((1, 128, 128, 3), np.uint8)).shape[:2] == (1, len(PARTS))
    with pytest.raises(BadSetting, match="32 divides"):
        replace(recipe, side=100)


def test_a_killed_training_ends_as_an_undisturbed_one(street: Path, tmp_path: Path) -> None:
    list(train_parser(_parser_recipe(street), tmp_path / "straight"))
    killed = train_parser(_parser_recipe(street), tmp_path / "killed")
    next(killed)
    killed.close()
    assert (tmp_path / "killed" / CHECKPOINT).exists()
    assert not (tmp_path / "killed" / "model").exists()
    list(train_parser(_parser_recipe(street), tmp_path / "killed"))
    straight = read_weights(tmp_path / "straight" / "model")
    resumed = read_weights(tmp_path / "killed" / "model")
    for name, value in straight.items():
        assert torch.allclose(value, resumed[name], atol=1e-3), name


def test_a_checkpoint_of_another_recipe_is_refused(street: Path, tmp_path: Path) -> None:
    list(train_parser(_parser_recipe(street), tmp_path))
    other = replace(_parser_recipe(street), dice=0.1)
    with pytest.raises(BadSetting, match="another's"):
        list(train_parser(other, tmp_path))


def test_finer_labels_are_learnt_beside_the_parts(street: Path, tmp_path: Path) -> None:
    data = tmp_path / "fine"
    shutil.copytree(street, data)
    names = (data / "labels.csv").read_text().replace("upper", "coat").replace("lower", "jeans")
    (data / "labels.csv").write_text(names + "8,t-shirt\n")
    photos = read_ccp(data, "train")
    assert fine_count(photos) == 9
    assert fine_count(read_ccp(street, "train")) == 0
    first, plain = (next(parsed_examples(read_ccp(root, "train"))) for root in (data, street))
    assert first.fine is not None and plain.fine is None
    assert (first.labels == plain.labels).all()
    _, labels, fine = augment(first, 128, np.random.default_rng(0))
    assert (labels == fine).all()  # ids of this set are those of the parts
    _, _, nothing = augment(plain, 128, np.random.default_rng(0))
    assert (nothing == IGNORED).all()
    reports = list(train_parser(_parser_recipe(data), tmp_path / "run"))
    assert 0 <= reports[-1].metrics["pixel_accuracy_fine"] <= 1
    written = read_weights(tmp_path / "run" / "model")
    assert set(written) == set(read_weights(STARTERS / "parser"))


def test_tags_rule_out_what_is_not_in_a_photo(tmp_path: Path) -> None:
    class Wavering:
        reference = fingerprint = "wavering"
        side = 256

        def parse(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            told = np.full((len(crops), len(PARTS), 64, 64), 0.01, np.float32)
            told[:, PART_INDEX["upper"], :32] = 0.5
            told[:, PART_INDEX["whole"]] = 0.4
            told[:, PART_INDEX["lower"], 32:] = 0.39
            return told

    pixels, box = np.full((200, 100, 3), 128, np.uint8), Box(20, 10, 80, 190)
    dress = labelled(pixels, box, ("dress", "skin"), Wavering())
    assert (dress[60:90, 30:70] == PART_INDEX["whole"]).all()
    assert (dress[120:180, 30:70] == PART_INDEX["whole"]).all()
    assert dress[0, 0] == 0
    outfit = labelled(pixels, box, ("blouse", "jeans"), Wavering())
    assert (outfit[60:90, 30:70] == PART_INDEX["upper"]).all()
    assert (outfit[120:180, 30:70] == PART_INDEX["lower"]).all()
    everything = labelled(pixels, box, ("blouse", "jeans", "dress"), Wavering())
    assert (everything[60:90, 30:70] == IGNORED).all()
    assert list(weak_examples(tmp_path)) == []


def test_an_unet_of_the_library_is_trained_and_loaded(street: Path, tmp_path: Path) -> None:
    recipe = replace(_parser_recipe(street), architecture="unet", encoder="mobilenet_v2")
    list(train_parser(recipe, tmp_path))
    parser = load_parser(f"dir:{tmp_path / 'model'}")
    found = parser.parse(np.zeros((1, 256, 256, 3), np.uint8))
    assert found.shape[:2] == (1, 8)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-4)
    with pytest.raises(BadSetting, match="architecture"):
        list(train_parser(replace(recipe, architecture="vnet"), tmp_path / "other"))


def test_a_detector_is_trained_saved_and_loaded(street: Path, tmp_path: Path) -> None:
    recipe = DetectorRecipe(street, street, street=0, schedule=QUICK)
    reports = list(train_detector(recipe, tmp_path))
    assert 0 <= reports[-1].metrics["people_ap50"] <= 1
    detector = load_detector(f"dir:{tmp_path / 'model'}")
    assert len(detector.detect([np.zeros((60, 40, 3), np.uint8)])) == 1


def test_parser_and_detector_learn_on_from_earlier_weights(street: Path, tmp_path: Path) -> None:
    slow = replace(QUICK, rate=1e-9, steps=1)
    parser = replace(_parser_recipe(street), start=STARTERS / "parser", schedule=slow)
    detector = DetectorRecipe(street, street, street=0, start=STARTERS / "detector", schedule=slow)
    list(train_parser(parser, tmp_path / "parser"))
    list(train_detector(detector, tmp_path / "detector"))
    for kind in ("parser", "detector"):
        before = read_weights(STARTERS / kind)
        after = read_weights(tmp_path / kind / "model")
        for name, value in before.items():
            if "running_" not in name and "num_batches" not in name:
                assert torch.allclose(value, after[name], atol=1e-3), name
        assert "--start" in (tmp_path / kind / "model" / "README.md").read_text()
    with pytest.raises(ModelError, match="do not fit"):
        list(train_parser(replace(parser, start=STARTERS / "detector"), tmp_path / "other"))
    with pytest.raises(BadSetting, match="--start"):
        list(train_parser(replace(parser, architecture="unet"), tmp_path / "other"))


def test_a_person_is_put_in_front_of_others() -> None:
    empty = np.zeros((0, 4), np.float32)
    labels = np.zeros((200, 200), np.uint8)
    labels[20:180, 80:120] = PART_INDEX["upper"]
    red = np.zeros((200, 200, 3), np.uint8)
    red[labels > 0] = (255, 0, 0)
    donor = Scene(red, np.array([[80, 20, 120, 180]], np.float32), empty, labels, 0.3)
    behind = np.array([[0, 0, CANVAS, CANVAS], [140, 140, 150, 150]], np.float32)
    grid = np.full((CANVAS // 8, CANVAS // 8), IGNORED, np.uint8)
    canvas = Scene(np.full((CANVAS, CANVAS, 3), 90, np.uint8), behind, empty, grid, 1.0)
    assert can_give(donor) and not can_give(replace(donor, labels=None))
    hidden = 0
    for seed in range(40):
        made = pasted(canvas, donor, np.random.default_rng(seed))
        assert made.labels is not None
        if len(made.boxes) == len(canvas.boxes) and not len(made.ignored):
            assert made is canvas  # it stood beside the canvas
            continue
        x1, y1, x2, y2 = made.boxes[-1].astype(int).tolist()
        changed = mask_box(made.pixels[..., 1] < 45)
        if changed is not None:
            assert np.allclose(changed, (x1, y1, x2, y2), atol=3)
        assert (made.boxes[0] == behind[0]).all()
        hidden += len(made.ignored)
        assert len(made.ignored) + len(made.boxes) == 3
        assert ((made.labels == PART_INDEX["upper"]) | (made.labels == IGNORED)).all()
    assert 0 < hidden < 40


def test_a_schedule_without_steps_is_refused() -> None:
    with pytest.raises(BadSetting, match="steps=0"):
        Schedule(steps=0)


def test_pixels_labels_and_boxes_move_together() -> None:
    pixels = np.zeros((80, 100, 3), np.uint8)
    pixels[20:50, 30:60] = 255
    labels = (pixels[..., 0] > 0).astype(np.uint8)
    matrix = Affine((1.5, 1.2), 0.0, True, (45, 35), (60, 60)).matrix()
    moved = warp(pixels, matrix, (120, 120))[..., 0] > 200
    mapped = warp_labels(labels, matrix, (120, 120)) == 1
    box = warp_boxes(np.array([[30, 20, 60, 50]], np.float32), matrix)[0]
    assert (moved & mapped).sum() / (moved | mapped).sum() > 0.93
    found = mask_box(mapped)
    assert found is not None
    assert np.allclose(found, box, atol=1.5)


def test_crops_for_training_look_like_those_of_extraction() -> None:
    pixels = np.full((300, 200, 3), 200, np.uint8)
    labels = np.zeros((300, 200), np.uint8)
    labels[50:250, 80:120] = 3
    example = cut_example(pixels, labels, Box(80, 50, 120, 250))
    image, parts, _ = fixed(example, 96)
    assert image.shape == (256, 96, 3)
    assert parts.shape == (128, 48)
    inside = mask_box(parts == 3)
    assert inside is not None
    assert inside.height == pytest.approx(128 / 1.16, abs=2)
    assert (parts[:, 0] == IGNORED).all()
    for seed in range(20):
        image, parts, _ = augment(example, 96, np.random.default_rng(seed))
        assert image.shape == (256, 96, 3)
        assert (parts == 3).any()


def test_street_people_are_cut_from_their_neighbours(street: Path) -> None:
    examples = list(parsed_examples(read_ccp(street, "train")))
    assert examples
    assert all(isinstance(one, Example) and one.canvas_width(256) % 32 == 0 for one in examples)


def test_batches_depend_on_the_seed_alone(street: Path) -> None:
    from finetune.detector_data import parsed_scenes

    batches = DetectorBatches([(1.0, list(parsed_scenes(read_ccp(street, "train"))))], 3)
    first, again = (batches(np.random.default_rng([1, 2])) for _ in range(2))
    assert all(
        torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(first, again, strict=True)
    )
    other = batches(np.random.default_rng([1, 3]))
    assert not torch.equal(first[0], other[0])
    pixels, boxes, weights, parts = first
    assert pixels.shape == (3, 3, CANVAS, CANVAS)
    assert parts.shape == weights.shape == (3, CANVAS // 8, CANVAS // 8)
    known = boxes[~torch.isnan(boxes)]
    assert ((known >= 0) & (known <= CANVAS)).all()


def test_people_cut_away_are_ignored_not_missed() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([[0, 0, 4, 4], [20, 20, 80, 90]], np.float32)
    scene = Scene(pixels, boxes, np.zeros((0, 4), np.float32), None, 1.0)
    for seed in range(10):
        found = placed(scene, np.random.default_rng(seed), CANVAS, CANVAS, 1.0)
        assert len(found.boxes) + len(found.ignored) <= 2
        assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()


def test_the_smaller_person_gets_the_contested_cell() -> None:
    boxes = torch.tensor([[[0.0, 0.0, 80.0, 80.0], [30.0, 30.0, 50.0, 50.0]]])
    owners = assign(boxes, 10, 10)[0]
    assert owners[4, 4] == 1
    assert owners[3, 3] == 0 or owners[3, 3] == 1
    assert owners[0, 0] == -1


def test_the_loss_falls_when_boxes_and_scores_are_right() -> None:
    boxes = torch.tensor([[[8.0, 8.0, 72.0, 72.0], [float("nan")] * 4]])
    centres = cell_distances(boxes[0, 0])
    weights = torch.ones(1, 10, 10)
    good_scores = torch.where(assign(boxes, 10, 10) >= 0, 6.0, -6.0)
    right = detection_loss(good_scores, centres, boxes, weights)
    wrong = detection_loss(-good_scores, centres * 0.3 + 1, boxes, weights)
    assert right[0] < 0.05 < wrong[0]
    assert right[1] < 0.01 < wrong[1]
    untrusted = detection_loss(-good_scores, centres, boxes, weights * 0)
    assert untrusted[0] < wrong[0]


def cell_distances(box: torch.Tensor) -> torch.Tensor:
    """Distances (1, 10, 10, 4) of every cell to the sides of one box."""
    from extract.starter.detector import cell_centres

    centres = cell_centres(10, 10)
    return torch.cat([centres - box[:2], box[2:] - centres], dim=-1)[None].clamp(min=0.1)


def test_the_street_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.street_cache.SHARD", 2)
    assert SHARD >= 2
    told: list[tuple[int, int]] = []
    first = list(street_pictures(3, tmp_path, 1, lambda done, total: told.append((done, total))))
    assert len(first) == 3
    assert told == [(2, 3), (3, 3)]
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = list(street_pictures(3, tmp_path, 1))
    assert all((a.pixels == b.pixels).all() for a, b in zip(first, again, strict=True))
    assert stamps == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
