"""Mappings from public label sets: complete, consistent with the default taxonomy, and clear."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from garments.errors import BadTaxonomy
from garments.mappings import (
    PARSING_SETS,
    load_mapping,
    mapping,
    mapping_names,
    part_index,
    parts_by_name,
)
from garments.parts import IGNORED, PARTS
from garments.taxonomy import Taxonomy
from garments.words import normalised

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no public data sets in {DATA}")

CCP = """null accessories bag belt blazer blouse bodysuit boots bra bracelet cape cardigan clogs
coat dress earrings flats glasses gloves hair hat heels hoodie intimate jacket jeans jumper leggings
loafers necklace panties pants pumps purse ring romper sandals scarf shirt shoes shorts skin skirt
sneakers socks stockings suit sunglasses sweater sweatshirt swimwear t-shirt tie tights top vest
wallet watch wedges"""
ATR = """Background Hat Hair Sunglasses Upper-clothes Skirt Pants Dress Belt Left-shoe Right-shoe
Face Left-leg Right-leg Left-arm Right-arm Bag Scarf"""
FASHIONPEDIA = """shirt, blouse;top, t-shirt, sweatshirt;sweater;cardigan;jacket;vest;pants;shorts;
skirt;coat;dress;jumpsuit;cape;glasses;hat;headband, head covering, hair accessory;tie;glove;watch;
belt;leg warmer;tights, stockings;sock;shoe;bag, wallet;scarf;umbrella;hood;collar;lapel;epaulette;
sleeve;pocket;neckline;buckle;zipper;applique;bead;bow;flower;fringe;ribbon;rivet;ruffle;sequin;
tassel"""
COLUMNS = ("articleType", "baseColour", "usage", "gender", "masterCategory", "subCategory")


@pytest.mark.parametrize(
    ("name", "labels", "count"),
    [
        ("ccp", CCP.split(), 59),
        ("atr", ATR.split(), 18),
        ("imaterialist", [name.strip() for name in FASHIONPEDIA.split(";")], 46),
    ],
)
def test_no_label_of_a_published_list_is_without_a_mapping(
    name: str, labels: list[str], count: int
) -> None:
    assert len(labels) == count
    for label in labels:
        entry = mapping(name).known(label)
        assert entry.ignored or entry.part or entry.values


def test_counts_of_the_other_sets() -> None:
    assert len(mapping("clothing").labels) == 10
    assert len(mapping("lip").labels) == 21
    assert len(mapping("fashion_products.articleType").labels) == 143
    assert len(mapping("fashion_products.subCategory").labels) == 45
    for region in PARTS[3:]:
        assert mapping("imaterialist.super").part(region) == region


@pytest.mark.parametrize("name", mapping_names())
def test_every_mapped_value_is_in_the_default_taxonomy(name: str) -> None:
    taxonomy, labels = Taxonomy.default(), mapping(name)
    for label in labels.labels:
        for attribute in labels.values(label):
            assert set(labels.accepted(label, attribute)) <= set(taxonomy.values(attribute)), label


@pytest.mark.parametrize("name", mapping_names())
def test_parts_categories_and_sub_categories_agree(name: str) -> None:
    taxonomy, labels = Taxonomy.default(), mapping(name)
    for label in labels.labels:
        values, part = labels.values(label), labels.part(label)
        if "category" in values:
            assert part in taxonomy.attribute("category").value(values["category"]).regions, label
        if "sub_category" in values:
            assert values["sub_category"] in taxonomy.sub_categories(values["category"]), label


@pytest.mark.parametrize("name", ["ccp", "lip", "imaterialist", "clothing"])
def test_outer_layers_are_upper_and_one_pieces_whole_in_every_set(name: str) -> None:
    upper = {"coat", "cape", "cardigan"}
    whole = {"dress", "romper", "jumpsuit", "jumpsuits", "bodysuit", "suit"}
    for label in mapping(name).labels:
        if label.lower() in upper:
            assert mapping(name).part(label) == "upper"
        if label.lower() in whole:
            assert mapping(name).part(label) == "whole"


def test_label_sets_of_pixels_never_contradict_each_other() -> None:
    seen: dict[str, tuple[str, str | None]] = {}
    for name in PARSING_SETS:
        for label in mapping(name).labels:
            first, part = seen.setdefault(normalised(label), (name, mapping(name).part(label)))
            assert mapping(name).part(label) == part, f"{label} in {first} and {name}"


def test_labels_become_a_lookup_table() -> None:
    table = mapping("atr").label_to_part_array(dict(enumerate(ATR.split())))
    assert table.dtype == np.uint8
    labels = np.array([[0, 4], [9, 10]], np.uint8)
    np.testing.assert_array_equal(table[labels], [[0, 3], [6, 6]])
    assert table[18] == IGNORED


def test_labels_of_checkpoints_are_found_in_any_spelling() -> None:
    assert parts_by_name(["background", "Upper clothes", "left_shoe", "T SHIRT"]) == [0, 3, 6, 3]
    assert parts_by_name(["sleeve", "road", "Unlabelled"]) == [None, None, 0]
    assert parts_by_name(PARTS) == list(range(len(PARTS)))
    assert part_index("sleeve") == IGNORED
    assert part_index("road") is None


def test_a_body_part_is_never_taken_for_what_is_worn_on_it() -> None:
    assert parts_by_name(["head", "neck", "Torso-skin"]) == [None, None, PARTS.index("skin")]


def test_accepted_lists_what_a_coarse_label_may_mean() -> None:
    assert mapping("clothing").accepted("pants", "category") == ("trousers", "jeans", "leggings")
    assert mapping("clothing").accepted("pants", "color") == ()
    assert mapping("ccp").values("null") == {}


def test_unknown_labels_and_mappings_say_what_to_do() -> None:
    with pytest.raises(BadTaxonomy, match=r"mappings/ccp\.toml"):
        mapping("ccp").part("kilt")
    with pytest.raises(BadTaxonomy, match="ccp"):
        mapping("zzz")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{}", "expected a part, values, or ignored"),
        ("{ ignored = true }", "needs a reason"),
        ('{ ignored = true, reason = "r", part = "upper" }', "not both"),
        ('{ part = "head" }', "upper"),
        ('{ part = "upper", categorie = "x" }', "categorie"),
        ('{ part = "upper", covers = { category = ["x"] } }', "covers"),
        ('{ part = "upper" }\n"KILT " = { part = "lower" }', "is twice"),
    ],
)
def test_bad_mappings_are_refused(entry: str, message: str) -> None:
    text = f'title = "T"\nsource = "S"\n[labels]\nkilt = {entry}\n'
    with pytest.raises(BadTaxonomy, match="expected") as caught:
        load_mapping("t", text)
    assert message in str(caught.value)


def occurring_labels() -> Iterator[tuple[str, str]]:
    """(mapping, label) for every label that the data sets hold."""
    for row in _rows("fashion_products/labels.csv"):
        yield from ((f"fashion_products.{column}", row[column]) for column in COLUMNS)
        words = row["name_pattern_weak"].split("|")
        yield from (("fashion_products.name_pattern_weak", word) for word in words)
    yield from (("clothing", row["category"]) for row in _rows("clothing/labels.csv"))
    yield from (("ccp", row["name"]) for row in _rows("ccp/labels.csv"))
    for row in _rows("ccp/image_tags.csv"):
        yield from (("ccp", tag) for tag in row["tags"].split("|") if tag)


def _rows(table: str) -> Iterator[dict[str, str]]:
    with (DATA / table).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@needs_data
def test_every_label_that_occurs_is_mapped_or_ignored() -> None:
    unknown = {pair for pair in occurring_labels() if mapping(pair[0]).entry(pair[1]) is None}
    assert not unknown
