"""Public sets come in with their garments and labels; again, nothing changes."""

from dataclasses import replace
from pathlib import Path

import public_sets
import pytest
from public_sets import everything, product, said, take

from curate.imports.labels import Said, write_labels
from curate.imports.names import NAMES, open_set, set_name
from extract.run import RunOptions
from extract.run import run as extract
from garments.dataset import Dataset
from garments.errors import BadSetting, BadTable
from garments.ids import stable_id
from garments.said import Basis, people_say_in
from garments.taxonomy import Taxonomy


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def test_a_shot_becomes_a_garment_of_the_region_that_its_word_tells(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "set")
    end = take(dataset, "clothing", root)
    assert (end.photos, end.garments, end.labels, end.total, end.done) == (4, 4, 4, 4, 4)
    assert said(dataset) == {
        "0000.png whole": {"category": "dress"},
        "0001.png lower": {"category": "trousers"},
        "0002.png accessories": {"category": "hat"},
        "0003.png upper": {"category": "shirt"},
    }
    assert end.words.coarse["pants (trousers, jeans, leggings)"] == 1
    rows = dataset.catalog.rows("labels").to_pylist()
    assert {(row["kind"], row["annotator"]) for row in rows} == {("import", "clothing")}
    assert all(row["vocabulary_hash"] for row in rows)
    assert {held.basis for held in people_say_in(dataset).values()} == {Basis.IMPORT}
    for row in dataset.catalog.rows("garments").to_pylist():
        assert dataset.crop_path(row["crop_sha"]).is_file()
        assert dataset.preview_path(row["photo_id"]).is_file()
        assert row["person_id"] is None
        assert row["mask"] is None


def test_sources_say_what_the_set_states(dataset, tmp_path):
    take(dataset, "clothing", public_sets.clothing(tmp_path / "set"))
    rows = {Path(r["origin"]).name: r for r in dataset.catalog.rows("sources").to_pylist()}
    assert rows["0003.png"]["split"] == "validation"
    assert rows["0000.png"]["split"] == "train"
    assert rows["0000.png"]["licence"] == "CC0 1.0"
    assert Path(rows["0000.png"]["origin"]).is_absolute()


def test_importing_again_changes_nothing(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "set")
    take(dataset, "clothing", root)
    before = everything(dataset)
    end = take(dataset, "clothing", root)
    assert (end.photos, end.skipped, end.labels) == (0, 4, 0)
    assert everything(dataset) == before


def test_a_changed_word_is_appended_and_a_lost_one_withdrawn(dataset, tmp_path):
    root, rest = tmp_path / "set", ["pants", "hat", "shirt"]
    told = []
    for word in ("dress", "skirt", "dress", "kilt", "dress"):  # nobody knows kilts
        end = take(dataset, "clothing", public_sets.clothing(root, [word, *rest]))
        told += [(where, v) for where, v in said(dataset).items() if where.startswith("0000")]
        told.append(end.labels)
        before = everything(dataset)
        take(dataset, "clothing", root)
        assert everything(dataset) == before
    dress, skirt = {"category": "dress"}, {"category": "skirt"}
    assert told == [
        ("0000.png whole", dress),
        4,
        ("0000.png lower", skirt),
        1,
        ("0000.png whole", dress),
        1,
        ("0000.png unknown", {}),
        1,
        ("0000.png whole", dress),
        1,
    ]
    assert dataset.catalog.count("garments") == 4, "the same garment all along"


def test_what_a_set_no_longer_says_is_withdrawn_and_may_be_said_again(dataset):
    one = Said("g", "sha", "a.jpg#0", {"category": "dress", "color": "red"})
    fewer, other = replace(one, values={"color": "red"}), replace(one, values={"color": "blue"})
    told = []
    for now in (one, one, fewer, fewer, one, other, one):
        added = write_labels(dataset, "clothing", [now])
        told.append((added, {k[1]: h.value for k, h in people_say_in(dataset).items()}))
    both = {"category": '["dress"]', "color": '["red"]'}
    assert told == [
        (2, both),
        (0, both),
        (1, {"color": '["red"]'}),
        (0, {"color": '["red"]'}),
        (1, both),
        (2, {"color": '["blue"]'}),
        (2, both),
    ]


def test_a_label_id_names_set_key_attribute_and_value(dataset, tmp_path):
    take(dataset, "clothing", public_sets.clothing(tmp_path / "set", ["hat"]))
    (row,) = dataset.catalog.rows("labels").to_pylist()
    key = ("import", "clothing", "images/0000.png#0", "category", "hat")
    assert row["label_id"] == stable_id(*key)


def test_people_go_before_an_import(dataset, tmp_path):
    take(dataset, "clothing", public_sets.clothing(tmp_path / "set", ["hat"]))
    (row,) = dataset.catalog.rows("labels").to_pylist()
    word = {name: row[name] for name in ("garment_id", "crop_sha", "attribute")}
    word |= {"label_id": "x", "value": '["bag"]', "kind": "annotator", "annotator": "ann"}
    dataset.catalog.add("labels", [word])
    take(dataset, "clothing", public_sets.clothing(tmp_path / "set", ["hat"]))
    (held,) = people_say_in(dataset).values()
    assert (held.value, held.basis) == ('["bag"]', Basis.ANNOTATOR)


def test_of_one_picture_under_two_names_the_first_speaks(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "set", ["dress", "hat"])
    (root / "images/0001.png").write_bytes((root / "images/0000.png").read_bytes())
    end = take(dataset, "clothing", root)
    assert (end.photos, end.skipped, end.twice) == (1, 1, 1)
    assert said(dataset) == {"0000.png whole": {"category": "dress"}}
    assert dataset.catalog.count("sources") == 2


def test_damaged_and_missing_photos_are_told_and_the_rest_goes_on(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "set", ["dress", "pants", "hat", "shirt", "skirt"])
    (root / "images/0000.png").write_bytes(b"no picture")
    (root / "images/0001.png").unlink()
    (root / "images/0002.png").write_bytes(b"")
    (root / "images/0003.png").unlink()
    (root / "images/0003.png").symlink_to("nowhere.png")
    end = take(dataset, "clothing", root)
    assert (end.photos, end.unreadable, end.absent, end.done) == (1, 3, 1, 4)
    assert "0000.png: expected a picture" in end.reasons[0]
    assert dataset.catalog.count("sources", "state = 'unreadable'") == 3
    again = everything(dataset)
    assert take(dataset, "clothing", root).unreadable == 3
    assert everything(dataset) == again


def test_a_damaged_photo_that_was_mended_is_imported(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "set", ["dress", "pants"])
    whole = (root / "images/0000.png").read_bytes()
    (root / "images/0000.png").write_bytes(whole[:200])
    assert take(dataset, "clothing", root).unreadable == 1
    (root / "images/0000.png").write_bytes(whole)
    end = take(dataset, "clothing", root)
    assert (end.photos, end.skipped, end.unreadable) == (1, 1, 0)


def test_a_dry_run_writes_nothing_and_tells_the_same(dataset, tmp_path):
    root = public_sets.ccp(tmp_path / "set")
    before = sorted(dataset.folder.rglob("*"))
    foretold = take(dataset, "ccp", root, dry_run=True)
    assert sorted(dataset.folder.rglob("*")) == before
    assert take(dataset, "ccp", root) == foretold


def test_a_limit_takes_the_first_and_the_next_run_the_rest(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "set")
    assert take(dataset, "clothing", root, limit=3).photos == 3
    end = take(dataset, "clothing", root)
    assert (end.photos, end.skipped) == (1, 3)


def test_words_of_a_shop_become_values_and_the_rest_is_counted(dataset, tmp_path):
    rows = [
        product(1, name_pattern_weak="graphic_print|striped", articleType="Tunics"),
        product(2, baseColour="Ultraviolet", gender="NA", usage="Casual"),
        product(3, articleType="Water Bottle"),
        product(4, articleType="Hovercraft", baseColour="Multi"),
    ]
    end = take(dataset, "fashion_products".replace("_", "-"), public_sets.products(tmp_path, rows))
    assert (end.photos, end.outside) == (3, 1)
    assert said(dataset)["1.png upper"] == {
        "category": "top",
        "sub_category": "tunic",
        "color": "navy",
        "style": "casual",
        "gender": "women",
        "pattern": "striped",
    }
    assert said(dataset)["2.png upper"] == {"category": "shirt", "style": "casual"}
    assert said(dataset)["4.png unknown"] == {"style": "casual", "gender": "women"}
    assert end.words.unknown == {"baseColour Ultraviolet": 1, "articleType Hovercraft": 1}
    assert any(word.startswith("baseColour Multi (several") for word in end.words.left_out)
    assert not any("NA" in word for word in [*end.words.left_out, *end.words.unknown])


def test_values_that_the_data_set_does_not_know_are_counted(dataset, tmp_path):
    taxonomy = Taxonomy.default()
    kept = [a for a in taxonomy.attributes if a.id in ("category", "sub_category")]
    fewer = [v for v in kept[0].values if v.id != "hat"]
    subs = [v for v in kept[1].values if v.parent != "hat"]
    changed = (
        kept[0].model_copy(update={"values": tuple(fewer)}),
        kept[1].model_copy(update={"values": tuple(subs)}),
    )
    Taxonomy(attributes=changed).save(dataset.folder / "taxonomy.toml")
    data = Dataset.open(dataset.folder)
    end = take(data, "fashion-products", public_sets.products(tmp_path / "p", [product(1)]))
    assert said(data) == {"1.png upper": {"category": "shirt"}}
    assert end.words.foreign == {"color navy": 1, "style casual": 1, "gender women": 1}
    end = take(data, "clothing", public_sets.clothing(tmp_path / "c", ["hat"]))
    assert end.words.foreign == {"category hat": 1}
    assert end.labels == 0


def test_exact_leaves_out_what_may_mean_several_things(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "set", ["outwear", "skirt", "longsleeve"])
    end = take(dataset, "clothing", root, exact=True)
    assert (end.garments, end.labels) == (3, 1)
    assert said(dataset)["0000.png upper"] == {}
    assert said(dataset)["0002.png upper"] == {}, "no sub-category without its category"
    assert take(dataset, "clothing", root).labels == 3


def test_a_shop_photo_that_was_cut_before_keeps_its_id(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "set", ["hat"])
    list(extract(dataset, [str(root / "images")], RunOptions(as_crops=True)))
    (before,) = dataset.catalog.active_garments().to_pylist()
    take(dataset, "clothing", root)
    (now,) = dataset.catalog.active_garments().to_pylist()
    assert (before["region"], now["region"]) == ("unknown", "accessories")
    assert now["garment_id"] == before["garment_id"]


def test_photos_outside_the_folder_are_refused(dataset, tmp_path):
    for name in ("../secret.png", str(tmp_path / "secret.png")):
        root = public_sets.clothing(tmp_path / "set", ["hat"])
        public_sets.noise(tmp_path / "secret.png", 9)
        with (root / "labels.csv").open("a", encoding="utf-8") as file:
            file.write(f"{name},dress,train\n")
        with pytest.raises(BadTable, match="lies elsewhere"):
            open_set("clothing", root, dataset)
        parsed = public_sets.ccp(tmp_path / "ccp", 1)
        with (parsed / "splits.csv").open("a", encoding="utf-8") as file:
            file.write(f"{name},labels/0000.png,train\n")
        with pytest.raises(BadTable, match="lies elsewhere"):
            open_set("ccp", parsed, dataset)


def test_names_of_sets_are_understood_or_told():
    assert [set_name(name) for name in NAMES] == list(NAMES)
    assert set_name("Fashion_Products") == "fashion-products"
    assert set_name("iMaterialist-2020") == "imaterialist"
    assert set_name("coco") == "persons"
    with pytest.raises(BadSetting, match="did you mean clothing"):
        set_name("cloting")
    with pytest.raises(BadSetting, match="garmentloop extract"):
        set_name("imagenet")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ccp", r"looks like clothing: `garmentloop import clothing"),
        ("fashion-products", r"columns .*articleType.* looks like clothing"),
        ("persons", r"annotations/instances.* looks like clothing"),
        ("imaterialist", r"label_descriptions.json.* looks like clothing"),
    ],
)
def test_a_folder_of_another_set_is_recognised(dataset, tmp_path, name, message):
    root = public_sets.clothing(tmp_path / "set")
    with pytest.raises(BadTable, match=f"(?s){message}"):
        open_set(name, root, dataset)


def test_wrong_folders_are_told(dataset, tmp_path):
    root = public_sets.clothing(tmp_path / "sets" / "clothing")
    with pytest.raises(BadTable, match=r"Did you mean .*sets/clothing\?"):
        open_set("clothing", tmp_path / "sets", dataset)
    with pytest.raises(BadTable, match="does not exist"):
        open_set("clothing", tmp_path / "nowhere", dataset)
    with pytest.raises(BadTable, match="is a file"):
        open_set("clothing", root / "labels.csv", dataset)
    for path in (root / "images").iterdir():
        path.unlink()
    with pytest.raises(BadTable, match="none of 4 is there"):
        open_set("clothing", root, dataset)
    (root / "labels.csv").write_text("file,category,split\n")
    with pytest.raises(BadTable, match="name none"):
        open_set("clothing", root, dataset)
    (root / "labels.csv").write_bytes(b"\xff\xfe\x00file,category")
    with pytest.raises(BadTable, match="UTF-8"):
        open_set("clothing", root, dataset)
