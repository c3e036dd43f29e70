"""What the split promises, tried on random data sets that grow."""

import itertools
import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_worlds import World, grow, steps

from curate.split.make import SplitOptions, draw
from curate.split.parts import Part
from garments.errors import BadInput

PLACED = {Part.TRAIN, Part.VAL, Part.TEST}
GROWTH = st.lists(steps(), min_size=2, max_size=5)
TRIED = settings(max_examples=30, deadline=None)


def history(growth):
    """The world, and the split, after each step at which one could be drawn."""
    world = World()
    for step in growth:
        grow(world, step)
        if world.values or world.audit:
            found = world.split(step["val"])
            if found:
                yield world, found


def parts(found):
    return {garment: given.part for garment, given in found.given.items()}


def touching(world: World, divided: str):
    """Pairs of garments that share a photo, a handle or a copy: told without the code's groups."""
    several = len({handle for garment in world.photos for handle in world.handles_of(garment)}) > 1
    for one, other in itertools.combinations(sorted(world.photos), 2):
        handles = (world.handles_of(one) & world.handles_of(other)) - {divided}
        if (
            world.photos[one] == world.photos[other]
            or (several and handles)
            or world.copy_groups(one) & world.copy_groups(other)
        ):
            yield one, other


def divided_handle(found) -> str:
    told = [note for note in found.notes if "only handle" in note]
    return told[0].split()[0].removeprefix("@") if told else ""


@TRIED
@given(GROWTH)
def test_what_touches_is_never_in_two_parts(growth):
    for world, found in history(growth):
        given_ = parts(found)
        for one, other in touching(world, divided_handle(found)):
            if one in given_ and other in given_:
                assert len({given_[one], given_[other]} & PLACED) <= 1, (one, other)


@TRIED
@given(GROWTH)
def test_groups_are_whole(growth):
    for _, found in history(growth):
        groups = defaultdict(set)
        for given_ in found.given.values():
            groups[given_.group].add(given_.part)
        assert all(len(inside & PLACED) <= 1 for inside in groups.values())


@TRIED
@given(GROWTH)
def test_what_was_once_found_to_belong_together_stays_together(growth):
    together: set[frozenset[str]] = set()
    for _, found in history(growth):
        groups = defaultdict(set)
        for garment, given_ in found.given.items():
            groups[given_.group].add(garment)
        for garments in together:
            assert len({found.given[garment].group for garment in garments}) == 1
        together |= {frozenset(garments) for garments in groups.values()}


@TRIED
@given(GROWTH)
def test_test_stays_test_and_no_other_part_becomes_another(growth):
    ever: dict[str, Part] = {}
    for _, found in history(growth):
        for garment, part in parts(found).items():
            if garment in ever:
                assert part in (ever[garment], Part.QUARANTINE)
                assert ever[garment] is not Part.TEST or part is Part.TEST
            if part is not Part.QUARANTINE:
                ever[garment] = part


@TRIED
@given(GROWTH)
def test_a_garment_that_has_a_part_never_loses_its_row(growth):
    before: set[str] = set()
    for _, found in history(growth):
        assert before <= found.given.keys()
        before = set(found.given)


@TRIED
@given(GROWTH)
def test_test_is_blind_or_a_sets_own_and_nothing_else(growth):
    due: set[str] = set()  # what was due when it became test stays test
    for world, found in history(growth):
        claims = world.facts.stated.claims
        due |= world.audit | {g for g, p in world.photos.items() if claims.get(p) is Part.TEST}
        assert {g for g, part in parts(found).items() if part is Part.TEST} <= due


@TRIED
@given(GROWTH)
def test_a_blind_garment_is_test_unless_models_may_know_it(growth):
    learned: set[str] = set()
    for world, found in history(growth):
        given_ = parts(found)
        for garment in world.audit & world.photos.keys():
            assert given_[garment] is (Part.QUARANTINE if garment in learned else Part.TEST)
        learned |= {g for g, part in given_.items() if part in (Part.TRAIN, Part.VAL)}


@TRIED
@given(GROWTH)
def test_quarantine_has_a_reason(growth):
    """Nobody is left out but beside a stronger part, or as an audit garment that was train."""
    for world, found in history(growth):
        claims = world.facts.stated.claims
        home = world.earlier.home
        stands = defaultdict(set)
        everybody = draw(
            world.facts.__class__(
                **{**vars(world.facts), "values": dict.fromkeys(world.photos, ())}
            ),
            world.earlier,
            SplitOptions(val=0.0),
        ).given
        for garment, photo in world.photos.items():
            claim = Part.TEST if garment in world.audit else claims.get(photo)
            stands[everybody[garment].group].add(home.get(garment) or claim)
        for garment, given_ in found.given.items():
            if given_.part is Part.QUARANTINE:
                claim = Part.TEST if garment in world.audit else claims.get(world.photos[garment])
                beside = stands[given_.group] & {Part.TEST, Part.VAL}
                assert beside or (claim is Part.TEST and garment in home)


def test_where_all_labels_were_withdrawn_before_the_first_split_nothing_is_drawn():
    world = World(photos={"g1": "p1"})
    with pytest.raises(BadInput, match="garments with labels to split"):
        draw(world.facts, world.earlier, SplitOptions(val=0.0))


@TRIED
@given(GROWTH)
def test_a_second_time_changes_nothing(growth):
    for world, found in history(growth):
        again = draw(world.facts, world.earlier, SplitOptions(val=0.0))
        assert not again.changed
        assert parts(again) == parts(found)
        assert again.version == list(world.earlier.versions)[-1]


@TRIED
@given(GROWTH, st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_told_does_not_matter(growth, chance: random.Random):
    world = World()
    for step in growth:
        grow(world, step)
    if not world.values and not world.audit:
        return
    mixed = World(**{**vars(world)})
    for name in ("photos", "values", "copies", "sets"):
        items = list(getattr(world, name).items())
        chance.shuffle(items)
        setattr(mixed, name, dict(items))
    for name in ("sources", "words"):
        items = list(getattr(world, name))
        chance.shuffle(items)
        setattr(mixed, name, items)
    mixed.rows = []
    one, other = world.split(), mixed.split()
    assert (one is None) == (other is None)
    if one:
        assert one.given == other.given
        assert one.notes == other.notes


@TRIED
@given(GROWTH, steps())
def test_what_touches_nothing_changes_nothing(growth, more):
    """New photos without handles or copies leave every garment where it was."""
    world = World()
    for step in growth:
        grow(world, step)
        world.split(step["val"])
    found = world.split(0.0)  # which can always be drawn
    if not found:
        return
    before = parts(found)
    new = [(count, "", "", label_set) for count, _, _, label_set in more["photos"]]
    grow(world, {name: [] for name in more} | {"photos": new})
    after = world.split(0.2)
    if after:
        assert {garment: parts(after)[garment] for garment in before} == before
