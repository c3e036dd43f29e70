"""Model references and the model-folder format."""

from pathlib import Path

import pytest
import torch

from garments.errors import ModelError, UnknownModel
from garments.modelfolder import (
    CARD,
    CONFIG,
    WEIGHTS,
    ModelConfig,
    read_config,
    read_weights,
    write_model,
)
from garments.references import Reference, Source, weights_hash

WORDS = ModelConfig("parser", "starter-unet", "1", {"size": 256}, {"miou5": 0.5})
TENSORS = {"weight": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(7)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("starter", Reference(Source.STARTER)),
        (" champion ", Reference(Source.CHAMPION)),
        ("hf:facebook/detr-resnet-50", Reference(Source.HUB, "facebook/detr-resnet-50")),
        ("hf:gpt2", Reference(Source.HUB, "gpt2")),
        ("hf:a/b@v1.0", Reference(Source.HUB, "a/b", "v1.0")),
        ("dir:some folder/äö", Reference(Source.FOLDER, "some folder/äö")),
        ("dir:C:/x", Reference(Source.FOLDER, "C:/x")),
        (
            "openclip:hf-hub:Marqo/marqo-fashionSigLIP",
            Reference(Source.OPEN_CLIP, "hf-hub:Marqo/marqo-fashionSigLIP"),
        ),
    ],
)
def test_references_are_read_and_written(text: str, expected: Reference) -> None:
    assert Reference.parse(text) == expected
    assert str(expected) == text.strip()
    assert Reference.parse(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("startr", "starter"),
        ("Starter", "starter"),
        ("champoin", "champion"),
        ("facebook/detr-resnet-50", "hf:facebook/detr-resnet-50"),
        ("huggingface:a/b", "hf:a/b"),
        ("hff:a/b", "hf:a/b"),
        ("opneclip:ViT-B-32", "openclip:ViT-B-32"),
    ],
)
def test_unknown_references_are_guessed(text: str, guess: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        Reference.parse(text)
    assert f"Did you mean {guess!r}?" in str(caught.value)
    assert "hf:OWNER/NAME" in str(caught.value)


@pytest.mark.parametrize("text", ["", "hf:", "dir: ", "zebra", "ftp:x", "hf:a/b/c", "hf:../x"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UnknownModel):
        Reference.parse(text)


def test_a_folder_without_prefix_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match=f"Did you mean 'dir:{tmp_path}'"):
        Reference.parse(str(tmp_path))


def test_folder_of_a_reference(tmp_path: Path) -> None:
    (tmp_path / "parser-v1").mkdir()
    assert Reference.parse(f"dir:{tmp_path}/parser-v1").folder == tmp_path / "parser-v1"
    with pytest.raises(UnknownModel, match=r"did you mean dir:.*parser-v1"):
        _ = Reference.parse(f"dir:{tmp_path}/parser-v2").folder
    with pytest.raises(UnknownModel, match="expected a dir: reference"):
        _ = Reference.parse("starter").folder


@pytest.mark.parametrize("half", [False, True])
def test_model_folder_round_trip(tmp_path: Path, half: bool) -> None:
    write_model(tmp_path / "m", TENSORS, WORDS, "# card\n", half=half)
    assert {path.name for path in (tmp_path / "m").iterdir()} == {WEIGHTS, CONFIG, CARD}
    assert read_config(tmp_path / "m") == WORDS
    read = read_weights(tmp_path / "m")
    assert read["weight"].dtype == torch.float32 and read["steps"].dtype == torch.int64
    for name, tensor in TENSORS.items():
        assert torch.equal(read[name], tensor)


def test_weights_hash_follows_the_weights_alone(tmp_path: Path) -> None:
    write_model(tmp_path / "a", TENSORS, WORDS, "card")
    write_model(tmp_path / "b", TENSORS, ModelConfig("parser", "other", "2"), "another card")
    write_model(tmp_path / "c", TENSORS | {"steps": torch.tensor(8)}, WORDS, "card")
    hashes = [weights_hash(tmp_path / name) for name in "abc"]
    assert hashes[0] == hashes[1] != hashes[2] and len(hashes[0]) == 16
    (tmp_path / "d").mkdir()
    with pytest.raises(ModelError, match=WEIGHTS):
        weights_hash(tmp_path / "d")


def test_damaged_folders(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="save_pretrained"):
        read_config(tmp_path)
    write_model(tmp_path, TENSORS, WORDS, "card")
    (tmp_path / WEIGHTS).write_bytes(b"\xff" * 50)
    with pytest.raises(ModelError, match=r"damaged.*download the model again"):
        read_weights(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(ModelError, match="train again"):
        read_weights(tmp_path)
    for text, words in (("[1]", "an object"), ("{}", "kind and architecture"), ("\0", "JSON")):
        (tmp_path / CONFIG).write_text(text)
        with pytest.raises(ModelError, match=words):
            read_config(tmp_path)


def test_a_writer_that_fails_leaves_no_folder_that_looks_complete(tmp_path: Path) -> None:
    write_model(tmp_path, TENSORS, WORDS, "card")
    with pytest.raises(TypeError):
        write_model(tmp_path, TENSORS, ModelConfig("parser", "x", "1", {"a": object()}), "card")
    assert not (tmp_path / CONFIG).exists()
    assert not list(tmp_path.glob(".*"))
