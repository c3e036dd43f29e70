"""Ids survive another model's slightly different boxes, one to one."""

import pytest

from extract.rematch import keep_garment_ids, keep_person_ids, match_boxes
from garments.boxes import Box
from garments.parts import Region
from garments.records import Garment, Person, Verdict

BOX = Box(100, 100, 200, 300)


def moved(box: Box, by: float) -> Box:
    return Box(box.x1 + by, box.y1, box.x2 + by, box.y2)


def person(name: str, box: Box) -> Person:
    return Person(name, "photo", box, 0.9, Verdict.ACCEPTED)


def garment(name: str, box: Box, region: Region = Region.UPPER) -> Garment:
    return Garment(name, "photo", "someone", region, box, None, 10, "sha")


@pytest.mark.parametrize(("shift", "same"), [(0, True), (10, True), (17, True), (18, False)])
def test_same_from_an_overlap_of_0_7(shift, same):
    assert bool(match_boxes([BOX], [moved(BOX, shift)])) is same


def test_the_best_overlap_wins_and_nothing_matches_twice():
    old = [moved(BOX, 12), BOX]
    new = [moved(BOX, 4), moved(BOX, 10), moved(BOX, 6)]
    assert match_boxes(old, new) == {1: 0, 0: 1}


def test_nothing_matches_nothing():
    assert match_boxes([], [BOX]) == {}
    assert match_boxes([BOX], []) == {}


def test_people_keep_their_id_and_get_the_new_box():
    old = [person("anna", BOX), person("bert", moved(BOX, 300))]
    new = [person("", moved(BOX, 305)), person("", moved(BOX, 600)), person("", moved(BOX, 3))]
    kept = keep_person_ids(old, new)
    assert [p.person_id for p in kept][::2] == ["bert", "anna"]
    assert kept[1].person_id not in ("", "anna", "bert")
    assert [p.box for p in kept] == [p.box for p in new]


def test_garments_match_within_their_region():
    old = [garment("shirt", BOX)]
    upper, lower = keep_garment_ids(
        old, [], [garment("", moved(BOX, 3)), garment("", BOX, Region.LOWER)]
    )
    assert upper.garment_id == "shirt"
    assert lower.garment_id != "shirt"


def test_active_garments_come_before_retired_ones():
    active, retired = [garment("active", moved(BOX, 10))], [garment("retired", BOX)]
    (kept,) = keep_garment_ids(active, retired, [garment("", BOX)])
    assert kept.garment_id == "active"
    both = keep_garment_ids(active, retired, [garment("", BOX), garment("", moved(BOX, 11))])
    assert [g.garment_id for g in both] == ["retired", "active"]


def test_an_own_id_that_somebody_else_bears_is_not_taken():
    (first,) = keep_garment_ids([], [], [garment("", BOX)])
    gone = Garment(first.garment_id, "photo", None, Region.UPPER, moved(BOX, 500), None, 1, "s")
    (other,) = keep_garment_ids([gone], [], [garment("", BOX)])
    assert other.garment_id != first.garment_id
    (again,) = keep_garment_ids([gone, other], [], [garment("", BOX)])
    assert again.garment_id == other.garment_id


def test_matching_again_changes_nothing():
    new = [garment("", moved(BOX, by)) for by in (0, 40, 90)]
    once = keep_garment_ids([garment("old", moved(BOX, 5))], [], new)
    assert keep_garment_ids(once, [], new) == once
