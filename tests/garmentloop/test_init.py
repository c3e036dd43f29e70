"""`init`: which models a data set starts with, and whether anybody is asked."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from garmentloop.choice import REAL_MODELS, chosen, named, sizes
from garmentloop.cli import app
from garments.dataset import Dataset
from garments.errors import BadSetting
from garments.references import Reference, Source

REAL = {
    "detector": "hf:facebook/detr-resnet-50",
    "parser": "hf:mattmdjaga/segformer_b2_clothes",
    "tagger": "hf:patrickjohncyh/fashion-clip",
}


def init(folder: Path, *options: str):
    return CliRunner().invoke(app, ["init", str(folder), *options])


def models(folder: Path) -> dict[str, str]:
    return Dataset.open(folder).settings.models.model_dump()


def never(*_: object) -> bool:
    raise AssertionError("this must not be asked")


def test_the_user_is_asked_where_the_hub_answers() -> None:
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    found = chosen(True, lambda: True, agree)
    assert found.models == REAL
    assert "0.9 GB" in asked[0]
    assert "fashion-clip 605 MB" in asked[0]


def test_whoever_says_no_gets_starter_and_hears_of_the_other() -> None:
    found = chosen(True, lambda: True, lambda question: False)
    assert set(found.models.values()) == {"starter"}
    assert "--models real" in found.why


def test_without_a_hub_nobody_is_asked() -> None:
    found = chosen(True, lambda: False, never)
    assert set(found.models.values()) == {"starter"}
    assert "cannot be reached" in found.why


def test_without_a_terminal_not_even_the_hub_is_asked() -> None:
    found = chosen(False, never, never)
    assert set(found.models.values()) == {"starter"}
    assert "nobody could be asked" in found.why


def test_unknown_set_of_models_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"--detector, --parser and --tagger"):
        named("hf:facebook/detr-resnet-50")


def test_real_models_are_references_to_the_hub() -> None:
    assert {model.role: model.reference for model in REAL_MODELS} == REAL
    assert all(Reference.parse(reference).source is Source.HUB for reference in REAL.values())
    assert "0.9 GB in all" in sizes()


def test_init_says_why_it_chose_starter(tmp_path: Path) -> None:
    made = init(tmp_path / "mine")
    assert made.exit_code == 0, made.output
    assert "--models real" in made.output
    assert set(models(tmp_path / "mine").values()) == {"starter"}


def test_init_real_needs_no_network_yet(tmp_path: Path) -> None:
    made = init(tmp_path / "mine", "--models", "real")
    assert made.exit_code == 0, made.output
    assert models(tmp_path / "mine") == REAL
    assert "first use" in made.output


def test_a_single_model_goes_before_the_set(tmp_path: Path) -> None:
    tagger = "openclip:hf-hub:Marqo/marqo-fashionSigLIP"
    assert init(tmp_path / "mine", "--models", "real", "--tagger", tagger).exit_code == 0
    assert models(tmp_path / "mine") == {**REAL, "tagger": tagger}


def test_naming_a_model_leaves_the_others_at_starter(tmp_path: Path) -> None:
    made = init(tmp_path / "mine", "--detector", REAL["detector"])
    assert models(tmp_path / "mine") == {
        "detector": REAL["detector"],
        "parser": "starter",
        "tagger": "starter",
    }
    assert "nobody" not in made.output


def test_init_refuses_an_unknown_tagger(tmp_path: Path) -> None:
    made = init(tmp_path / "mine", "--tagger", "clip")
    assert made.exit_code == 1
    assert "clip" in made.output
    assert not (tmp_path / "mine").exists()


def test_a_folder_that_is_taken_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    made = init(tmp_path)
    assert made.exit_code == 1
    assert "other things" in made.output
    assert "models" not in made.output
