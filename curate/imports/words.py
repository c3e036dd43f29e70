"""From a set's words to values of a data set's taxonomy, keeping count of what was lost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from garments.dataset import Dataset
from garments.mappings import LabelMapping
from garments.migration.history import History
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

    def __init__(
        self, taxonomy: Taxonomy, exact: bool = False, history: History | None = None
    ) -> None:
        """`exact` leaves out words that may stand for several values.

        By `history` values of a taxonomy that was migrated are what they became.
        """
        self._values = {
            attribute.id: {value.id: value.parent for value in attribute.values}
            for attribute in taxonomy.attributes
        }
        self._parents = {a.id: a.parent for a in taxonomy.attributes if a.parent}
        self._exact, self._history = exact, history or History(())

    @classmethod
    def of(cls, dataset: Dataset, exact: bool = False) -> "Lexicon":
        """For the taxonomy that a data set has by now."""
        return cls(dataset.taxonomy, exact, History.of(dataset.folder))

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
        values: dict[str, str] = {}
        for said in entry.values.items():
            now = self._now(*said)
            if now is None:
                words.foreign[" ".join(said)] += 1
                continue
            covers = entry.covers.get(said[0])
            if covers:
                words.coarse[f"{shown} ({', '.join([now[1], *covers])})"] += 1
            if not covers or not self._exact:
                values[now[0]] = now[1]
        return self.consistent(values)

    def consistent(self, values: Mapping[str, str]) -> dict[str, str]:
        """`values` without those that do not stand under the value of their parent attribute."""
        return {
            name: value
            for name, value in values.items()
            if name not in self._parents
            or self._values[name][value] == values.get(self._parents[name])
        }

    def _now(self, attribute: str, value: str) -> tuple[str, str] | None:
        """An attribute and its value as they are called now; None where there is none."""
        if value in self._values.get(attribute, ()):
            return attribute, value
        became = self._history.present(attribute, value)
        if became is None or not became.holds:
            return None
        [now] = became.answer
        return (became.attribute, now) if now in self._values.get(became.attribute, ()) else None
