"""From a set's words to values of a data set's taxonomy, keeping count of what was lost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from garments.mappings import LabelMapping
from garments.taxonomy import Taxonomy
from garments.words import normalised

NOT_GIVEN = frozenset(("", "na", "nan"))
"""Words that say that there is no label."""


@dataclass
class Words:
    """Words that did not become labels, or not quite, and how often they occurred.

    `unknown` are in no mapping, `left_out` are left out by their mapping on purpose, `foreign` are
    values that this data set's taxonomy lacks, `coarse` may stand for several values.
    """

    unknown: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    coarse: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Words") -> None:
        """Count what `other` has counted."""
        for name, counter in vars(self).items():
            counter.update(getattr(other, name))


class Lexicon:
    """Translates words into values of one taxonomy."""

    def __init__(self, taxonomy: Taxonomy, exact: bool = False) -> None:
        """`exact` leaves out words that may stand for several values."""
        self._values = {
            attribute.id: {value.id: value.parent for value in attribute.values}
            for attribute in taxonomy.attributes
        }
        self._parents = {a.id: a.parent for a in taxonomy.attributes if a.parent}
        self._exact = exact

    def translate(
        self, labels: LabelMapping, word: str, words: Words, column: str = ""
    ) -> dict[str, str]:
        """Value by attribute that `word` means by the mapping `labels`; what is lost is counted."""
        shown = f"{column} {word}".strip()
        entry = labels.entry(word)
        if normalised(word) in NOT_GIVEN:
            return {}
        if entry is None:
            words.unknown[shown] += 1
            return {}
        if entry.ignored:
            words.left_out[f"{shown} ({entry.reason[:1].lower()}{entry.reason[1:]})"] += 1
            return {}
        values = {name: v for name, v in entry.values.items() if self._knows(name, v, words)}
        coarse = [name for name in values if entry.covers.get(name)]
        for name in coarse:
            meant = ", ".join([values[name], *entry.covers[name]])
            words.coarse[f"{shown} ({meant})"] += 1
            if self._exact:
                del values[name]
        return self.consistent(values)

    def consistent(self, values: Mapping[str, str]) -> dict[str, str]:
        """`values` without those that do not stand under the value of their parent attribute."""
        return {
            name: value
            for name, value in values.items()
            if name not in self._parents
            or self._values[name][value] == values.get(self._parents[name])
        }

    def _knows(self, attribute: str, value: str, words: Words) -> bool:
        known = value in self._values.get(attribute, ())
        if not known:
            words.foreign[f"{attribute} {value}"] += 1
        return known
