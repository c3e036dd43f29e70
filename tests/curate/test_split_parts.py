"""How val is drawn, what handles and imported sets say, and what cannot be split."""

import math
import os
import random
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.split.assign import assign
from curate.split.groups import group_photos
from curate.split.handles import handle_ties
from curate.split.parts import Member, Part
from curate.split.stated import stated_parts
from curate.split.stratify import SIZE, choose_val, grouped, shares
from garments.errors import BadInput


def outfits(chance: random.Random, largest: int) -> list[Member]:
    """Garments of 150 groups, many with few and some with `largest`; some values are rare."""
    return [
        Member(
            f"g{group}-{n}",
            f"p{group:03}",
            values=(
                f"category={min(int(chance.expovariate(0.3)), 20)}",
                f"color={chance.choice('rgbywk')}",
            ),
        )
        for group in range(150)
        for n in range(min(largest, int(chance.paretovariate(1))))
    ]


def distance(members: list[Member], chosen: set[str], share: float) -> float:
    """Chi-square of what val has of each value against its share of all."""
    every = Counter(value for m in members for value in (SIZE, *m.values))
    val = Counter(value for m in members if m.group in chosen for value in (SIZE, *m.values))
    return sum(
        (val[value] - share * count) ** 2 / (share * count) for value, count in every.items()
    )


def singles(counts: dict[str, int]) -> list[Member]:
    """A group for each garment, so many of each value."""
    names = [value for value, count in counts.items() for _ in range(count)]
    return [Member(f"g{n}", f"p{n:05}", values=(value,)) for n, value in enumerate(names)]


class TestVal:
    @settings(max_examples=60, deadline=None)
    @given(
        st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 200), min_size=1),
        st.sampled_from((0.1, 0.2, 0.5)),
    )
    def test_every_value_has_its_share_where_each_photo_is_a_group(self, counts, share):
        members = singles(counts)
        if len(members) < 3:
            return
        found = shares(members, assign(members, share))
        for value, count in counts.items():
            wanted = share * count
            assert math.floor(wanted) - 1 <= found[value][1] <= math.ceil(wanted) + 1
        assert found[SIZE][1] == pytest.approx(share * len(members), abs=len(counts) + 1)

    @pytest.mark.parametrize("largest", [1, 4, 60])
    @pytest.mark.parametrize("share", [0.1, 0.2])
    def test_it_is_much_nearer_to_the_shares_than_a_draw(self, largest, share):
        mine = drawn = 0.0
        for seed in range(8):
            chance = random.Random(seed)
            members = outfits(chance, largest)
            names = sorted({member.group for member in members})
            mine += distance(members, choose_val(grouped(members), share, {}, {}), share)
            drawn += distance(members, {n for n in names if chance.random() < share}, share)
        assert mine < drawn / 5

    def test_the_same_on_every_machine(self):
        members = outfits(random.Random(1), 4)
        script = (
            "import random, sys; sys.path.insert(0, 'tests/curate')\n"
            "from test_split_parts import choose_val, grouped, outfits\n"
            "print(sorted(choose_val(grouped(outfits(random.Random(1), 4)), 0.1, {}, {})))"
        )
        for seed in ("1", "2"):  # of Python's own hashes, by which sets are ordered
            told = subprocess.run(
                [sys.executable, "-c", script],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            assert told.strip() == str(sorted(choose_val(grouped(members), 0.1, {}, {})))

    def test_what_is_placed_already_is_reckoned_with(self):
        placed = [Member(f"v{n}", f"v{n}", home=Part.VAL, values=("color=red",)) for n in range(50)]
        fresh = [Member(f"n{n}", f"n{n}", values=("color=red",)) for n in range(100)]
        assert set(assign([*placed, *fresh], 0.1).values()) == {Part.VAL, Part.TRAIN}
        assert not {m.garment_id for m in fresh} & _in(assign([*placed, *fresh], 0.1), Part.VAL)

    def test_a_value_that_is_too_rare_to_be_shared_stays_in_train(self):
        members = [*singles({"common": 100}), Member("rare", "rare", values=("rare",))]
        assert assign(members, 0.1)["rare"] is Part.TRAIN

    def test_what_no_release_can_have_does_not_count(self):
        members = [*singles({"red": 20}), Member("old", "old", values=("red",), counts=False)]
        assert "old" in assign(members, 0.1)
        assert shares(members, assign(members, 0.1))[SIZE] == (18, 2)

    def test_without_val_everything_is_train(self):
        assert set(assign(singles({"red": 9}), 0.0).values()) == {Part.TRAIN}

    def test_a_few_garments_still_give_one_to_val(self):
        assert Counter(assign(singles({"red": 3}), 0.1).values())[Part.VAL] == 1

    @pytest.mark.parametrize("sizes", [(5,), (1,), (0, 4)])
    def test_one_group_cannot_be_divided(self, sizes):
        members = [
            Member(f"{at}-{n}", f"p{at}") for at, size in enumerate(sizes) for n in range(size)
        ]
        with pytest.raises(BadInput, match=r"10% for val.*belong to one group.*--val 0"):
            assign(members, 0.1)
        assert set(assign(members, 0.0).values()) == {Part.TRAIN}

    def test_two_halves_can(self):
        members = [Member(f"{group}{n}", group) for group in "ab" for n in range(5)]
        assert Counter(assign(members, 0.1).values()) == {Part.TRAIN: 5, Part.VAL: 5}

    def test_what_is_train_already_cannot_become_val(self):
        members = [Member(f"g{n}", f"p{n}", home=Part.TRAIN) for n in range(20)]
        with pytest.raises(BadInput, match="all 20 garments outside test are train already"):
            assign(members, 0.1)

    def test_garments_of_test_alone_need_no_val(self):
        assert assign([Member("g", "p", claim=Part.TEST)], 0.1) == {"g": Part.TEST}

    def test_nobody_at_all(self):
        assert assign([], 0.1) == {}


class TestStrength:
    def test_a_new_link_quarantines_the_train_side(self):
        members = [
            Member("a", "p", home=Part.TEST),
            Member("b", "p", home=Part.TRAIN),
            Member("c", "p", home=Part.VAL),
            Member("d", "p"),
        ]
        found = assign(members, 0.1)
        assert found.pop("a") is Part.TEST
        assert set(found.values()) == {Part.QUARANTINE}

    def test_val_stays_val_and_what_is_new_beside_it_joins_it(self):
        members = [
            Member("a", "p", home=Part.VAL),
            Member("b", "p", home=Part.TRAIN),
            Member("c", "p"),
        ]
        found = assign(members, 0.1)
        assert found == {"a": Part.VAL, "b": Part.QUARANTINE, "c": Part.VAL}

    def test_labels_that_may_lean_on_a_prefill_do_not_get_into_test_by_company(self):
        members = [Member("blind", "p", claim=Part.TEST), Member("beside", "p")]
        assert assign(members, 0.1) == {"blind": Part.TEST, "beside": Part.QUARANTINE}

    def test_what_was_train_is_never_test(self):
        members = [Member("a", "p", home=Part.TRAIN, claim=Part.TEST), Member("b", "p")]
        assert assign(members, 0.0) == {"a": Part.QUARANTINE, "b": Part.TRAIN}


class TestGroups:
    @given(
        st.lists(st.sampled_from("abcdefgh"), max_size=8),
        st.lists(st.tuples(st.sampled_from("abcdefghz"), st.sampled_from("123")), max_size=8),
    )
    def test_tied_photos_are_one_group_named_by_its_first(self, photos, ties):
        found = group_photos(photos, ties)
        assert found.keys() == set(photos)
        for one, name in ties:
            for other, same in ties:
                if name == same and one in found and other in found:
                    assert found[one] == found[other]
        for name in set(found.values()):
            assert name == min(photo for photo in found if found[photo] == name)

    def test_a_group_keeps_its_name_and_its_photos(self):
        first = group_photos("bc", [("b", "x"), ("c", "x")])
        assert first == {"b": "b", "c": "b"}
        later = group_photos("abc", [("a", "y"), ("c", "y")], first.items())
        assert later == dict.fromkeys("abc", "b")

    def test_an_earlier_group_whose_photo_is_gone(self):
        assert group_photos("bc", [], [("b", "gone"), ("c", "gone")]) == {"b": "gone", "c": "gone"}

    def test_the_photo_that_names_a_group_belongs_to_it(self):
        assert group_photos("ab", [], [("b", "a")]) == {"a": "a", "b": "a"}


def source(photo: str, handle: str | None, seq: int) -> dict:
    return {"photo_id": photo, "handle": handle, "seq": seq}


class TestHandles:
    def test_spellings_of_one_handle(self):
        rows = [source("a", "@Ann", 1), source("b", "ann ", 2), source("c", "bob", 3)]
        found = handle_ties(rows, "abc", [])
        assert found.ties == {("a", "handle:ann"), ("b", "handle:ann"), ("c", "handle:bob")}
        assert not found.divided

    def test_the_only_handle_is_divided_and_stays_so(self):
        rows = [source("a", "ann", 1), source("b", "ann", 2), source("c", None, 3)]
        assert handle_ties(rows, "abc", []).divided == "ann"
        rows += [source("d", "bob", 20), source("e", "bob", 21)]
        found = handle_ties(rows, "abcde", [10])
        assert found.divided == "ann"
        assert found.ties == {("d", "handle:bob"), ("e", "handle:bob")}

    def test_a_handle_that_was_one_of_several_is_never_divided(self):
        rows = [source("a", "ann", 1), source("b", "bob", 2)]
        assert not handle_ties(rows, "ab", [10, 20]).divided
        assert not handle_ties([*rows, source("c", "cy", 15)], "abc", [10, 20]).divided

    def test_a_handle_that_comes_after_a_split_without_any(self):
        rows = [source("a", "ann", 15), source("b", "ann", 16)]
        assert handle_ties(rows, "ab", [10]).divided == "ann"
        assert not handle_ties([*rows, source("c", "bob", 17)], "abc", [10]).divided

    def test_photos_without_garments_tie_nothing_but_count(self):
        rows = [source("a", "ann", 1), source("x", "bob", 2), source("", "cy", 3)]
        assert handle_ties(rows, "a", []).ties == {("a", "handle:ann")}


class TestStated:
    def test_one_held_out_part_is_test_and_train_is_free(self):
        for word in ("val", "Validation ", "test", "dev"):
            found = stated_parts([("a", "train"), ("b", word)], {"a": ["s"], "b": ["s"]})
            assert found.claims == {"b": Part.TEST}

    def test_a_set_with_both_is_taken_at_its_word(self):
        words = [("a", "train"), ("b", "val"), ("c", "test")]
        found = stated_parts(words, {photo: ["s"] for photo in "abc"})
        assert found.claims == {"a": Part.TRAIN, "b": Part.VAL, "c": Part.TEST}

    def test_sets_do_not_speak_for_each_other(self):
        words = [("a", "train"), ("b", "val"), ("c", "train"), ("d", "test"), ("e", "val")]
        sets = {"a": ["one"], "b": ["one"], "c": ["two"], "d": ["two"], "e": ["two"]}
        found = stated_parts(words, sets)
        assert found.claims == {"b": Part.TEST, "c": Part.TRAIN, "d": Part.TEST, "e": Part.VAL}

    def test_the_strongest_of_several_words_counts(self):
        words = [("a", "train"), ("a", "test"), ("b", "train"), ("b", "val")]
        found = stated_parts(words, {"a": ["one", "two"], "b": ["one", "two"]})
        assert found.claims == {"a": Part.TEST, "b": Part.TEST}

    def test_words_that_mean_nothing_are_counted(self):
        found = stated_parts([("a", "fold3"), ("b", "fold3"), ("c", " ")], {})
        assert not found.claims
        assert found.unknown == {"fold3": 2}


def _in(found: dict[str, Part], part: Part) -> set[str]:
    return {garment for garment, given_ in found.items() if given_ is part}
