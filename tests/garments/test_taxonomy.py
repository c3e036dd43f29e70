"""The taxonomy: the default one, reading, writing, hashes, and every way to get it wrong."""

from pathlib import Path

import numpy as np
import pytest

from garments.errors import BadTaxonomy
from garments.parts import Region
from garments.taxonomy import Taxonomy, lab

SMALL = """
[[attributes]]
id = "category"
title = "Category"
templates = ["a photo of {}"]
values = [
  { id = "shirt", title = "Shirt", regions = ["upper"], synonyms = ["button-down"] },
  { id = "skirt", title = "Skirt", regions = ["lower"] },
]

[[attributes]]
id = "sub_category"
title = "Sub-category"
parent = "category"
templates = ["a photo of {}"]
values = [{ id = "mini-skirt", title = "Mini skirt", parent = "skirt" }]
"""

NECKLINE = """
[[attributes]]
id = "neckline"
title = "Neckline"
regions = ["upper", "whole"]
templates = ["a garment with {}"]
values = [{ id = "v-neck", title = "V-neck" }, { id = "crew-neck", title = "Crew neck" }]
"""


def small(old: str = "", new: str = "") -> Taxonomy:
    assert old in SMALL
    return Taxonomy.parse(SMALL.replace(old, new) if old else SMALL)


def test_default_has_the_attributes_of_the_design() -> None:
    taxonomy = Taxonomy.default()
    ids = [attribute.id for attribute in taxonomy.attributes]
    assert ids == ["category", "sub_category", "color", "pattern", "style", "gender"]
    assert [a.id for a in taxonomy.attributes if a.multiple] == ["color"]
    assert 16 <= len(taxonomy.values("color")) <= 20


def test_default_places_garments_as_the_design_says() -> None:
    taxonomy = Taxonomy.default()
    for category in ("coat", "cape", "cardigan"):
        assert taxonomy.attribute("category").value(category).regions == (Region.UPPER,)
    for category in ("dress", "romper", "jumpsuit", "bodysuit", "suit"):
        assert taxonomy.attribute("category").value(category).regions == (Region.WHOLE,)
    for region in ("upper", "lower", "whole", "feet", "accessories"):
        assert taxonomy.categories(region)
    assert taxonomy.categories("unknown") == taxonomy.values("category")


def test_default_tells_every_value_apart_and_explains_it() -> None:
    for attribute in Taxonomy.default().attributes:
        assert attribute.description
        for value in attribute.values:
            assert value.definition, value.id
            assert len(attribute.prompts(value.id)) >= 2


def test_default_offers_a_choice_wherever_it_asks_for_a_sub_category() -> None:
    taxonomy = Taxonomy.default()
    for category in taxonomy.values("category"):
        assert len(taxonomy.sub_categories(category)) != 1, category


def test_color_anchors_are_nearest_to_themselves() -> None:
    values, anchors = Taxonomy.default().anchors()
    assert set(values) == set(Taxonomy.default().values("color"))
    points = lab(anchors)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    for row, value in enumerate(values):
        others = [distance[row, j] for j, other in enumerate(values) if other != value]
        assert min(others) > 2, f"an anchor of {value} is that of another color"


def test_lab_matches_published_values() -> None:
    got = lab(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]], float))
    expected = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(got[:3], expected, atol=0.02)
    np.testing.assert_allclose(got[3:], [[100, 0, 0], [0, 0, 0]], atol=0.02)


def test_writing_and_reading_changes_nothing(tmp_path: Path) -> None:
    taxonomy = Taxonomy.default()
    taxonomy.save(tmp_path / f"{taxonomy.hash}.toml")
    again = Taxonomy.load(tmp_path / f"{taxonomy.hash}.toml")
    assert again == taxonomy
    assert again.hash == taxonomy.hash


def test_awkward_text_survives_writing() -> None:
    title = 'Größe "XL" \\ back\tslash ✂ 👗 \x7f\nnext'
    data = small().model_dump()
    data["attributes"][0]["values"][0]["title"] = title
    taxonomy = Taxonomy.model_validate(data)
    assert Taxonomy.parse(taxonomy.dumps()) == taxonomy


def test_an_attribute_is_added_by_editing_the_file_alone() -> None:
    default = Taxonomy.default()
    taxonomy = Taxonomy.parse(default.dumps() + NECKLINE)
    assert taxonomy.values("neckline") == ("v-neck", "crew-neck")
    assert taxonomy.attribute("neckline").prompts("v-neck") == ["a garment with v-neck"]
    assert "neckline" in taxonomy.asked("upper")
    assert "neckline" not in taxonomy.asked("feet")
    assert "neckline" in taxonomy.asked("unknown")
    assert taxonomy.hash != default.hash
    for attribute in ("category", "color"):
        assert taxonomy.vocabulary_hash(attribute) == default.vocabulary_hash(attribute)


@pytest.mark.parametrize(
    ("old", "new", "vocabulary", "prompt"),
    [
        ("a photo of {}", "a picture of {}", False, True),
        ('synonyms = ["button-down"]', 'synonyms = ["oxford"]', False, True),
        ('title = "Shirt"', 'title = "Woven shirt"', False, True),
        ('title = "Category"', 'title = "Kind"', False, False),
        ('id = "shirt"', 'id = "blouse"', True, True),
        ('regions = ["upper"]', 'regions = ["upper", "whole"]', True, False),
        ('title = "Category"', 'title = "Category"\nmultiple = true', True, False),
        (
            '{ id = "skirt", title = "Skirt", regions = ["lower"] },',
            '{ id = "skirt", title = "Skirt", regions = ["lower"] },'
            ' { id = "cape", title = "Cape" },',
            True,
            True,
        ),
    ],
)
def test_hashes_tell_what_changed(old: str, new: str, vocabulary: bool, prompt: bool) -> None:
    before, after = small(), small(old, new)
    changed = before.vocabulary_hash("category") != after.vocabulary_hash("category")
    assert changed is vocabulary
    assert (before.prompt_hash("category") != after.prompt_hash("category")) is prompt
    assert before.hash != after.hash


def test_order_is_part_of_the_vocabulary() -> None:
    lines = [line for line in SMALL.splitlines() if line.startswith("  { id")]
    swapped = SMALL.replace("\n".join(lines), "\n".join(reversed(lines)))
    other = Taxonomy.parse(swapped)
    assert other.vocabulary_hash("category") != small().vocabulary_hash("category")


def test_words_are_resolved_in_any_writing() -> None:
    taxonomy = Taxonomy.default()
    assert taxonomy.resolve("category", "T-Shirt") == "t-shirt"
    assert taxonomy.resolve("category", "t shirt") == "t-shirt"
    assert taxonomy.resolve("category", " PANTS ") == "trousers"
    assert taxonomy.resolve("color", "Gray") == "grey"
    assert taxonomy.resolve("category", "spaceship") is None


def test_sub_categories_follow_their_category() -> None:
    taxonomy = Taxonomy.default()
    assert "hoodie" in taxonomy.sub_categories("sweatshirt")
    assert taxonomy.sub_categories("cape") == ()
    assert Taxonomy.parse(NECKLINE).attributes[0].id == "neckline"
    with pytest.raises(BadTaxonomy, match="spaceship"):
        taxonomy.sub_categories("spaceship")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('parent = "skirt"', 'parent = "kilt"', "mini-skirt has 'kilt'"),
        ('parent = "skirt" }', 'synonyms = ["mini"] }', "mini-skirt has None"),
        ('parent = "category"', 'parent = "kind"', "attributes before it"),
        ('parent = "category"\n', "", "expected no parent"),
        ('id = "skirt", title = "Skirt"', 'id = "shirt", title = "Other"', "'shirt' is there 2"),
        ('title = "Skirt"', 'title = "Button-down"', "names shirt and skirt"),
        ('templates = ["a photo of {}"]\nvalues = [\n', "values = [\n", "expected prompts"),
        ('"a photo of {}"', '"a photo"', "in every template"),
        ('id = "sub_category"', 'id = "category"', "each attribute id once"),
        ('id = "sub_category"', 'id = "Sub category"', "attributes.1.id"),
        ('regions = ["upper"]', 'regions = ["head"]', "regions"),
        ('regions = ["upper"]', 'region = ["upper"]', "unknown key"),
        ('id = "shirt"', 'id = "Shirt!"', "attributes.0.values.0.id"),
        ('regions = ["upper"]', 'anchors = ["red"]', "#rrggbb"),
        ('title = "Category"', "title = Category", "expected TOML"),
        ('values = [{ id = "mini-skirt", title = "Mini skirt", parent = "skirt" }]',
         "values = []", "it has none"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(BadTaxonomy, match=r"(?s)expected.*but") as caught:
        small(old, new)
    assert message in str(caught.value)


def test_hotkeys_are_told_apart() -> None:
    text = SMALL.replace('title = "Shirt"', 'title = "Shirt", hotkey = "s"')
    assert Taxonomy.parse(text).attributes[0].values[0].hotkey == "s"
    with pytest.raises(BadTaxonomy, match="each hotkey once"):
        Taxonomy.parse(text.replace('title = "Skirt"', 'title = "Skirt", hotkey = "S"'))


def test_empty_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTaxonomy, match="attributes"):
        Taxonomy.parse("")
    with pytest.raises(BadTaxonomy, match="at least one attribute"):
        Taxonomy.parse("attributes = []")
    with pytest.raises(BadTaxonomy, match="cannot be read"):
        Taxonomy.load(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadTaxonomy, match="UTF-8"):
        Taxonomy.load(tmp_path / "binary.toml")


def test_asking_for_what_is_not_there_names_what_is() -> None:
    with pytest.raises(BadTaxonomy, match="category, sub_category"):
        small().attribute("neckline")
    with pytest.raises(BadTaxonomy, match="shirt, skirt"):
        small().attribute("category").value("kilt")
