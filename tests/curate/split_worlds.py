"""Random data sets that grow, as plain facts: what the tests of the split are tried on."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from curate.split.facts import Facts
from curate.split.make import Split, SplitOptions, draw
from curate.split.record import Earlier, earlier_in, split_rows
from curate.split.stated import stated_parts
from garments.errors import BadInput

# Mostly nothing, or everything would hang together with test and there were nothing to split.
HANDLES = (*[""] * 8, "@ann", "Ann ", "bob", "cy")
WORDS = (*[""] * 12, "train", "train", "val", "Validation", "test", "fold3")
COLORS = ("red", "blue", "green")


@dataclass
class World:
    """Everything that a catalogue would know, filled step by step.

    Labels may be withdrawn, and copies no longer be found; nothing else is taken back.
    """

    photos: dict[str, str] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    audit: set[str] = field(default_factory=set)
    copies: dict[str, str] = field(default_factory=dict)
    sources: list[dict] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)
    sets: dict[str, set[str]] = field(default_factory=dict)
    rows: list[dict] = field(default_factory=list)
    clock: int = 0

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    @property
    def facts(self) -> Facts:
        return Facts(
            dict(self.photos),
            set(self.photos) - self.retired,
            dict(self.values),
            set(self.audit),
            dict(self.copies),
            list(self.sources),
            stated_parts(self.words, self.sets),
        )

    @property
    def earlier(self) -> Earlier:
        return earlier_in(self.rows)

    def split(self, val: float = 0.2) -> Split | None:
        """Draw and keep; None where nothing can be val."""
        try:
            found = draw(self.facts, self.earlier, SplitOptions(val=val))
        except BadInput:
            return None
        if found.changed:
            new = split_rows(found.version, found.given)
            self.rows += [row | {"seq": self.tick()} for row in new]
        return found

    def handles_of(self, garment: str) -> set[str]:
        return {
            row["handle"].strip().strip("@").lower()
            for row in self.sources
            if row["photo_id"] == self.photos[garment]
        } - {""}

    def copy_groups(self, garment: str) -> set[str]:
        """Names of the duplicate groups that the garment's photo has something of."""
        photo = self.photos[garment]
        return {name for other, name in self.copies.items() if self.photos[other] == photo}


@st.composite
def steps(draw_, photos: int = 5):
    """One step of growth: what is added to a world, as instructions for `grow`."""
    places = st.integers(0, 15)
    few = st.lists(places, max_size=1)
    return {
        "photos": draw_(
            st.lists(
                st.tuples(
                    st.integers(1, 3),
                    st.sampled_from(HANDLES),
                    st.sampled_from(WORDS),
                    st.sampled_from(("", "", "ccp", "shop")),
                ),
                min_size=1,
                max_size=photos,
            )
        ),
        "labels": draw_(
            st.lists(st.tuples(places, st.sampled_from(COLORS)), min_size=2, max_size=10)
        ),
        "withdrawn": draw_(few),
        "audit": draw_(few),
        "retire": draw_(few),
        "revive": draw_(few),
        "copies": draw_(st.lists(st.tuples(places, places), max_size=1)),
        "lost": draw_(few),
        "handles": draw_(st.lists(st.tuples(places, st.sampled_from(HANDLES)), max_size=1)),
        "val": draw_(st.sampled_from((0.0, 0.1, 0.2, 0.5))),
    }


def grow(world: World, step: dict) -> None:
    """Add what a step says; numbers name garments in the order of their making."""
    for garments, handle, word, label_set in step["photos"]:
        _add_photo(world, garments, handle, word, label_set)
    names = sorted(world.photos)
    if not names:
        return

    def named(place: int) -> str:
        return names[place % len(names)]

    for place, color in step["labels"]:
        world.values[named(place)] = (f"color={color}",)
    for place in step["withdrawn"]:
        world.values.pop(named(place), None)
    world.audit |= {named(place) for place in step["audit"]}
    world.retired |= {named(place) for place in step["retire"]}
    world.retired -= {named(place) for place in step["revive"]}
    for place in step["lost"]:  # another model no longer thinks so
        world.copies.pop(named(place), None)
    for one, other in step["copies"]:
        _copy(world, named(one), named(other))
    for place, handle in step["handles"]:
        _add_source(world, world.photos[named(place)], handle)


def _add_photo(world: World, garments: int, handle: str, word: str, label_set: str) -> None:
    photo = f"p{len({*world.photos.values()}):03}"
    _add_source(world, photo, handle)
    if word:
        world.words.append((photo, word))
    for number in range(garments):
        world.photos[f"{photo}-{number}"] = photo
        if label_set:
            world.sets.setdefault(photo, set()).add(label_set)
            world.values[f"{photo}-{number}"] = ("category=dress",)


def _add_source(world: World, photo: str, handle: str) -> None:
    world.sources.append({"photo_id": photo, "handle": handle, "seq": world.tick()})


def _copy(world: World, one: str, other: str) -> None:
    """Make two garments copies; groups that meet become one, as `duplicate_groups` has it."""
    names = {world.copies.get(name, name) for name in (one, other)}
    first = min(names)
    for name, group in list(world.copies.items()):
        if group in names:
            world.copies[name] = first
    world.copies |= {one: first, other: first}
