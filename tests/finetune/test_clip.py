import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from drawn_garments import clothing_folder
from training_run import RECIPE, train

import annotate
from annotate.finetuned.folder import load_net
from annotate.taggers import load_tagger
from finetune.clip import ClipBatches, ClipRecipe, clip_loss, train_clip
from finetune.clip_augment import augmented, plain
from finetune.clip_data import Shown, parsed, products
from finetune.clip_lessons import (
    all_prompts,
    caption,
    caption_pairs,
    drawn_prompts,
    lessons,
    truth_table,
    value_count,
)
from finetune.clip_net import (
    CONTEXT,
    ClipNet,
    build_tokenizer,
    load_clip,
    save_clip,
    started,
    tokenize,
)
from finetune.loop import CHECKPOINT, Schedule
from garments.errors import BadInput, BadSetting, ModelError
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.synthetic import write_street
from garments.tagger import Crop
from garments.taxonomy import Taxonomy

QUICK = Schedule(steps=2, batch=4, warmup=2, evaluate_every=1, checkpoint_seconds=0.0)
COLUMNS = (
    "file", "split", "gender", "masterCategory", "subCategory", "articleType", "baseColour",
    "usage", "name_pattern_weak",
)  # fmt: skip
SHIRT = ("Men", "Apparel", "Topwear", "Shirts", "Blue", "Casual", "checked")
SHOE = ("Women", "Footwear", "Shoes", "Heels", "Red", "Party", "")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty products on white, laid out as the public set."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "images").mkdir()
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for i in range(20):
            pixels = np.full((80, 60, 3), 255, np.uint8)
            pixels[20:70, 10:50] = (30, 60, 200) if i % 2 else (200, 30, 30)
            cv2.imwrite(str(folder / "images" / f"{i}.jpg"), pixels)
            split = "val" if i >= 14 else "train"
            writer.writerow((f"images/{i}.jpg", split, *(SHOE if i % 2 else SHIRT)))
    return folder


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    for _ in write_street(folder, 10, seed=5, look="train"):
        pass
    return folder


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger on a small tower of timm, hardly trained."""
    root = tmp_path_factory.mktemp("tower")
    data = clothing_folder(root / "clothing", 12)
    recipe = replace(RECIPE, backbone="timm:test_resnet", from_scratch=True, side=64)
    train(data, root / "run", recipe=replace(recipe, mode="full", epochs=1))
    return root / "run" / "model"


def _shown(**truth: str) -> Shown:
    pixels = np.full((40, 30, 3), 255, np.uint8)
    mask = np.zeros((40, 30), bool)
    mask[10:30, 5:25] = True
    pixels[mask] = (200, 30, 30)
    return Shown(pixels, RunLengthMask.encode(mask), {k: (v,) for k, v in truth.items()})


def test_a_model_is_trained_saved_and_proposes(shop: Path, street: Path, tmp_path: Path) -> None:
    recipe = ClipRecipe(shop, street, street=0, schedule=QUICK)
    reports = list(train_clip(recipe, tmp_path))
    assert reports[-1].finished
    assert 0 <= reports[-1].metrics["category"] <= 1
    assert (tmp_path / CHECKPOINT).exists()
    folder = tmp_path / "model"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 12e6
    card = (folder / "README.md").read_text()
    assert "clothing" in card
    assert "closed in practice" in card
    taxonomy = Taxonomy.default()
    tagger = load_tagger(f"dir:{folder}", taxonomy, device="cpu")
    tags = tagger.tag([Crop(np.zeros((50, 40, 3), np.uint8))])
    assert tags.logits["category"].shape == (1, len(taxonomy.values("category")))
    assert tags.embeddings is not None
    assert np.allclose(np.linalg.norm(tags.embeddings, axis=1), 1, atol=1e-5)


def test_a_model_learns_on_from_another(shop: Path, street: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = build_tokenizer(text for some in all_prompts(lessons()) for text in some)
    save_clip(tmp_path / "first", ClipNet(), tokenizer, "card")
    slow = replace(QUICK, rate=1e-9, steps=1)
    recipe = ClipRecipe(shop, street, street=0, start=tmp_path / "first", schedule=slow)
    list(train_clip(recipe, tmp_path / "second"))
    first, second = ClipNet(), ClipNet()
    load_clip(tmp_path / "first", first)
    load_clip(tmp_path / "second" / "model", second)
    tokens = tokenize(tokenizer, ["a photo of jeans"])
    with torch.inference_mode():
        assert torch.allclose(first.text(tokens), second.text(tokens), atol=1e-3)
    assert "--start" in (tmp_path / "second" / "model" / "README.md").read_text()
    (tmp_path / "first" / "open_clip_model.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match="damaged"):
        list(train_clip(recipe, tmp_path / "third"))


def test_the_unseen_set_is_refused(shop: Path, tmp_path: Path) -> None:
    with (tmp_path / "labels.csv").open("w") as file:
        file.write("file,category,split\na.jpg,pants,train\n")
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(BadInput, match="unseen domain"):
        products(tmp_path)
    with pytest.raises(BadInput, match="unseen domain"):
        parsed(tmp_path)


def test_some_of_every_training_split_is_held_back(shop: Path) -> None:
    found = products(shop)
    assert len(found.train) + len(found.held_back) == 14
    assert {"category", "color", "fashion_products_article_type"} <= set(found.train[0].truth)
    assert found.train[0].mask is not None


def test_the_truth_table_has_every_accepted_value() -> None:
    given = lessons()
    one = Shown(np.zeros((4, 4, 3), np.uint8), None, {"category": ("trousers", "jeans")})
    table = truth_table([one], given)
    assert table.shape == (1, value_count(given))
    category = next(lesson for lesson in given if lesson.attribute.id == "category")
    ids = [category.attribute.ids[i] for i in np.flatnonzero(table[0, category.columns])]
    assert sorted(ids) == ["jeans", "trousers"]
    assert table.sum() == 2


def test_a_caption_true_of_another_picture_is_no_counter_example() -> None:
    shown = [
        _shown(category="shirt", color="blue"),
        _shown(category="shirt", color="red"),
        _shown(category="shirt"),
    ]
    pairs = caption_pairs(shown, [{"category": "shirt"}, {"color": "red"}, {"color": "blue"}])
    assert pairs.tolist() == [[1, 0, 1], [1, 1, 0], [1, -1, 1]]


def test_captions_tell_what_is_known() -> None:
    one = _shown(category="shirt", color="blue", gender="men")
    told = [caption(one, np.random.default_rng(seed)) for seed in range(30)]
    assert any("blue" in text and "shirt" in text for text, _ in told)
    assert all(set(facts) <= set(one.truth) for _, facts in told)
    assert len({text for text, _ in told}) > 5


def test_every_prompt_fits_and_any_text_is_read() -> None:
    given = lessons()
    prompts = all_prompts(given)
    tokenizer = build_tokenizer(text for some in prompts for text in some)
    assert max(len(ids) for ids in tokenizer([t for s in prompts for t in s]).input_ids) <= CONTEXT
    assert len(drawn_prompts(given, np.random.default_rng(0))) == value_count(given)
    odd = tokenize(tokenizer, ["日本語 ñandú \u0000 " + "very " * 50])
    assert odd.shape == (1, CONTEXT)
    assert (odd == 2).any()


def test_a_tower_of_a_tagger_is_given_words(
    shop: Path, street: Path, tower: Path, tmp_path: Path
) -> None:
    slow = replace(QUICK, rate=1e-9, steps=1)
    recipe = ClipRecipe(shop, street, street=0, trunk=tower, schedule=slow)
    list(train_clip(recipe, tmp_path / "run"))
    told = started(tmp_path / "run" / "model")
    assert told.tower == "test_resnet"
    net, _ = load_net(tower)
    for name, value in net.backbone.state_dict().items():
        if "running_" not in name and "num_batches" not in name:
            there = told.clip.state_dict()[f"visual.trunk.{name}"]
            assert torch.allclose(there, value, atol=2e-3), name
    assert "--trunk" in (tmp_path / "run" / "model" / "README.md").read_text()
    tagger = load_tagger(f"dir:{tmp_path / 'run' / 'model'}", Taxonomy.default())
    assert tagger.tag([Crop(np.zeros((50, 40, 3), np.uint8))]).embeddings is not None
    with pytest.raises(BadSetting, match="leave one of them out"):
        list(train_clip(replace(recipe, start=tmp_path / "run" / "model"), tmp_path / "both"))


def test_a_trunk_that_is_none_is_refused(shop: Path, street: Path, tmp_path: Path) -> None:
    starter = Path(annotate.__file__).parent / "weights" / "tagger"
    with pytest.raises(ModelError):
        list(train_clip(ClipRecipe(shop, street, street=0, trunk=starter), tmp_path))


def test_mixed_pictures_are_half_of_what_either_is() -> None:
    given = lessons()
    tokenizer = build_tokenizer(text for some in all_prompts(given) for text in some)
    shown = [_shown(category="shirt", color="red"), _shown(category="skirt", color="blue")]
    batches = ClipBatches([(1.0, shown)], given, tokenizer, 16, mix=1.0)
    batch = batches(np.random.default_rng(3))
    pixels, truth, other, share, _, _, pairs = batch
    assert pixels.dtype == torch.float32 and 0 < float(share) < 1
    assert not torch.equal(truth, other) and (pairs == -1).all()
    torch.manual_seed(0)
    net = ClipNet().eval()
    with torch.inference_mode():
        both = clip_loss(net, batch, given)
        each = [
            clip_loss(net, (pixels, one, one, torch.tensor(1.0), *batch[4:]), given)
            for one in (truth, other)
        ]
    assert torch.allclose(both, share * each[0] + (1 - share) * each[1], atol=1e-4)


def test_what_was_saved_is_what_open_clip_loads(tmp_path: Path) -> None:
    import open_clip

    torch.manual_seed(0)
    tokenizer = build_tokenizer(text for some in all_prompts(lessons()) for text in some)
    net = ClipNet().eval()
    save_clip(tmp_path, net, tokenizer, "card")
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}")
    tokens = open_clip.get_tokenizer(f"local-dir:{tmp_path}")(["a photo of jeans"])
    assert tokens.tolist() == tokenize(tokenizer, ["a photo of jeans"]).tolist()
    with torch.inference_mode():
        ours, theirs = net.text(tokens), model.eval().encode_text(tokens, normalize=True)
    assert torch.allclose(ours, theirs, atol=2e-3)
    assert preprocess is not None


def test_batches_hang_on_the_seed_alone() -> None:
    given = lessons()
    tokenizer = build_tokenizer(text for some in all_prompts(given) for text in some)
    shown = [_shown(category="shirt", color="red"), _shown(category="skirt", color="blue")]
    batches = ClipBatches([(1.0, shown)], given, tokenizer, 3)
    first, again = batches(np.random.default_rng(7)), batches(np.random.default_rng(7))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert first[0].shape == (3, 3, 96, 96)


def test_the_loss_is_lower_for_the_right_answer() -> None:
    given = lessons()
    tokenizer = build_tokenizer(text for some in all_prompts(given) for text in some)
    torch.manual_seed(0)
    net = ClipNet()
    batches = ClipBatches([(1.0, [_shown(category="shirt")])], given, tokenizer, 2)
    batch = batches(np.random.default_rng(0))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    before = clip_loss(net, batch, given)
    before.backward()
    optimizer.step()
    assert clip_loss(net, batch, given) < before


def test_a_photo_lies_behind_some_products_only_where_there_are_photos() -> None:
    one = replace(_shown(category="shirt"), region=Region.UNKNOWN)
    green = np.zeros((50, 60, 3), np.uint8)
    green[..., 1] = 255
    seen = [augmented(one, np.random.default_rng(seed), [green]) for seed in range(80)]
    behind = [bool((picture.reshape(-1, 3).argmax(axis=1) == 1).mean() > 0.3) for picture in seen]
    assert 5 < sum(behind) < 45
    assert all((picture[40:56, 40:56, 0] > 90).any() for picture in seen), "the garment stays"


def test_pictures_are_placed_without_another_hue() -> None:
    one = replace(_shown(category="shirt"), mask=None)
    seen = np.stack([augmented(one, np.random.default_rng(seed)) for seed in range(20)])
    assert seen.shape == (20, 96, 96, 3)
    reddest = seen.reshape(20, -1, 3).astype(int)
    strong = (reddest[..., 0] - reddest[..., 1:].max(axis=-1)).max(axis=1)
    assert (strong > 60).mean() > 0.8
    board = plain(np.zeros((10, 100, 3), np.uint8))
    assert board.shape == (96, 96, 3)
    assert board[0, 0, 0] == 128
