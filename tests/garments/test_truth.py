"""What holds now: the ladder of bases, votes, withdrawals and proposals."""

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from garments.answers import NOT_VISIBLE, answer_of, consensus, value_of
from garments.boxes import Box
from garments.catalog.rows import garment_row, retire_row
from garments.dataset import Dataset
from garments.errors import BadInput, CatalogError
from garments.parts import Region
from garments.reading import Reading
from garments.records import Garment
from garments.truth import Basis, Held, LabelKind, Rules, held_in, what_holds

COLORS = ("black", "blue", "red")
KEY = ("g", "color")
numbers = itertools.count(1)


def label(kind: str, *values: str, who: str = "ann", **more: Any) -> dict[str, Any]:
    number = next(numbers)
    return {
        "label_id": f"l{number}",
        "garment_id": "g",
        "attribute": "color",
        "value": value_of(values),
        "kind": kind,
        "annotator": who,
        "withdraws": None,
        "seq": number,
    } | more


def withdrawal(row: dict[str, Any]) -> dict[str, Any]:
    return label(row["kind"], who=row["annotator"], withdraws=row["label_id"])


def proposed(*values: str, abstained: bool = False) -> dict[str, dict[str, Reading]]:
    """What a tagger says, read."""
    return {"g": {"color": Reading(values, 0.9, abstained, "tagger")}}


def now(*labels: dict[str, Any], rules: Rules | None = None, readings: Any = None) -> Held | None:
    return what_holds(labels, readings, rules).get(KEY)


def said(held: Held | None) -> tuple[Any, Any]:
    return (None, None) if held is None else (held.value, held.basis)


def test_nobody_spoke() -> None:
    assert what_holds([]) == {}


def test_the_ladder() -> None:
    """Each rung wins over all below it, whenever it was said."""
    rungs = [
        [label("adjudicated", "black")],
        [label("curator", "blue")],
        [label("annotator", "red", who=who) for who in "abc"],
        [label("import", "black")],
    ]
    bases = [Basis.ADJUDICATED, Basis.CURATOR, Basis.CONSENSUS, Basis.IMPORT, Basis.PROPOSAL]
    for first, basis in enumerate(bases):
        held = now(*itertools.chain(*rungs[first:]), readings=proposed("blue"))
        assert held is not None
        assert held.basis == basis
    assert held == Held(*KEY, '["blue"]', Basis.PROPOSAL, "tagger", 0, 0.9)
    assert said(now()) == (None, None)


def test_one_annotator_is_no_consensus() -> None:
    held = now(label("annotator", "red", who="ann"))
    assert held == Held(*KEY, '["red"]', Basis.ANNOTATOR, "ann", 1)


def test_without_a_majority_the_newest_annotator_counts() -> None:
    rows = [label("annotator", value, who=value) for value in COLORS]
    assert said(now(*rows)) == ('["red"]', Basis.ANNOTATOR)
    assert said(now(*rows[:2])) == ('["blue"]', Basis.ANNOTATOR)


def test_ties_on_the_audit_slice_wait() -> None:
    audit = Rules(audit={"g"})
    rows = [label("annotator", value, who=value) for value in COLORS]
    assert said(now(*rows, label("import", "red"), rules=audit)) == (None, Basis.DISPUTED)
    assert said(now(*rows[:2], rules=audit)) == (None, Basis.DISPUTED)
    assert said(now(rows[0], rules=audit)) == ('["black"]', Basis.ANNOTATOR)
    settled = label("adjudicated", "red", who="judge")
    assert said(now(settled, *rows, rules=audit)) == ('["red"]', Basis.ADJUDICATED)


def test_consensus_is_value_by_value() -> None:
    rows = [
        label("annotator", "black", "red", who="a"),
        label("annotator", "red", "blue", who="b"),
        label("annotator", "red", "black", who="c"),
    ]
    held = now(*rows)
    assert held == Held(*KEY, '["black", "red"]', Basis.CONSENSUS, "a, b, c", 3)
    assert said(now(*rows[:2])) == ('["red"]', Basis.CONSENSUS)
    assert said(now(*rows[:2], rules=Rules(audit={"g"}))) == (None, Basis.DISPUTED)


def test_not_visible_and_nothing_are_answers_too() -> None:
    unseen = [label("annotator", NOT_VISIBLE, who=who) for who in "ab"]
    assert unseen[0]["value"] == NOT_VISIBLE
    assert said(now(*unseen, label("annotator", "red", who="c"))) == (
        NOT_VISIBLE,
        Basis.CONSENSUS,
    )
    nothing = [label("annotator", who=who) for who in "ab"]
    assert said(now(*nothing, label("annotator", "red", who="c"))) == ("[]", Basis.CONSENSUS)


@pytest.mark.parametrize("kind", ["adjudicated", "curator", "annotator", "import"])
def test_of_one_persons_words_the_newest_counts(kind: str) -> None:
    first, second = label(kind, "red"), label(kind, "blue")
    assert said(now(second, first)) == ('["blue"]', Basis(kind))


def test_a_withdrawal_takes_back_one_word_and_raises_no_older_one() -> None:
    first, second = label("annotator", "red"), label("annotator", "blue")
    assert said(now(first, withdrawal(first))) == (None, None)
    assert said(now(first, second, withdrawal(first))) == ('["blue"]', Basis.ANNOTATOR)
    assert said(now(first, second, withdrawal(second))) == (None, None)
    other = label("annotator", "black", who="bob")
    assert said(now(first, second, other, withdrawal(second))) == ('["black"]', Basis.ANNOTATOR)
    third = label("annotator", "red")
    assert said(now(first, second, withdrawal(second), third)) == ('["red"]', Basis.ANNOTATOR)


def test_simulated_answers_count_in_a_rehearsal_only() -> None:
    rows = [label("simulated", "red", who=who) for who in "ab"]
    assert said(now(*rows)) == (None, None)
    assert said(now(*rows, rules=Rules(simulated=True))) == ('["red"]', Basis.CONSENSUS)
    mixed = [*rows, label("annotator", "blue", who="human")]
    assert said(now(*mixed)) == ('["blue"]', Basis.ANNOTATOR)


def test_where_the_tagger_abstains_nothing_holds() -> None:
    unsure = proposed("red", abstained=True)
    assert now(readings=unsure) is None
    assert said(now(label("import", "blue"), readings=unsure)) == ('["blue"]', Basis.IMPORT)


def test_several_proposed_values_are_stored_in_order_of_the_alphabet() -> None:
    held = now(readings=proposed("red", "black"))
    assert held is not None
    assert held.value == '["black", "red"]'


@pytest.mark.parametrize("value", ["red", '"red"', "[1]", "{}", ""])
def test_a_damaged_value_is_named(value: str) -> None:
    with pytest.raises(BadInput, match="expected a JSON list of values or not_visible"):
        now(label("curator") | {"value": value})


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(CatalogError, match="'oracle'"):
        now(label("oracle", "red"))


def test_values_survive_being_stored() -> None:
    for answer in (frozenset(), frozenset(["ü", 'a "b"']), frozenset([NOT_VISIBLE])):
        assert answer_of(value_of(answer)) == answer


def _history(source: random.Random) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for _ in range(source.randint(0, 12)):
        if rows and source.random() < 0.2:
            rows.append(withdrawal(source.choice(rows)))
            continue
        values = source.sample(COLORS, source.randint(0, 2))
        kind = source.choice(["annotator"] * 5 + list(LabelKind))
        rows.append(label(str(kind), *values, who=source.choice("abc")))
    return rows


@pytest.mark.parametrize("seed", range(40))
def test_properties_of_any_history(seed: int) -> None:
    source = random.Random(seed)
    rows = _history(source)
    spoken = proposed("black")
    held = now(*rows, readings=spoken)

    shuffled = source.sample(rows, len(rows))
    assert now(*shuffled, readings=spoken) == held, "the order of reading does not matter"
    assert now(*rows, *rows, readings=spoken) == held, "nor does a replay"
    human = [row for row in rows if row["kind"] != "simulated"]
    assert now(*human, readings=spoken) == held, "nobody simulated is believed"
    back = [withdrawal(row) for row in rows if not row["withdraws"]]
    assert said(now(*rows, *back, readings=spoken)) == ('["black"]', Basis.PROPOSAL)
    judged = label("adjudicated", "blue", who="z")
    assert said(now(*rows, judged, readings=spoken)) == ('["blue"]', Basis.ADJUDICATED)


@pytest.mark.parametrize("seed", range(20))
def test_consensus_of_single_values_is_the_strict_majority(seed: int) -> None:
    source = random.Random(seed)
    answers = [frozenset([source.choice(COLORS)]) for _ in range(source.randint(1, 7))]
    by_count = [a for a in set(answers) if answers.count(a) * 2 > len(answers)]
    assert consensus(answers) == (by_count[0] if by_count else None)


def test_what_holds_in_a_data_set(tmp_path: Path) -> None:
    """Audit tasks, proposals and retired garments come from the catalogue."""
    dataset = Dataset.create(tmp_path / "d")
    catalog, taxonomy = dataset.catalog, dataset.taxonomy
    garments = [
        Garment(name, "p", None, Region.UPPER, Box(0, 0, 1, 1), None, 0, "c") for name in "ghr"
    ]
    catalog.add("garments", [garment_row(garment) for garment in garments])
    catalog.add("extractions", [retire_row(garments[2], "x")])
    values = taxonomy.values("color")
    same = {
        "attribute": "color",
        "tagger": "t",
        "model": "rule:color",
        "crop_sha": "c",
        "activation": "sigmoid",
        "logits": [3.0, *[-9.0] * (len(values) - 1)],
    }
    vocabulary = {"g": taxonomy.vocabulary_hash("color"), "h": "old", "r": "old"}
    rows = [
        same | {"proposal_id": name, "garment_id": name, "vocabulary_hash": known}
        for name, known in vocabulary.items()
    ]
    catalog.add("proposals", rows)
    catalog.add("tasks", [{"task_id": "t", "garment_id": "h", "audit": True}])
    catalog.add("labels", [label("annotator", v, who=v, garment_id="h") for v in ("red", "blue")])
    catalog.add("labels", [label("annotator", "red", garment_id="r")])
    assert {k: said(v) for k, v in held_in(dataset).items()} == {
        ("g", "color"): (value_of([values[0]]), Basis.PROPOSAL),
        ("h", "color"): (None, Basis.DISPUTED),
    }
