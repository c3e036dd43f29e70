"""Scoring taggers: on small folders whose right figures are known."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image
from random_clips import save_open_clip

from annotate.evaluate import evaluate_tagger
from annotate.native import native_attribute, native_taxonomy
from annotate.score import answer_figures
from annotate.taggers import load_tagger
from garments.calibration import Calibration
from garments.errors import BadSetting, BadTable, UnfitModel
from garments.reading import read
from garments.tagger import Activation, Crop, TaggerVersion, Tags
from garments.taxonomy import Taxonomy

HEADER = "file,split,gender,masterCategory,subCategory,articleType,baseColour,usage"
SHADES = {"Men": 40, "Women": 120, "Girls": 200}
"""How bright the pictures of each gender are."""


def product(name: str, split: str, gender: str, kind: str = "Tshirts", color: str = "Red") -> str:
    return f"{name}.png,{split},{gender},Apparel,Topwear,{kind},{color},Casual"


def folder(root: Path, rows: Sequence[str]) -> Path:
    """A folder like fashion_products, whose pictures are as bright as their gender says."""
    root.mkdir(exist_ok=True)
    (root / "labels.csv").write_text("\n".join((HEADER, *rows)) + "\n")
    for row in rows:
        name, _, gender, *_ = row.split(",")
        Image.new("RGB", (6, 8), (SHADES[gender],) * 3).save(root / name)
    return root


@dataclass
class ShadeTagger:
    """Says by how bright a crop is what stands in `words`: {brightness: {attribute: value}}."""

    taxonomy: Taxonomy
    words: Mapping[int, Mapping[str, str]]
    attributes: tuple[str, ...]
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    strength: float = 5.0
    reference: str = "stand-in"
    weights_hash: str = "0"

    def version(self, attribute: str) -> TaggerVersion:
        return TaggerVersion(self.reference, "0", attribute, "", "")

    def tag(self, crops: Sequence[Crop]) -> Tags:
        said = [self.words[int(crop.pixels[0, 0, 0])] for crop in crops]
        logits = {
            name: self.strength
            * np.array(
                [[word[name] == value for value in self.taxonomy.values(name)] for word in said],
                np.float32,
            )
            for name in self.attributes
        }
        return Tags(logits, Activation.SOFTMAX)


GENDER = native_attribute("fashion_products", "gender")


def gender_tagger(**words: str) -> ShadeTagger:
    """Says for the pictures of each gender what `words` has for it."""
    said = {SHADES[gender]: {GENDER: word} for gender, word in words.items()}
    return ShadeTagger(native_taxonomy("fashion_products"), said, (GENDER,))


ROWS = [
    *(product(f"t{k}", "train", "Men") for k in range(3)),
    *(product(f"w{k}", "train", "Women") for k in range(2)),
    *(product(f"v{k}", "val", gender) for k, gender in enumerate(("Men", "Women", "Women"))),
]


def test_figures_of_one_column_are_the_fields_own(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    tagger = gender_tagger(Men="men", Women="men")
    figures = evaluate_tagger(
        folder(tmp_path, ROWS), tagger, tell=lambda done, total: told.append((done, total))
    )
    sure = np.exp(5) / (np.exp(5) + 4)
    assert figures == pytest.approx(
        {
            "items": 3,
            "gender_n": 3,
            "gender_accuracy": 1 / 3,
            "gender_macro_f1": 0.25,
            "gender_weighted_f1": 0.5 / 3,
            "gender_p1": 1 / 3,
            "gender_ece": sure - 1 / 3,
            "gender_ece_low": figures["gender_ece_low"],
            "gender_ece_high": figures["gender_ece_high"],
            "gender_coverage": 1.0,
            "gender_precision_at_threshold": 1 / 3,
            "gender_majority_weighted_f1": 0.5 / 3,
            "gender_knn_weighted_f1": figures["gender_knn_weighted_f1"],
        }
    )
    assert figures["gender_ece_low"] <= figures["gender_ece"] <= figures["gender_ece_high"]
    assert told[-1] == (8, 8), "three are scored, five learnt from"


def test_split_limit_and_a_set_without_splits(tmp_path: Path) -> None:
    tagger = gender_tagger(Men="men", Women="women")
    root = folder(tmp_path, ROWS)
    assert evaluate_tagger(root, tagger, split="train")["items"] == 5
    assert evaluate_tagger(root, tagger, limit=1)["items"] == 1
    with pytest.raises(BadTable, match="splits are: train, val"):
        evaluate_tagger(root, tagger, split="test")
    alone = [row.replace(",train,", ",,").replace(",val,", ",,") for row in ROWS]
    figures = evaluate_tagger(folder(tmp_path / "alone", alone), tagger)
    assert figures["items"] == 8
    assert figures["gender_weighted_f1"] == 1.0
    assert figures["gender_majority_weighted_f1"] == pytest.approx(1 / 3), "four men of eight"


def test_neighbours_leave_out_the_asked_one_where_there_is_no_train_split(tmp_path: Path) -> None:
    rows = [product(f"{k}", "", "Men") for k in range(6)] + [product("a", "", "Girls")]
    tagger = gender_tagger(Men="men", Girls="girls")
    figures = evaluate_tagger(folder(tmp_path, rows), tagger)
    assert figures["gender_knn_weighted_f1"] == pytest.approx(6 / 7 * 12 / 13)


def test_abstention_shows_in_coverage_not_in_accuracy(tmp_path: Path) -> None:
    tagger = gender_tagger(Men="men", Women="women")
    tagger.calibrations = {GENDER: Calibration(temperature=10, threshold=0.99)}
    figures = evaluate_tagger(folder(tmp_path, ROWS), tagger)
    assert figures["gender_accuracy"] == 1.0
    assert figures["gender_ece"] == pytest.approx(1 - np.exp(0.5) / (np.exp(0.5) + 4), abs=1e-6)
    assert figures["gender_coverage"] == 0.0
    assert "gender_precision_at_threshold" not in figures, "it never spoke"
    assert not any(np.isnan(value) for value in figures.values())


def mapped_tagger(category: str, sub_category: str) -> ShadeTagger:
    said = {
        shade: {"category": category, "sub_category": sub_category} for shade in SHADES.values()
    }
    return ShadeTagger(Taxonomy.default(), said, ("category", "sub_category"))


def test_a_value_that_a_coarse_label_covers_is_right(tmp_path: Path) -> None:
    root = folder(tmp_path, [product("a", "", "Men", "Tops"), product("b", "", "Men", "Tops")])
    for said, right in (("blouse", 1.0), ("top", 1.0), ("shirt", 0.0)):
        figures = evaluate_tagger(
            root, mapped_tagger(said, "tunic"), "mapped", attributes=["category"]
        )
        assert figures["category_accuracy"] == figures["category_weighted_f1"] == right
        assert figures["category_p1"] == right


def test_sub_category_is_read_under_the_tagger_s_own_category(tmp_path: Path) -> None:
    root = folder(tmp_path, [product(name, "", "Men", "Tunics") for name in "ab"])
    right = evaluate_tagger(root, mapped_tagger("top", "tunic"), "mapped")
    assert right["sub_category_accuracy"] == 1.0
    wrong = evaluate_tagger(root, mapped_tagger("dress", "tunic"), "mapped")
    assert wrong["sub_category_accuracy"] == 0.0, "a tunic is no dress"
    none = evaluate_tagger(root, mapped_tagger("umbrella", "tunic"), "mapped")
    assert (none["sub_category_accuracy"], none["sub_category_coverage"]) == (0.0, 0.0)


def test_columns_that_are_not_there_are_told(tmp_path: Path) -> None:
    root = folder(tmp_path, ROWS)
    with pytest.raises(BadSetting, match=r"columns gender, masterCategory.*but got neckline"):
        evaluate_tagger(root, gender_tagger(Men="men"), attributes=["neckline"])
    with pytest.raises(BadSetting, match="stand-in answers fashion_products_gender"):
        evaluate_tagger(root, gender_tagger(Men="men"), attributes=["usage"])
    with pytest.raises(UnfitModel, match="rule:color"):
        evaluate_tagger(root, "rule:color", "native")
    bottle = product("z", "", "Men", "Tshirts", "Multi")
    with pytest.raises(BadTable, match="garments with a label of color"):
        evaluate_tagger(folder(tmp_path / "multi", [bottle]), "rule:color", "mapped")


def test_color_is_told_beside_the_rule(tmp_path: Path) -> None:
    rows = [product(f"{k}", "", "Men", color="Charcoal") for k in range(2)]
    root = folder(tmp_path, rows)
    rule = evaluate_tagger(root, "rule:color", "mapped")
    assert rule["items"] == rule["color_n"] == 2
    assert "category_n" not in rule and "color_rule_accuracy" not in rule
    folder_of_model = save_open_clip(tmp_path / "model")
    both = evaluate_tagger(root, f"dir:{folder_of_model}", "mapped", attributes=["color"])
    assert both["color_rule_accuracy"] == rule["color_accuracy"]
    assert both["color_rule_weighted_f1"] == rule["color_weighted_f1"]


def test_a_real_model_is_asked_for_a_set_s_own_words(
    tmp_path: Path, garmentloop_command: Callable[..., CompletedProcess[str]]
) -> None:
    root = folder(tmp_path / "data", ROWS)
    model = f"dir:{save_open_clip(tmp_path / 'model')}"
    columns = ["gender", "usage"]
    figures = evaluate_tagger(root, model, "native", attributes=columns)
    tagger = load_tagger(model, native_taxonomy("fashion_products"), attributes=[GENDER])
    pixels = [np.full((8, 6, 3), SHADES[g], np.uint8) for g in ("Men", "Women", "Women")]
    said = tagger.tag([Crop(each) for each in pixels]).probabilities(GENDER)
    values = native_taxonomy("fashion_products").values(GENDER)
    right = [
        values[row.argmax()] == g for row, g in zip(said, ("men", "women", "women"), strict=True)
    ]
    assert figures["gender_accuracy"] == pytest.approx(np.mean(right))

    written = tmp_path / "figures.json"
    command = ("evaluate", "tagger", "--data", root, "--model", model, "--json", written)
    result = garmentloop_command(*command, "--attributes", ",".join(columns))
    assert result.returncode == 0, result.stderr
    assert "usage" in result.stdout and "ECE of gender is known from 3 labels" in result.stdout
    assert json.loads(written.read_text()) == pytest.approx(figures)


def test_a_thousand_labels_need_no_interval() -> None:
    taxonomy = native_taxonomy("clothing")
    rows = range(1000)
    logits = np.eye(10)[np.arange(1000) % 10] * 9
    answers = read(taxonomy, "clothing_category", logits, Activation.SOFTMAX)
    truths = [(taxonomy.values("clothing_category")[k % 10],) for k in rows]
    assert "ece_low" not in answer_figures(truths, answers, rows)
    assert "ece_low" in answer_figures(truths[:999], answers, rows[:999])
