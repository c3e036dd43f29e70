"""What the form asks: one control an attribute, or one for an attribute and those below it.

Names and choices are ids, so that titles can be mended without touching what was answered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from garments.answers import NOT_VISIBLE
from garments.parts import Region
from garments.taxonomy import Attribute, Taxonomy, Value

MOST_CHIPS = 30
"""Values that are shown side by side; more of them go into a menu."""

CROP, PHOTO, VERDICT, NOTE, CONFIDENCE, HELP, SAID = (
    "crop-image",
    "photo-image",
    "crop-verdict",
    "annotator-note",
    "confidence-table",
    "form-help",
    "said-table",
)
"""Names of what is no attribute; the hyphen keeps them apart from ids of attributes."""

OK = "ok"

BAD_CROP = {
    "wrong-region": "Wrong region",
    "occluded": "Occluded",
    "not-a-garment": "Not a garment",
    "several-people": "Several people",
}
"""Why a crop is bad: what is stored, and what people read."""


@dataclass(frozen=True)
class Choice:
    """One choice: its id, its text (once in its control), and what it says of each attribute.

    `value` is the last value that it names, None for `not visible`; `regions` are those in which
    it can hold, none for all.
    """

    id: str
    text: str
    says: Mapping[str, str]
    value: Value | None = None
    regions: frozenset[Region] = frozenset()


@dataclass(frozen=True)
class Control:
    """One question of the form about `attributes`, the first of which names it."""

    attributes: tuple[Attribute, ...]
    choices: tuple[Choice, ...]

    @property
    def name(self) -> str:
        """Name in Label Studio's results."""
        return self.attributes[0].id

    @property
    def title(self) -> str:
        """What people read."""
        return plain(" / ".join(attribute.title for attribute in self.attributes))

    @property
    def multiple(self) -> bool:
        """Whether several choices may hold."""
        return self.attributes[0].multiple

    @property
    def menu(self) -> bool:
        """Whether choices open as a menu rather than lie side by side."""
        return len(self.attributes) > 1 or len(self.choices) > MOST_CHIPS

    @cached_property
    def by_id(self) -> dict[str, Choice]:
        """Choices by id."""
        return {choice.id: choice for choice in self.choices}


def controls(taxonomy: Taxonomy) -> list[Control]:
    """The questions in the taxonomy's order.

    An attribute with a parent joins its parent's control; a second one under the same parent, or
    one of which several values may hold, has its own.
    """
    chains: list[list[Attribute]] = []
    for attribute in taxonomy.attributes:
        chain = _chain_of(chains, attribute)
        if chain:
            chain.append(attribute)
        else:
            chains.append([attribute])
    return [Control(tuple(chain), tuple(_choices(taxonomy, chain))) for chain in chains]


def _chain_of(chains: Sequence[list[Attribute]], attribute: Attribute) -> list[Attribute] | None:
    for chain in chains:
        last = chain[-1]
        if last.id == attribute.parent and not (last.multiple or attribute.multiple):
            return chain
    return None


def _choices(taxonomy: Taxonomy, chain: Sequence[Attribute]) -> Iterator[Choice]:
    texts: set[str] = set()
    for path in _paths(taxonomy, chain):
        text = " / ".join(value.title for value in path)
        regions = [set(value.regions) or set(Region) for value in path]
        common = frozenset(set.intersection(*regions))
        yield Choice(
            "/".join(value.id for value in path),
            _unlike(text, texts),
            {attribute.id: value.id for attribute, value in zip(chain, path, strict=False)},
            path[-1],
            frozenset() if common == set(Region) else common,
        )
    unseen = {attribute.id: NOT_VISIBLE for attribute in chain}
    yield Choice(NOT_VISIBLE, _unlike("Not visible", texts), unseen)


def _paths(taxonomy: Taxonomy, chain: Sequence[Attribute]) -> Iterator[list[Value]]:
    """Each value of the first attribute, followed by those that stand under it."""
    if not chain:
        return
    first, *below = chain
    for value in first.values:
        yield from _below(value, below)


def _below(value: Value, chain: Sequence[Attribute]) -> Iterator[list[Value]]:
    yield [value]
    if chain:
        for child in chain[0].values:
            if child.parent == value.id:
                yield from ([value, *path] for path in _below(child, chain[1:]))


def _unlike(text: str, known: set[str]) -> str:
    """`text`, numbered where it is known already: Label Studio finds a choice by its text."""
    text = found = plain(text)
    count = 1
    while found in known:
        count += 1
        found = f"{text} ({count})"
    known.add(found)
    return found


def plain(text: str) -> str:
    """`text` without what stands for a field of the task in a form."""
    return text.replace("$", "\N{FULLWIDTH DOLLAR SIGN}")
