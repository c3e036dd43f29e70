"""Zero-shot taggers say what open_clip and transformers say on the same weights, and keep texts."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import open_clip
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from random_clips import DIMENSION, save_hf_clip, save_hf_siglip, save_open_clip
from safetensors.torch import load_file, save_file

from annotate.preparation import BACKGROUNDS, prepared
from annotate.taggers import load_tagger
from annotate.zeroshot.texts import TextCache
from garments.calibration import Calibration
from garments.errors import (
    BadSetting,
    BadTaxonomy,
    ModelError,
    UnfitModel,
    UnknownModel,
)
from garments.modelfolder import weights_hash
from garments.settings import SpeedSettings
from garments.tagger import Activation, Crop
from garments.taxonomy import Taxonomy

ONE_PROMPT = """
[[attributes]]
id = "category"
title = "Category"
templates = ["a photo of {}"]
values = [
  { id = "dress", title = "Dress" },
  { id = "coat", title = "Coat" },
  { id = "t-shirt", title = "T-shirt" },
]
[[attributes]]
id = "color"
title = "Color"
multiple = true
templates = ["{} clothing"]
values = [{ id = "red", title = "Red" }, { id = "blue", title = "Blue" }]
"""
TAXONOMY = Taxonomy.parse(ONE_PROMPT)
TEXTS = {
    "category": ["a photo of dress", "a photo of coat", "a photo of t-shirt"],
    "color": ["red clothing", "blue clothing"],
}
EXACT = SpeedSettings(precision="fp32")
WEIGHTS = "open_clip_model.safetensors"


def without_prompts(attribute: str) -> Taxonomy:
    """Built in code: a file with such an attribute is refused when it is read."""
    found = TAXONOMY.attributes
    silent = [one.model_copy(update={"templates": ()}) for one in found if one.id == attribute]
    return Taxonomy(attributes=(*(one for one in found if one.id != attribute), *silent))


def crop(seed: int, height: int = 40, width: int = 30, masked: bool = False) -> Crop:
    """Blobs of color; the mask covers the middle."""
    grid = np.random.default_rng(seed).integers(0, 255, (5, 4, 3), dtype=np.uint8)
    pixels = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    mask = np.zeros((height, width), bool)
    mask[height // 4 : -height // 4, width // 4 : -width // 4] = True
    return Crop(pixels, mask if masked else None)


CROPS = [crop(0), crop(1, 30, 60), crop(2, 7, 90), crop(3), crop(4, 200, 150)]
IMAGES = [Image.fromarray(one.pixels) for one in CROPS]


@pytest.fixture(scope="module")
def openclip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_open_clip(tmp_path_factory.mktemp("models") / "clip")


@pytest.fixture(scope="module")
def hf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_hf_clip(tmp_path_factory.mktemp("models") / "hf")


def in_open_clip(folder: Path, texts: list[str]) -> np.ndarray:
    """Probabilities as open_clip's documentation says to get them."""
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(texts)
    with torch.inference_mode():
        images = torch.stack([preprocess(image) for image in IMAGES])
        image_features = model.eval().encode_image(images, normalize=True)
        text_features = model.encode_text(tokens, normalize=True)
        similarity = model.logit_scale.exp() * image_features @ text_features.T
        if model.logit_bias is None:
            return similarity.softmax(dim=-1).numpy()
        return (similarity + model.logit_bias).sigmoid().numpy()


def in_transformers(folder: Path, texts: list[str]) -> np.ndarray:
    """Probabilities as transformers' documentation says to get them."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    siglip = hasattr(model, "logit_bias")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    padding = {"padding": "max_length"} if siglip else {"padding": True}
    with torch.inference_mode():
        logits = model(
            **tokenizer(texts, return_tensors="pt", **padding),
            **processor(images=IMAGES, return_tensors="pt"),
        ).logits_per_image
    return (logits.sigmoid() if siglip else logits.softmax(dim=1)).numpy()


def save_open_siglip(folder: Path) -> Path:
    return save_open_clip(folder, sigmoid=True)


def save_longest(folder: Path) -> Path:
    """Images are fitted into the square on a grey ground, as the starter has it."""
    config = json.loads((save_open_clip(folder) / "open_clip_config.json").read_text())
    config["preprocess_cfg"] |= {"resize_mode": "longest", "fill_color": 128}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("save", "reference", "expected", "activation"),
    [
        (save_open_clip, "dir:{}", in_open_clip, Activation.SOFTMAX),
        (save_open_siglip, "openclip:local-dir:{}", in_open_clip, Activation.SIGMOID),
        (save_longest, "dir:{}", in_open_clip, Activation.SOFTMAX),
        (save_hf_clip, "dir:{}", in_transformers, Activation.SOFTMAX),
        (save_hf_siglip, "dir:{}", in_transformers, Activation.SIGMOID),
    ],
)
def test_probabilities_are_those_of_the_library(
    tmp_path: Path,
    save: Callable[[Path], Path],
    reference: str,
    expected: Callable[[Path, list[str]], np.ndarray],
    activation: Activation,
) -> None:
    folder = save(tmp_path / "model")
    tagger = load_tagger(reference.format(folder), TAXONOMY, device="cpu", speed=EXACT)
    tags = tagger.tag(CROPS)
    assert tags.activation is activation and tagger.attributes == ("category", "color")
    for attribute, texts in TEXTS.items():
        probabilities = expected(folder, texts)
        assert np.ptp(probabilities) > 0.1
        np.testing.assert_allclose(tags.probabilities(attribute), probabilities, atol=1e-4)
    assert tags.embeddings is not None and len(tags.embeddings) == len(CROPS)
    np.testing.assert_allclose(np.linalg.norm(tags.embeddings, axis=1), 1, atol=1e-5)


def test_a_value_is_the_mean_of_its_prompts(openclip_folder: Path) -> None:
    several = Taxonomy.parse(
        ONE_PROMPT.replace('"a photo of {}"', '"a photo of {}", "worn: {}"').replace(
            'title = "Coat"', 'title = "Coat", synonyms = ["parka"], prompts = ["warm"]'
        )
    )
    tags = load_tagger(f"dir:{openclip_folder}", several, attributes=["category"]).tag(CROPS)
    model, _ = open_clip.create_model_from_pretrained(f"local-dir:{openclip_folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{openclip_folder}")
    prompts = ["a photo of coat", "worn: coat", "a photo of parka", "worn: parka", "warm"]
    with torch.inference_mode():
        mean = model.eval().encode_text(tokenizer(prompts), normalize=True).mean(dim=0)
        coat = (mean / mean.norm()).numpy()
        scale = float(model.logit_scale.exp())
    assert tags.embeddings is not None
    np.testing.assert_allclose(
        tags.logits["category"][:, 1], scale * tags.embeddings @ coat, atol=1e-4
    )


@pytest.mark.parametrize("save", [save_open_clip, save_hf_clip, save_hf_siglip])
def test_company_changes_no_answer(tmp_path: Path, save: Callable[[Path], Path]) -> None:
    tagger = load_tagger(f"dir:{save(tmp_path / 'model')}", TAXONOMY)
    many = [*CROPS, *(crop(seed) for seed in range(10, 60))]
    together = tagger.tag(many).logits["category"]
    alone = np.concatenate([tagger.tag([one]).logits["category"] for one in many[:8]])
    np.testing.assert_allclose(alone, together[:8], atol=1e-4)
    nothing = tagger.tag([])
    assert nothing.logits["category"].shape == (0, 3)
    assert nothing.embeddings is not None and len(nothing.embeddings) == 0


def test_surroundings_are_shown_as_asked(openclip_folder: Path) -> None:
    garment = crop(7, masked=True)
    tags = {
        background: load_tagger(f"dir:{openclip_folder}", TAXONOMY, background=background)
        for background in BACKGROUNDS
    }
    for background, tagger in tags.items():
        shown = Crop(prepared(garment, background))
        expected = tags["keep"].tag([shown]).logits["category"]
        np.testing.assert_array_equal(tagger.tag([garment]).logits["category"], expected)
        assert tagger.version("category").crop_preparation == background
    assert len({tagger.version("category").id for tagger in tags.values()}) == len(BACKGROUNDS)


def test_version_changes_with_weights_prompts_and_vocabulary_alone(
    tmp_path: Path, openclip_folder: Path
) -> None:
    tagger = load_tagger(f"dir:{openclip_folder}", TAXONOMY)
    version = tagger.version("category")
    assert version.model == tagger.reference == f"dir:{openclip_folder}"
    assert version.weights_hash == tagger.weights_hash == weights_hash(openclip_folder)
    assert load_tagger(f"dir:{openclip_folder}", TAXONOMY).version("category") == version

    reworded = Taxonomy.parse(ONE_PROMPT.replace("a photo of {}", "a picture of {}"))
    other = load_tagger(f"dir:{openclip_folder}", reworded)
    assert other.version("color") == tagger.version("color")
    assert other.version("category").vocabulary_hash == version.vocabulary_hash
    assert other.version("category").prompt_version != version.prompt_version

    retrained = save_open_clip(tmp_path / "other", seed=1)
    assert load_tagger(f"dir:{retrained}", TAXONOMY).weights_hash != tagger.weights_hash


def test_texts_are_encoded_once(tmp_path: Path, openclip_folder: Path) -> None:
    cache = tmp_path / "texts"
    first = load_tagger(f"dir:{openclip_folder}", TAXONOMY, cache=cache)
    expected = first.tag(CROPS).logits
    assert (first.texts.encoded, first.texts.hits) == (5, 0)
    first.tag(CROPS)
    assert (first.texts.encoded, first.texts.hits) == (5, 5)

    again = load_tagger(f"dir:{openclip_folder}", TAXONOMY, cache=cache)
    np.testing.assert_array_equal(again.tag(CROPS).logits["color"], expected["color"])
    assert (again.texts.encoded, again.texts.hits) == (0, 5)
    reworded = Taxonomy.parse(ONE_PROMPT.replace("a photo of {}", "a picture of {}"))
    changed = load_tagger(f"dir:{openclip_folder}", reworded, cache=cache)
    changed.tag(CROPS)
    assert (changed.texts.encoded, changed.texts.hits) == (3, 2)


@pytest.mark.parametrize("content", [b"", b"nonsense", None, np.nan])
def test_damaged_cache_is_made_again(
    tmp_path: Path, openclip_folder: Path, content: bytes | float | None
) -> None:
    tagger = load_tagger(f"dir:{openclip_folder}", TAXONOMY, cache=tmp_path)
    expected = tagger.tag(CROPS).logits["category"]
    (path,) = tmp_path.glob("category-*.npz")
    good = path.read_bytes()
    if isinstance(content, float):
        np.savez(path, embeddings=np.full((3, DIMENSION), content, np.float32))
    else:
        path.write_bytes(good[: len(good) // 2] if content is None else content)
    again = load_tagger(f"dir:{openclip_folder}", TAXONOMY, cache=tmp_path)
    np.testing.assert_array_equal(again.tag(CROPS).logits["category"], expected)
    assert again.texts.encoded == 3 and path.read_bytes() == good
    assert [one.suffix for one in tmp_path.iterdir()] == [".npz", ".npz"]


def test_cache_of_another_embedding_size_names_the_file(
    tmp_path: Path, openclip_folder: Path
) -> None:
    load_tagger(f"dir:{openclip_folder}", TAXONOMY, cache=tmp_path).tag(CROPS[:1])
    (path,) = tmp_path.glob("category-*.npz")
    np.savez(path, embeddings=np.ones((3, 48), np.float32))
    tagger = load_tagger(f"dir:{openclip_folder}", TAXONOMY, cache=tmp_path)
    with pytest.raises(ModelError, match=rf"\(3, 32\).*{path.name}.*\(3, 48\).*delete"):
        tagger.tag(CROPS)


def test_cache_that_cannot_be_written_only_costs_time(
    tmp_path: Path, openclip_folder: Path
) -> None:
    (tmp_path / "a file").write_text("")
    tagger = load_tagger(f"dir:{openclip_folder}", TAXONOMY, cache=tmp_path / "a file")
    assert len(tagger.tag(CROPS).logits["color"]) == len(CROPS)


class Letters:
    """Texts as counts of letters: a stand-in for a text tower."""

    reference, weights_hash, dimension = "letters", "0", 26
    activation, scale, bias = Activation.SOFTMAX, 1.0, 0.0

    def encode_images(self, images):
        raise NotImplementedError

    def encode_texts(self, texts):
        counts = [[text.count(chr(97 + i)) for i in range(26)] for text in texts]
        rows = np.array(counts, np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


words = st.text("abcdefgh", min_size=1, max_size=12)


@given(st.lists(st.lists(words, min_size=1, max_size=90), min_size=1, max_size=4))
@settings(deadline=None, max_examples=40)
def test_each_value_is_made_of_its_own_prompts(prompts: list[list[str]]) -> None:
    encoder = Letters()
    values = TextCache().embeddings(encoder, "attribute", prompts, "version")
    for value, group in zip(values, prompts, strict=True):
        mean = encoder.encode_texts(group).mean(axis=0)
        np.testing.assert_allclose(value, mean / np.linalg.norm(mean), atol=1e-5)


def test_attributes_without_prompts_are_refused_before_anything_is_loaded() -> None:
    silent = without_prompts("color")
    with pytest.raises(BadTaxonomy, match=r"value of color.*2 of 2.*red, blue.*add templates"):
        load_tagger("dir:/nowhere", silent)
    with pytest.raises(BadTaxonomy, match="'neckline'"):
        load_tagger("dir:/nowhere", TAXONOMY, attributes=["neckline"])


def test_attributes_that_are_not_asked_need_no_prompts(openclip_folder: Path) -> None:
    silent = without_prompts("color")
    tagger = load_tagger(f"dir:{openclip_folder}", silent, attributes=["category"])
    assert list(tagger.tag(CROPS).logits) == ["category"]


@pytest.mark.parametrize("tower", ["visual", "token_embedding"])
def test_weights_that_are_not_numbers(tmp_path: Path, tower: str) -> None:
    folder = save_open_clip(tmp_path / "model")
    tensors = load_file(folder / WEIGHTS)
    name = next(name for name in tensors if name.startswith(tower))
    tensors[name][:] = torch.nan
    save_file(tensors, folder / WEIGHTS)
    with pytest.raises(ModelError, match=r"NaN.*(load it again|download it again)"):
        load_tagger(f"dir:{folder}", TAXONOMY, cache=tmp_path / "texts").tag(CROPS)
    assert not list(tmp_path.glob("texts/category*")) or tower == "visual"


def test_model_brings_its_calibration_along(tmp_path: Path) -> None:
    folder = save_open_clip(tmp_path / "model")
    path = folder / "calibration.json"
    assert load_tagger(f"dir:{folder}", TAXONOMY).calibrations == {}
    path.write_text('{"color": {"temperature": 2, "items": 9}, "fit": {"threshold": 0.5}}')
    tagger = load_tagger(f"dir:{folder}", TAXONOMY)
    assert tagger.calibrations == {"color": Calibration(temperature=2, items=9)}
    for wrong in ("[1]", "{", '{"color": 3}', '{"color": {"temperature": 0}}'):
        path.write_text(wrong)
        with pytest.raises(ModelError, match=r"calibration\.json.*delete that file"):
            load_tagger(f"dir:{folder}", TAXONOMY)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("startr", "Did you mean 'starter'"),
        ("champion", "champion stands for all taggers in force"),
        ("dir:/nowhere/at/all", "no model folder"),
        ("openclip:local-dir:/nowhere", r"open_clip_config\.json.*'/nowhere'"),
        ("openclip:ViT-B-3", "no model 'ViT-B-3'.*did you mean ViT-B-32"),
        ("openclip:ViT-B-32", "tag of a set of weights.*got none; known for ViT-B-32: openai"),
        ("openclip:ViT-B/32/nonsense", "got nonsense; known for ViT-B-32"),
        ("rule:size", "use rule:color"),
    ],
)
def test_unknown_references_say_what_to_do(reference: str, words: str) -> None:
    with pytest.raises(UnknownModel, match=words):
        load_tagger(reference, TAXONOMY)


@pytest.mark.parametrize(
    "reference",
    [
        "hf:garmentloop-tests/no-such",
        "openclip:hf-hub:garmentloop-tests/no-such",
        "openclip:ViT-B-32/openai",
    ],
)
def test_hub_out_of_reach_names_the_ways_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reference: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnknownModel, match=r"connect to the network once.*dir:FOLDER or starter"):
        load_tagger(reference, TAXONOMY)


def test_folders_that_hold_something_else(tmp_path: Path, hf_folder: Path) -> None:
    with pytest.raises(UnfitModel, match=r"matching images.*segformer"):
        segformer = transformers.SegformerConfig(depths=[1] * 4, hidden_sizes=[8] * 4)
        segformer.save_pretrained(tmp_path)
        load_tagger(f"dir:{tmp_path}", TAXONOMY)
    (tmp_path / "config.json").write_text('{"kind": "parser", "architecture": "smp"}')
    with pytest.raises(UnfitModel, match="holds no image-text model"):
        load_tagger(f"dir:{tmp_path}", TAXONOMY)
    towerless = shutil.copytree(hf_folder, tmp_path / "towerless")
    tensors = load_file(hf_folder / "model.safetensors")
    images = {name: tensor for name, tensor in tensors.items() if "text" not in name}
    save_file(images, towerless / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UnfitModel, match=r"lacks .* weights.*text_model"):
        load_tagger(f"dir:{towerless}", TAXONOMY)


def test_incomplete_and_damaged_folders(
    tmp_path: Path, openclip_folder: Path, hf_folder: Path
) -> None:
    for missing, words in ((WEIGHTS, "expected weights"), ("tokenizer.json", "tokenizer")):
        folder = shutil.copytree(openclip_folder, tmp_path / f"without {missing}")
        (folder / missing).unlink()
        with pytest.raises(ModelError, match=words):
            load_tagger(f"dir:{folder}", TAXONOMY)
    for source, name in ((openclip_folder, WEIGHTS), (hf_folder, "model.safetensors")):
        folder = shutil.copytree(source, tmp_path / f"half of {source.name}")
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(ModelError, match=r"damaged.*download the model again"):
            load_tagger(f"dir:{folder}", TAXONOMY)
    folder = shutil.copytree(hf_folder, tmp_path / "dumb")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(ModelError, match=r"tokenizer is missing.*model, tokenizer and image"):
        load_tagger(f"dir:{folder}", TAXONOMY)


def test_wrong_device_and_missing_library(
    openclip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadSetting, match="expected device"):
        load_tagger(f"dir:{openclip_folder}", TAXONOMY, device="tpu")
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(ModelError, match="pip install open-clip-torch"):
        load_tagger(f"dir:{openclip_folder}", TAXONOMY)


def test_older_names_of_image_processors_load(tmp_path: Path) -> None:
    """Fashion-CLIP's file on the hub names a feature extractor."""
    folder = save_hf_clip(tmp_path / "model")
    expected = load_tagger(f"dir:{folder}", TAXONOMY).tag(CROPS).logits["category"]
    path = folder / "preprocessor_config.json"
    config = json.loads(path.read_text())
    del config["image_processor_type"]
    size = config["size"]["shortest_edge"]
    changed = config | {"feature_extractor_type": "CLIPFeatureExtractor", "size": size}
    path.write_text(json.dumps(changed | {"crop_size": size}))
    got = load_tagger(f"dir:{folder}", TAXONOMY).tag(CROPS).logits["category"]
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_default_taxonomy_is_answered_whole(openclip_folder: Path) -> None:
    taxonomy = Taxonomy.default()
    tags = load_tagger(f"dir:{openclip_folder}", taxonomy).tag(CROPS[:2])
    assert list(tags.logits) == [found.id for found in taxonomy.attributes]
    for found in taxonomy.attributes:
        assert tags.logits[found.id].shape == (2, len(found.ids))
