"""The synthetic street: deterministic, true to its own pixels, with looks kept apart."""

import csv
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from garments.errors import BadSetting
from garments.parts import PART_INDEX, PARTS, Region
from garments.records import Verdict
from garments.synthetic import LOOKS, Street, draw_street, write_street
from garments.synthetic.backdrops import BACKDROPS
from garments.synthetic.cuts import CUTS
from garments.synthetic.motifs import MOTIFS
from garments.synthetic.outfit import PATTERNS, REGION_OF
from garments.synthetic.prints import PRINTS
from garments.synthetic.truth import SMALL_SHARE

FRAMINGS = {"accepted", "half_body", "head_only", "cut_off", "too_small", "too_close"}


@pytest.fixture(scope="module")
def streets() -> list[Street]:
    return [draw_street(seed, look) for look in LOOKS for seed in range(28)]


@pytest.mark.parametrize("look", list(LOOKS))
def test_same_seed_gives_the_same_bytes(look: str) -> None:
    first, again = draw_street(7, look), draw_street(7, look)
    assert first.pixels.tobytes() == again.pixels.tobytes()
    assert first.labels.tobytes() == again.labels.tobytes()
    assert first.people == again.people


def test_global_random_state_is_neither_read_nor_changed() -> None:
    np.random.seed(1)
    before = draw_street(3).pixels
    after_drawing = np.random.random()
    np.random.seed(1)
    assert np.random.random() == after_drawing
    assert np.array_equal(before, draw_street(3).pixels)


def test_seeds_and_looks_give_different_pictures() -> None:
    pictures = [draw_street(s, k, size=(120, 160)).pixels for s in range(3) for k in LOOKS]
    assert len({p.tobytes() for p in pictures}) == len(pictures)


def test_pictures_have_the_promised_size_and_types(streets: list[Street]) -> None:
    for street in streets:
        height, width = street.labels.shape
        assert street.pixels.shape == (height, width, 3)
        assert street.pixels.dtype == street.labels.dtype == street.owner.dtype == np.uint8
        assert 384 <= max(height, width) <= 640
        assert street.labels.max() < len(PARTS)
    assert {s.labels.shape[0] > s.labels.shape[1] for s in streets} == {True, False}


def test_labels_and_owners_cover_the_same_pixels(streets: list[Street]) -> None:
    for street in streets:
        assert np.array_equal(street.labels > 0, street.owner > 0)
        assert street.owner.max(initial=0) == len(street.people)


def test_boxes_are_the_visible_extent_of_each_person(streets: list[Street]) -> None:
    for street in streets:
        for number, person in enumerate(street.people, 1):
            rows, columns = np.nonzero(street.owner == number)
            expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert tuple(person.box) == expected
            full = person.full_box.grown(0.02)
            assert full.x1 <= person.box.x1 + 2 and full.x2 >= person.box.x2 - 2
            assert full.y1 <= person.box.y1 + 2 and full.y2 >= person.box.y2 - 2


def test_garments_are_all_pixels_of_their_region(streets: list[Street]) -> None:
    for street in streets:
        for number, person in enumerate(street.people, 1):
            assert len({g.region for g in person.garments}) == len(person.garments)
            for garment in person.garments:
                part = PART_INDEX[garment.region.value]
                rows, columns = np.nonzero((street.owner == number) & (street.labels == part))
                assert garment.area == rows.size
                box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
                assert tuple(garment.box) == box


def test_garments_are_named_by_the_vocabulary(streets: list[Street]) -> None:
    garments = [g for s in streets for p in s.people for g in p.garments]
    for garment in garments:
        assert REGION_OF[garment.category] == garment.region
        assert garment.pattern in PATTERNS
        assert garment.color in LOOKS["train"].shades
    assert {g.region for g in garments} == set(Region) - {Region.UNKNOWN}
    assert {g.pattern for g in garments} == set(PATTERNS)
    assert len({g.color for g in garments}) >= 16


def test_every_framing_occurs() -> None:
    seen = {
        p.framing
        for seed in range(120)
        for p in draw_street(seed, people=1, size=(180, 240)).people
    }
    assert seen == FRAMINGS
    assert seen <= {v.value for v in Verdict}


def test_framing_agrees_with_what_can_be_seen(streets: list[Street]) -> None:
    for street in streets:
        height = street.labels.shape[0]
        for number, person in enumerate(street.people, 1):
            low = person.box.height < SMALL_SHARE * height
            assert low == (person.framing == "too_small")
            if person.framing == "accepted":
                mine = street.labels[street.owner == number]
                assert np.isin([PART_INDEX["skin"], PART_INDEX["hair"]], mine).any()
                assert person.full_box.y2 <= height + 0.05 * person.full_box.height


@pytest.mark.parametrize("people", [1, 2, 3, 4, 5])
def test_as_many_people_as_asked_for_at_most(people: int) -> None:
    counts = [len(draw_street(s, people=people, size=(320, 240)).people) for s in range(8)]
    assert max(counts) == people


def test_people_hide_one_another() -> None:
    streets = [draw_street(s, people=4, size=(240, 240)) for s in range(8)]
    overlaps = [
        a.box.clipped(b.box.x2, b.box.y2).x2 > b.box.x1
        for s in streets
        for a, b in pairwise(s.people)
    ]
    assert any(overlaps)


def test_looks_share_no_shade_print_cut_or_backdrop() -> None:
    train, unseen = LOOKS["train"], LOOKS["unseen"]
    assert train.shades.keys() == unseen.shades.keys()
    for name in train.shades:
        a = np.array([[int(c[k : k + 2], 16) for k in (0, 2, 4)] for c in train.shades[name]])
        b = np.array([[int(c[k : k + 2], 16) for k in (0, 2, 4)] for c in unseen.shades[name]])
        apart = np.abs(a[:, None] - b[None]).max(-1)
        assert apart.min() > 6, f"shades of {name} lie within each other's random move"
    for table in ("prints", "cuts"):
        mine = {v for values in getattr(train, table).values() for v in values}
        theirs = {v for values in getattr(unseen, table).values() for v in values}
        assert mine and theirs and not mine & theirs
    assert not set(train.backdrops) & set(unseen.backdrops)


def test_everything_a_look_names_exists() -> None:
    for look in LOOKS.values():
        assert set(look.backdrops) <= BACKDROPS.keys()
        assert {c for cuts in look.cuts.values() for c in cuts} <= CUTS.keys()
        prints = {p for names in look.prints.values() for p in names}
        assert prints <= PRINTS.keys() | MOTIFS.keys()
        for scene in look.backdrops:
            assert draw_street(1, look.name, size=(96, 128), scene=scene).pixels.std() > 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"look": "dusk"}, "train, unseen"),
        ({"people": 9}, "1 to 5"),
        ({"scene": "seaside"}, "street"),
        ({"size": (10, 400)}, "64 to 4096"),
    ],
)
def test_bad_arguments_say_what_is_possible(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        draw_street(0, **arguments)  # type: ignore[arg-type]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("street")
    assert list(write_street(folder, 10, 20, "unseen")) == list(range(1, 11))
    yield folder


def test_written_label_maps_are_the_drawn_ones(written: Path) -> None:
    splits = read(written / "splits.csv")
    assert [r["split"] for r in splits] == ["val"] * 10, "no training may use the look unseen"
    assert [r["name"] for r in read(written / "labels.csv")] == list(PARTS)
    for k, row in enumerate(splits):
        street = draw_street(20 + k, "unseen")
        with Image.open(written / row["label"]) as image:
            assert image.mode == "P"
            assert np.array_equal(np.asarray(image), street.labels)
        with Image.open(written / row["photo"]) as image:
            close = np.abs(np.asarray(image, float) - street.pixels).mean()
        assert close < 8, "the photo is the drawing up to JPEG compression"


def test_written_tables_hold_the_truth(written: Path) -> None:
    images, boxes = read(written / "images.csv"), read(written / "boxes.csv")
    garments = read(written / "garments.csv")
    for k, row in enumerate(images):
        street = draw_street(20 + k, "unseen")
        people = street.people
        assert (int(row["height"]), int(row["width"])) == street.labels.shape
        assert int(row["n_persons"]) == len(people)
        assert row["framing"] == (people[0].framing if len(people) == 1 else "")
        mine = [b for b in boxes if b["file"] == row["file"]]
        sizes = [tuple(float(b[c]) for c in "xywh") for b in mine]
        assert sizes == [(p.box.x1, p.box.y1, p.box.width, p.box.height) for p in people]
        worn = [(g.category, g.color, g.pattern) for p in people for g in p.garments]
        rows = [g for g in garments if g["file"] == row["file"]]
        assert [(g["category"], g["color"], g["pattern"]) for g in rows] == worn
    note = json.loads((written / "dataset.json").read_text(encoding="utf-8"))
    assert note["look"] == "unseen" and note["photos"] == 10
