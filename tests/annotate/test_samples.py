"""Reading labelled pictures for the evaluation, the sets' own words, and the baselines."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotate.baselines import majority, neighbours_say, thumbnail
from annotate.native import NATIVE_COLUMNS, native_taxonomy
from annotate.samples import kind_of, read_samples
from garments.errors import BadTable, BadTaxonomy
from garments.parts import PARTS, Region
from garments.taxonomy import Taxonomy

PRODUCTS = "file,split,gender,masterCategory,subCategory,articleType,baseColour,usage"


def products(root: Path, *rows: str, header: str = PRODUCTS) -> Path:
    """A folder like fashion_products with one small picture a row."""
    (root / "labels.csv").write_text("\n".join((header, *rows)) + "\n")
    for row in rows:
        Image.new("RGB", (6, 8), "red").save(root / row.split(",")[0])
    return root


SHIRT = "a.png,train,Men,Apparel,Topwear,Tshirts,Navy Blue,Casual"
BOTTLE = "b.png,val,Women,Accessories,Water Bottle,Water Bottle,Multi,NA"


def test_native_columns_are_scored_in_the_sets_own_words(tmp_path: Path) -> None:
    found = read_samples(products(tmp_path, SHIRT, BOTTLE), "native")
    assert list(found.columns) == list(NATIVE_COLUMNS["fashion_products"])
    shirt, bottle = ({c: s.truth.get(a) for c, a in found.columns.items()} for s in found.samples)
    assert shirt["articleType"] == ("tshirts",)
    assert shirt["baseColour"] == ("navy-blue",)
    assert bottle["baseColour"] == ("multi",), "native words are scored even where none maps"
    assert bottle["usage"] is None, "NA says that nobody knows"
    for column, attribute in found.columns.items():
        values = found.taxonomy.values(attribute)
        assert all(set(s.truth.get(attribute, ())) <= set(values) for s in found.samples), column


def test_mapped_columns_accept_all_that_a_coarse_word_may_mean(tmp_path: Path) -> None:
    header = f"{PRODUCTS},name_pattern_weak"
    rows = (f"{SHIRT},floral|graphic_print", f"{BOTTLE},", f"c{SHIRT[1:]},graphic_print")
    first, second = read_samples(products(tmp_path, *rows, header=header), "mapped").samples
    assert first.truth == {
        "category": ("t-shirt",),
        "color": ("navy",),
        "pattern": ("floral",),
        "style": ("casual", "street"),
        "gender": ("men",),
    }
    assert second.truth["pattern"][0] == "graphic"
    assert "floral" in second.truth["pattern"]
    crop = first.load()
    assert crop.pixels.shape == (8, 6, 3)
    assert (crop.mask, crop.region) == (None, Region.UNKNOWN)


def test_val_is_scored_and_train_is_learnt_from_where_they_are(tmp_path: Path) -> None:
    found = read_samples(products(tmp_path, SHIRT, BOTTLE), "native")
    evaluated = found.of_split(None)
    assert [sample.split for sample in evaluated] == ["val"]
    assert [sample.split for sample in found.reference(evaluated)] == ["train"]
    with pytest.raises(BadTable, match="the splits are: train, val"):
        found.of_split("test")
    rows = [row.replace(",train,", ",,").replace(",val,", ",,") for row in (SHIRT, BOTTLE)]
    alone = read_samples(products(tmp_path, *rows), "native")
    assert alone.of_split(None) == alone.reference(alone.of_split(None)) == list(alone.samples)


def test_unknown_words_and_layouts_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="expected a folder with a CSV table of one of these"):
        kind_of(tmp_path)
    products(tmp_path, SHIRT.replace("Topwear", "Spacewear"))
    with pytest.raises(BadTaxonomy, match=r"Spacewear.*subCategory\.toml"):
        read_samples(tmp_path, "native")


def test_clothing_is_read_by_its_ten_words(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,category\na.png,pants\nb.png,t-shirt\n")
    for name in "ab":
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    native, mapped = (read_samples(tmp_path, word) for word in ("native", "mapped"))
    assert len(native.taxonomy.values("clothing_category")) == 10
    assert native.samples[0].truth == {"clothing_category": ("pants",)}
    assert mapped.samples[0].truth == {"category": ("trousers", "jeans", "leggings")}


def parsed(root: Path, names: list[str], garments: str = "") -> Path:
    """One photo, its upper half of label 1, its lower half of label 2."""
    Image.new("RGB", (40, 40), "blue").save(root / "0.png")
    ids = np.repeat(np.array([[1], [2]], np.uint8), 20, axis=0).repeat(40, axis=1)
    Image.fromarray(ids).save(root / "0l.png")
    table = "".join(f"{k},{name}\n" for k, name in enumerate(names))
    (root / "labels.csv").write_text("id,name\n" + table)
    (root / "splits.csv").write_text("photo,label,split\n0.png,0l.png,val\n")
    if garments:
        (root / "garments.csv").write_text(garments)
    return root


def test_crops_of_label_maps_know_their_region_and_mask(tmp_path: Path) -> None:
    found = read_samples(parsed(tmp_path, ["null", "coat", "jeans"]), "native")
    assert found.kind == "ccp"
    assert [sample.truth["category"] for sample in found.samples] == [("coat",), ("jeans",)]
    told = found.taxonomy.values("category")
    assert "coat" in told and "saree" not in told, "CCP has no label for a saree"
    assert "saree" in read_samples(tmp_path, "mapped").taxonomy.values("category")
    crop = found.samples[1].load()
    assert crop.region is Region.LOWER
    assert crop.mask is not None and 0.8 < crop.mask.mean() < 1


def test_a_street_folder_has_color_and_pattern_too(tmp_path: Path) -> None:
    table = (
        "file,region,category,color,pattern,x1,y1,x2,y2\n0.png,lower,jeans,blue,solid,0,20,40,40"
    )
    names = list(PARTS)
    names[1], names[2] = "upper", "lower"
    found = read_samples(parsed(tmp_path, names, table), "mapped")
    assert found.kind == "street"
    truth = {"category": ("jeans",), "color": ("blue",), "pattern": ("solid",)}
    assert [sample.truth for sample in found.samples] == [truth]


@pytest.mark.parametrize("name", NATIVE_COLUMNS)
def test_native_words_have_prompts_and_share_no_synonym(name: str) -> None:
    taxonomy = native_taxonomy(name)
    assert Taxonomy.parse(taxonomy.dumps()) == taxonomy, "it passes every check of a taxonomy file"
    for attribute in taxonomy.attributes:
        assert all(attribute.prompts(value) for value in attribute.ids)


def test_native_synonyms_go_to_the_word_with_the_best_claim() -> None:
    types = native_taxonomy("fashion_products").attribute("fashion_products_article_type")
    assert "blazer" in types.value("blazers").synonyms
    assert "a photo of blazer" in types.prompts("blazers")
    assert not types.value("casual-shoes").synonyms, "heels, flats and others are shoes as well"
    words = native_taxonomy("clothing").attribute("clothing_category")
    assert "jeans" in words.value("pants").synonyms
    assert "t shirt" not in words.value("longsleeve").synonyms, "another word is just that"


def test_majority_and_ties() -> None:
    assert majority(["b", "a", "b"]) == "b"
    assert majority(["b", "a"]) == "a"
    assert majority([]) == ""


def unit(*vectors: tuple[float, ...]) -> np.ndarray:
    array = np.array(vectors, np.float32)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


def test_neighbours_vote_and_leave_out_what_is_asked() -> None:
    known = unit((1, 0), (0.9, 0.1), (0.8, 0.2), (0, 1))
    assert neighbours_say(unit((1, 0)), known, [None], ["a", "b", "b", "c"]) == ["b"]
    assert neighbours_say(known[:1], known, [0], ["a", "b", "b", "a"]) == ["b"]
    assert neighbours_say(known, known, [0, 1, 2, 3], list("abca")) == ["b", "a", "a", "c"]
    assert neighbours_say(known[:1], known[:1], [0], ["a"]) == [""]


def test_thumbnails_are_padded_with_white() -> None:
    wide = np.zeros((8, 32, 3), np.uint8)
    picture = thumbnail(wide).reshape(32, 32, 3)
    assert np.linalg.norm(picture) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(
        (picture > 0).all(axis=(1, 2)), [*[True] * 12, *[False] * 8, *[True] * 12]
    )
    assert not thumbnail(np.zeros((4, 4, 3), np.uint8)).any(), "all black has no direction"


@pytest.mark.parametrize("name", ["fashion_products", "clothing"])
def test_the_data_itself_is_understood(name: str, shared_data: Callable[[str], Path]) -> None:
    for vocabulary in ("native", "mapped"):
        found = read_samples(shared_data(name), vocabulary)
        assert 0 < len(found.of_split(None)) < len(found.samples)
        known = {a: set(found.taxonomy.values(a)) for a in found.columns.values()}
        assert all(
            set(v) <= known[a] for s in found.samples for a, v in s.truth.items() if a in known
        )
