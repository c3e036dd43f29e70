"""What people said: the ladder that decides which of many answers about a garment counts.

In this order: adjudicated, else curator, else the annotators' consensus, else the newest
annotator, else import. Simulated answers count as annotators' in a rehearsal and not at all in a
real data set; answers to gold tasks, which score whoever gives them, never do. Order is `seq`, not
clocks; what a migration of the taxonomy says anew has the place of the label that it comes from. A
withdrawal takes back one label; what its author had said before it stays superseded.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from garments.answers import answer_of, consensus, tied, value_of
from garments.errors import CatalogError

if TYPE_CHECKING:
    from garments.dataset import Dataset

Row = Mapping[str, Any]
Key = tuple[str, str]
"""(garment_id, attribute)"""


class LabelKind(StrEnum):
    """Who speaks in a label."""

    ADJUDICATED = "adjudicated"
    CURATOR = "curator"
    ANNOTATOR = "annotator"
    IMPORT = "import"
    SIMULATED = "simulated"
    GOLD = "gold"


class Basis(StrEnum):
    """Why a value holds. `disputed`: annotators of an audit garment disagree, nothing holds yet."""

    ADJUDICATED = "adjudicated"
    CURATOR = "curator"
    CONSENSUS = "consensus"
    ANNOTATOR = "annotator"
    IMPORT = "import"
    PROPOSAL = "proposal"
    DISPUTED = "disputed"


@dataclass(frozen=True)
class Held:
    """What holds for one attribute of one garment.

    `value` is stored text (a JSON list or `not_visible`), None when disputed. `who` is the person,
    the people of a consensus (comma-separated), or the tagger. `answers` counts annotators.
    `confidence` is a proposal's probability in [0, 1], None where a person spoke.
    """

    garment_id: str
    attribute: str
    value: str | None
    basis: Basis
    who: str
    answers: int = 0
    confidence: float | None = None


@dataclass(frozen=True)
class Rules:
    """What the decision depends on besides the answers.

    `audit`: garments whose ties wait for adjudication.
    """

    simulated: bool = False
    audit: Collection[str] = frozenset()

    @classmethod
    def of(cls, dataset: "Dataset") -> "Rules":
        """Those of a data set."""
        return cls(simulated=dataset.settings.simulated, audit=audit_slice(dataset))


def people_say(labels: Iterable[Row], rules: Rules | None = None) -> dict[Key, Held]:
    """What people's words add up to by (garment_id, attribute), from rows of `labels`."""
    rules = rules or Rules()
    decided = {
        key: _decide(key, latest, rules) for key, latest in _latest_words(labels, rules).items()
    }
    return {key: held for key, held in sorted(decided.items()) if held is not None}


def people_say_in(dataset: "Dataset") -> dict[Key, Held]:
    """What people said about the garments of a data set, by (garment_id, attribute)."""
    return people_say(dataset.catalog.rows("labels").to_pylist(), Rules.of(dataset))


def annotators_say(labels: Iterable[Row], simulated: bool) -> dict[Key, dict[str, Row]]:
    """The newest label of each annotator by (garment_id, attribute), unless withdrawn."""
    words = _latest_words(labels, Rules(simulated=simulated))
    return {
        key: {who: row for (kind, who), row in said.items() if kind is LabelKind.ANNOTATOR}
        for key, said in words.items()
    }


def audit_slice(dataset: "Dataset") -> set[str]:
    """Garments of the audit slice: annotated blind, and kept from whatever is fitted."""
    return set(dataset.catalog.rows("tasks", ["garment_id"], "audit = true").column(0).to_pylist())


def _latest_words(
    labels: Iterable[Row], rules: Rules
) -> dict[Key, dict[tuple[LabelKind, str], Row]]:
    """By garment and attribute, oldest first: the newest label of each kind and person, unless
    withdrawn.
    """
    rows = _as_spoken(labels)
    withdrawn = {row["withdraws"] for row in rows if row.get("withdraws")}
    latest: dict[Key, dict[tuple[LabelKind, str], Row]] = defaultdict(dict)
    for row in rows:
        kind = _kind(row, rules)
        if kind is not None and not row.get("withdraws"):
            words = latest[row["garment_id"], row["attribute"]]
            speaker = (kind, row["annotator"] or "")
            words.pop(speaker, None)  # so that whoever spoke last stands last
            words[speaker] = row
    for words in latest.values():
        for key in [key for key, row in words.items() if row["label_id"] in withdrawn]:
            del words[key]
    return latest


def _as_spoken(labels: Iterable[Row]) -> list[Row]:
    """Rows in the order in which they were said; one that a migration made stands where the label
    stands that it comes from, or else it would go before what others said later.
    """
    rows = sorted(labels, key=lambda row: int(row["seq"]))
    places: dict[str, int] = {}
    for row in rows:
        places[row["label_id"]] = places.get(row.get("migrated_from") or "", int(row["seq"]))
    return sorted(rows, key=lambda row: places[row["label_id"]])


def _kind(row: Row, rules: Rules) -> LabelKind | None:
    """The kind that a label counts as, None for one that does not count."""
    try:
        kind = LabelKind(row["kind"])
    except ValueError:
        raise CatalogError(
            f"expected a label of kind {', '.join(LabelKind)}, but label {row['label_id']} has "
            f"{row['kind']!r}; was it written by a newer version?"
        ) from None
    if kind is LabelKind.SIMULATED:
        return LabelKind.ANNOTATOR if rules.simulated else None
    return None if kind is LabelKind.GOLD else kind


def _decide(key: Key, words: Mapping[tuple[LabelKind, str], Row], rules: Rules) -> Held | None:
    """Go down the ladder of people's words; None when nobody has spoken."""
    by_kind: dict[LabelKind, list[Row]] = defaultdict(list)
    for (kind, _), row in words.items():
        by_kind[kind].append(row)
    for kind in (LabelKind.ADJUDICATED, LabelKind.CURATOR):
        if by_kind[kind]:
            return _as_said(key, by_kind[kind][-1], Basis(kind))
    if by_kind[LabelKind.ANNOTATOR]:
        return _annotated(key, by_kind[LabelKind.ANNOTATOR], key[0] in rules.audit)
    if by_kind[LabelKind.IMPORT]:
        return _as_said(key, by_kind[LabelKind.IMPORT][-1], Basis.IMPORT)
    return None


def _annotated(key: Key, rows: Sequence[Row], audit: bool) -> Held:
    """What annotators' latest answers (oldest first, one each) add up to."""
    if len(rows) == 1:
        return _as_said(key, rows[0], Basis.ANNOTATOR, answers=1)
    answers = [answer_of(row["value"]) for row in rows]
    agreed = consensus(answers)
    who = ", ".join(sorted(row["annotator"] or "" for row in rows))
    if audit and (agreed is None or tied(answers)):
        return Held(*key, None, Basis.DISPUTED, who, len(rows))
    if agreed is None:
        return _as_said(key, rows[-1], Basis.ANNOTATOR, answers=len(rows))
    return Held(*key, value_of(agreed), Basis.CONSENSUS, who, len(rows))


def _as_said(key: Key, row: Row, basis: Basis, answers: int = 0) -> Held:
    answer_of(row["value"])
    return Held(*key, row["value"], basis, row["annotator"] or "", answers)
