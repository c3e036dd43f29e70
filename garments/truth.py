"""What holds now: the one place that decides which of many answers about a garment counts.

In this order: adjudicated, else curator, else the annotators' consensus, else the newest
annotator, else import, else the proposal of the tagger in force for that attribute. Simulated
answers count as annotators' in a rehearsal and not at all in a real data set. Order is `seq`, not
clocks. A withdrawal takes back one label; what its author had said before it stays superseded.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from garments.answers import answer_of, consensus, read_logits, tied, value_of
from garments.errors import CatalogError

if TYPE_CHECKING:
    from garments.dataset import Dataset

Row = Mapping[str, Any]
Vocabulary = Callable[[str, str], "Sequence[str] | None"]
"""(attribute, vocabulary hash) -> values in the order of logits, None where it is unknown."""


class LabelKind(StrEnum):
    """Who speaks in a label."""

    ADJUDICATED = "adjudicated"
    CURATOR = "curator"
    ANNOTATOR = "annotator"
    IMPORT = "import"
    SIMULATED = "simulated"


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

    `audit`: garments whose ties wait for adjudication. `in_force`: attribute -> tagger version;
    an attribute that is absent takes the tagger that spoke last about it.
    """

    simulated: bool = False
    audit: Collection[str] = frozenset()
    in_force: Mapping[str, str] = field(default_factory=dict)
    vocabulary: Vocabulary = lambda attribute, vocabulary_hash: None


def what_holds(
    labels: Iterable[Row], proposals: Iterable[Row] = (), rules: Rules | None = None
) -> dict[tuple[str, str], Held]:
    """What holds by (garment_id, attribute), from rows of `labels` and `proposals` in any order."""
    rules = rules or Rules()
    held = {
        key: _proposed(row, rules)
        for key, row in _in_force(proposals, rules).items()
        if rules.vocabulary(row["attribute"], row["vocabulary_hash"]) is not None
    }
    for key, latest in _latest_words(labels, rules).items():
        human = _decide(key, latest, rules)
        if human is not None:
            held[key] = human
    return dict(sorted(held.items()))


def held_in(dataset: "Dataset") -> dict[tuple[str, str], Held]:
    """What holds now for the active garments of a data set, by (garment_id, attribute)."""
    catalog = dataset.catalog
    audit = catalog.rows("tasks", ["garment_id"], "audit = true").column(0)
    rules = Rules(
        simulated=dataset.settings.simulated,
        audit=set(audit.to_pylist()),
        in_force=_taggers_in_force(dataset),
        vocabulary=_vocabulary_of(dataset),
    )
    columns = ["garment_id", "attribute", "tagger", "vocabulary_hash", "activation", "logits"]
    found = what_holds(
        catalog.rows("labels").to_pylist(),
        catalog.rows("proposals", [*columns, "seq"]).to_pylist(),
        rules,
    )
    active = set(catalog.active_garments(columns=["garment_id"]).column(0).to_pylist())
    return {key: held for key, held in found.items() if key[0] in active}


def _taggers_in_force(dataset: "Dataset") -> dict[str, str]:
    """Attribute -> tagger by the newest promotion of that attribute, or of all."""
    promotions = dataset.catalog.rows("promotions", where="kind = 'tagger'").to_pylist()
    everything = [attribute.id for attribute in dataset.taxonomy.attributes]
    in_force: dict[str, str] = {}
    for row in sorted(promotions, key=lambda row: int(row["seq"])):
        attributes = [row["attribute"]] if row["attribute"] else everything
        in_force.update(dict.fromkeys(attributes, row["tagger"]))
    return in_force


def _vocabulary_of(dataset: "Dataset") -> Vocabulary:
    """Values of the taxonomy in force; logits over another vocabulary cannot be read by it."""
    taxonomy = dataset.taxonomy
    values = {(a.id, taxonomy.vocabulary_hash(a.id)): a.ids for a in taxonomy.attributes}
    return lambda attribute, vocabulary_hash: values.get((attribute, vocabulary_hash))


def _latest_words(
    labels: Iterable[Row], rules: Rules
) -> dict[tuple[str, str], dict[tuple[LabelKind, str], Row]]:
    """By garment and attribute: the newest label of each kind and person, unless withdrawn."""
    rows = sorted(labels, key=lambda row: int(row["seq"]))
    withdrawn = {row["withdraws"] for row in rows if row.get("withdraws")}
    latest: dict[tuple[str, str], dict[tuple[LabelKind, str], Row]] = defaultdict(dict)
    for row in rows:
        kind = _kind(row, rules)
        if kind is not None and not row.get("withdraws"):
            latest[row["garment_id"], row["attribute"]][kind, row["annotator"] or ""] = row
    for words in latest.values():
        for key in [key for key, row in words.items() if row["label_id"] in withdrawn]:
            del words[key]
    return latest


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
    return kind


def _decide(
    key: tuple[str, str], words: Mapping[tuple[LabelKind, str], Row], rules: Rules
) -> Held | None:
    """Go down the ladder of people's words; None when nobody has spoken."""
    by_kind: dict[LabelKind, list[Row]] = defaultdict(list)
    for (kind, _), row in sorted(words.items(), key=lambda item: int(item[1]["seq"])):
        by_kind[kind].append(row)
    for kind in (LabelKind.ADJUDICATED, LabelKind.CURATOR):
        if by_kind[kind]:
            return _as_said(key, by_kind[kind][-1], Basis(kind))
    if by_kind[LabelKind.ANNOTATOR]:
        return _annotated(key, by_kind[LabelKind.ANNOTATOR], key[0] in rules.audit)
    if by_kind[LabelKind.IMPORT]:
        return _as_said(key, by_kind[LabelKind.IMPORT][-1], Basis.IMPORT)
    return None


def _annotated(key: tuple[str, str], rows: Sequence[Row], audit: bool) -> Held:
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


def _as_said(key: tuple[str, str], row: Row, basis: Basis, answers: int = 0) -> Held:
    answer_of(row["value"])
    return Held(*key, row["value"], basis, row["annotator"] or "", answers)


def _in_force(proposals: Iterable[Row], rules: Rules) -> dict[tuple[str, str], Row]:
    """By garment and attribute: the newest proposal of the tagger in force for the attribute."""
    rows = sorted(proposals, key=lambda row: int(row["seq"]))
    spoke_last = {row["attribute"]: row["tagger"] for row in rows}
    in_force = {**spoke_last, **rules.in_force}
    return {
        (row["garment_id"], row["attribute"]): row
        for row in rows
        if row["tagger"] == in_force[row["attribute"]]
    }


def _proposed(row: Row, rules: Rules) -> Held:
    values = rules.vocabulary(row["attribute"], row["vocabulary_hash"]) or ()
    chosen, confidence = read_logits(row["logits"], row["activation"], values)
    key = (row["garment_id"], row["attribute"])
    return Held(*key, value_of(chosen), Basis.PROPOSAL, row["tagger"], 0, confidence)
