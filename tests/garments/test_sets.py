"""Readers of public data sets: on small folders with the same layout, and on the data itself."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from garments.errors import BadImage, BadTable, BadTaxonomy
from garments.parts import IGNORED, PARTS
from garments.sets.ccp import ParsedPhoto, default_split, load_parts, read_ccp, read_label_map
from garments.sets.clothing import evaluation_photos, read_clothing
from garments.sets.fashion_products import read_fashion_products
from garments.sets.persons import KEYPOINTS, persons_split, read_persons

DATA = Path(__file__).parents[3] / "shared" / "data"


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not (DATA / name).is_dir(), reason=f"no {name} in {DATA}")


def write_ccp(root: Path, names: list[str], table: str = "photo,label,split") -> Path:
    """A folder like CCP's: two photos, label maps that use each id once, first train, then val."""
    (root / "labels.csv").write_text(
        "id,name\n" + "".join(f"{index},{name}\n" for index, name in enumerate(names))
    )
    lines = [table]
    for number, split in enumerate(("train", "val")):
        photo, label = f"{number}.jpg", f"{number}.png"
        Image.new("RGB", (len(names), 2)).save(root / photo)
        ids = np.tile(np.arange(len(names), dtype=np.uint8), (2, 1))
        palette = Image.fromarray(ids)
        palette.putpalette([9, 8, 7] * 256)
        palette.save(root / label)
        lines.append(",".join((photo, label, split)[: table.count(",") + 1]))
    (root / "anything.csv").write_text("\n".join(lines) + "\n")
    return root


def test_label_maps_become_parts_by_name_not_by_color(tmp_path: Path) -> None:
    items = read_ccp(write_ccp(tmp_path, ["null", "coat", "skin", "tights", "wallet"]))
    expected = [PARTS.index(p) for p in ("background", "upper", "skin", "feet", "accessories")]
    np.testing.assert_array_equal(load_parts(items[0]), [expected, expected])


def test_part_names_and_names_of_other_sets_are_understood(tmp_path: Path) -> None:
    items = read_ccp(write_ccp(tmp_path, [*PARTS, "Left-shoe", "sleeve"]))
    expected = [*range(len(PARTS)), PARTS.index("feet"), IGNORED]
    np.testing.assert_array_equal(load_parts(items[0])[0], expected)


def test_val_is_evaluated_where_there_is_one_else_all(tmp_path: Path) -> None:
    items = read_ccp(write_ccp(tmp_path, ["null"]))
    assert [item.split for item in items] == ["train", "val"]
    assert [item.photo.name for item in default_split(items)] == ["1.jpg"]
    assert read_ccp(tmp_path, "val") == default_split(items)
    items = read_ccp(write_ccp(tmp_path, ["null"], table="photo,label"))
    assert len(default_split(items)) == 2


def test_an_edited_table_of_names_is_read_again(tmp_path: Path) -> None:
    item = read_ccp(write_ccp(tmp_path, ["coat"]))[0]
    assert load_parts(item)[0, 0] == PARTS.index("upper")
    item.names.write_text("id,name\n0,skirt\n")
    os.utime(item.names, ns=(1, 1))
    assert load_parts(item)[0, 0] == PARTS.index("lower")


def test_ids_without_a_name_are_ignored(tmp_path: Path) -> None:
    item = read_ccp(write_ccp(tmp_path, ["null", "coat"]))[0]
    item.names.write_text("id,name\n0,null\n")
    np.testing.assert_array_equal(load_parts(item)[0], [0, IGNORED])


def test_ccp_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="data folder"):
        read_ccp(tmp_path / "none")
    with pytest.raises(BadTable, match=r"photo,label.*no CSV file"):
        read_ccp(tmp_path)
    (tmp_path / "labels.csv").mkdir()
    with pytest.raises(BadTable, match=r"photo,label"):
        read_ccp(tmp_path)
    (tmp_path / "labels.csv").rmdir()
    write_ccp(tmp_path, ["null", "spaceship"])
    with pytest.raises(BadTable, match=r"spaceship.*ccp\.toml"):
        load_parts(read_ccp(tmp_path)[0])
    with pytest.raises(BadTable, match="its splits are: train, val"):
        read_ccp(tmp_path, "test")
    (tmp_path / "labels.csv").write_text("id,name\none,null\n")
    with pytest.raises(BadTable, match="expected a number in column id"):
        load_parts(read_ccp(tmp_path)[0])
    (tmp_path / "labels.csv").unlink()
    with pytest.raises(BadTable, match="no such file"):
        load_parts(read_ccp(tmp_path)[0])
    (tmp_path / "0.png").unlink()
    with pytest.raises(BadTable, match=r"1 are missing.*0\.png"):
        read_ccp(tmp_path)


def test_label_maps_must_be_eight_bit_ids(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "rgb.png")
    with pytest.raises(BadImage, match="its mode is RGB"):
        read_label_map(tmp_path / "rgb.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "rgb.png").read_bytes()[:40])
    for name in ("cut.png", "none.png"):
        with pytest.raises(BadImage, match="cannot be read"):
            read_label_map(tmp_path / name)


def write_persons(root: Path, images: str, boxes: str) -> Path:
    (root / "images").mkdir(exist_ok=True)
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (8, 6)).save(root / "images" / name)
    (root / "images.csv").write_text(images)
    (root / "boxes.csv").write_text(boxes)
    return root


IMAGES = (
    "file,width,height,has_crowd,boxes_truncated,framing\n"
    "images/a.jpg,8,6,,1,full_body\nimages/b.jpg,8,6,0,0,\n"
)
BOXES = "file,x,y,w,h,iscrowd\nimages/a.jpg,1,2,3,4,\nimages/a.jpg,0,0,8,6,1\n"


def test_persons_are_read_with_what_is_not_known(tmp_path: Path) -> None:
    first, second = read_persons(write_persons(tmp_path, IMAGES, BOXES))
    np.testing.assert_array_equal(first.boxes, [[1, 2, 4, 6], [0, 0, 8, 6]])
    assert first.crowd == (None, True)
    assert (first.framing, first.has_crowd, first.boxes_truncated) == ("full_body", None, True)
    assert second.boxes.shape == (0, 4)
    assert (second.framing, second.has_crowd, second.boxes_truncated) == (None, False, False)
    assert second.keypoints is None
    assert first.path.is_file()


def test_persons_split_follows_the_published_rule() -> None:
    assert persons_split("images/000000000785.jpg") == persons_split("000000000785.jpg")
    splits = Counter(persons_split(f"{number:012}.jpg") for number in range(2000))
    assert 0.17 < splits["test"] / 2000 < 0.23
    assert 0.17 < splits["val"] / 2000 < 0.23


def test_persons_say_what_is_wrong(tmp_path: Path) -> None:
    write_persons(tmp_path, "file,width\n", BOXES)
    with pytest.raises(BadTable, match=r"add height to the first line"):
        read_persons(tmp_path)
    write_persons(tmp_path, IMAGES, "file,x,y,w,h\nimages/z.jpg,0,0,1,1\n")
    with pytest.raises(BadTable, match="different copies"):
        read_persons(tmp_path)
    write_persons(tmp_path, IMAGES, "file,x,y,w,h\nimages/a.jpg,0,0,one,1\n")
    with pytest.raises(BadTable, match="'one'"):
        read_persons(tmp_path)
    (tmp_path / "boxes.csv").write_bytes(b"file,x,y,w,h\n\xff\xfe")
    with pytest.raises(BadTable, match="UTF-8"):
        read_persons(tmp_path)


def test_clothing_and_products_say_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file\nx.jpg\n")
    with pytest.raises(BadTable, match="add category"):
        read_clothing(tmp_path)
    with pytest.raises(BadTable, match="articleType"):
        read_fashion_products(tmp_path)
    columns = "file,gender,masterCategory,subCategory,articleType,baseColour,usage"
    Image.new("RGB", (4, 4)).save(tmp_path / "x.jpg")
    row = "x.jpg,Men,Apparel,Topwear,Kilts,Blue,Casual"
    (tmp_path / "labels.csv").write_text(f"{columns}\n{row}\n")
    with pytest.raises(BadTaxonomy, match="Kilts"):
        read_fashion_products(tmp_path)


@needs("ccp")
def test_ccp_as_published() -> None:
    items: list[ParsedPhoto] = read_ccp(DATA / "ccp")
    assert Counter(item.split for item in items) == {"train": 800, "val": 100}
    parts = load_parts(default_split(items)[0])
    with Image.open(default_split(items)[0].photo) as photo:
        assert parts.shape == (photo.height, photo.width)
    assert set(np.unique(parts)) <= set(range(len(PARTS)))


@needs("persons")
def test_persons_as_published() -> None:
    photos = read_persons(DATA / "persons")
    assert len(photos) == 560
    assert sum(len(photo.boxes) for photo in photos) == 2051
    assert Counter(photo.framing for photo in photos)["full_body"] == 100
    with_keypoints = [photo.keypoints for photo in photos if photo.keypoints is not None]
    assert len(with_keypoints) == 194
    assert with_keypoints[0].shape == (len(KEYPOINTS), 3)


@needs("clothing")
def test_clothing_as_published() -> None:
    photos = read_clothing(DATA / "clothing")
    assert Counter(photo.split for photo in photos) == {"train": 3068, "validation": 341}
    assert len(evaluation_photos(photos)) == 341
    assert all(photo.values["category"] for photo in photos)


@needs("fashion_products")
def test_fashion_products_as_published() -> None:
    products = read_fashion_products(DATA / "fashion_products")
    assert Counter(product.split for product in products) == {"train": 5787, "val": 796}
    shirt = next(product for product in products if product.labels["articleType"] == "Tshirts")
    assert shirt.values["category"] == "t-shirt"
    both = next(p for p in products if p.pattern_words == ("floral", "graphic_print"))
    assert both.values["pattern"] == "floral"
    assert not any(product.ignored for product in products if product.split == "val" and
                   product.labels["articleType"] != "Water Bottle")  # fmt: skip
