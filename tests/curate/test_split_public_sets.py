"""The split of whole public sets, from their tables alone: what is test, and how even val is."""

from collections import Counter

import pytest

from curate.split.facts import Facts
from curate.split.make import SplitOptions, draw
from curate.split.parts import Part
from curate.split.record import earlier_in
from curate.split.stated import stated_parts
from garments.sets.clothing import read_clothing
from garments.sets.fashion_products import read_fashion_products

READERS = {"clothing": read_clothing, "fashion_products": read_fashion_products}


@pytest.mark.parametrize("name", READERS)
def test_its_own_held_out_part_is_test_and_every_value_has_its_share_in_val(shared_data, name):
    rows = READERS[name](shared_data(name))
    photos = {f"g-{row.file}": row.file for row in rows}
    stated = stated_parts([(row.file, row.split) for row in rows], {r.file: [name] for r in rows})
    values = {
        f"g-{row.file}": tuple(sorted(f"{a}={v}" for a, v in row.values.items())) for row in rows
    }
    facts = Facts(photos, frozenset(photos), values, stated=stated)
    found = draw(facts, earlier_in([]), SplitOptions(val=0.1))
    test = {garment for garment, given in found.given.items() if given.part is Part.TEST}
    assert test == {f"g-{row.file}" for row in rows if row.split != "train"}
    assert Counter(g.part for g in found.given.values())[Part.QUARANTINE] == 0
    off = {v: val - 0.1 * (train + val) for v, (train, val) in found.shares.items()}
    assert max(map(abs, off.values())) <= 1.5, sorted(off.items(), key=lambda item: abs(item[1]))
