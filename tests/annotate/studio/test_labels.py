"""From annotations to rows: replays add nothing, and nobody's last word is lost. No server."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.studio.answers import FormAnswers, fill
from annotate.studio.controls import controls
from annotate.studio.hear import Heard, hear
from annotate.studio.labels import Answered, decision_rows, label_rows
from garments.said import people_say
from garments.taxonomy import Taxonomy

TAXONOMY = Taxonomy.default()
ASKED = controls(TAXONOMY)
SHOWN = {
    "color": {"values": ["red"], "proposal_id": "p1", "confidence": 0.9, "tagger": "t"},
    "pattern": {"values": [], "proposal_id": "p2", "confidence": 0.1, "tagger": "t"},
}
TASK = Answered("uuid", 7, "task", "garment", "crop", SHOWN, {"color": "hash"})


def stamp(minute: int) -> str:
    return f"2026-01-01T10:{minute:02d}:00.000001Z"


def said(number=1, minute=0, who="ann", decisions=None, **values) -> Heard:
    stored = {name: json.dumps([value]) for name, value in values.items()}
    return Heard(number, who, stamp(minute), 3.0, stored, decisions or {})


class Table:
    """Rows as the catalogue would keep them."""

    def __init__(self, make, id_name, task=TASK):
        self.make, self.id_name, self.task, self.rows = make, id_name, task, []

    def take(self, *heard, task=None):
        """Apply what is there now; what it added. Once more adds nothing."""
        task = task or self.task
        new = self.make(task, heard, self.rows)
        assert len({row[self.id_name] for row in [*self.rows, *new]}) == len(self.rows + new)
        for row in new:
            self.rows.append({"withdraws": None, "value": None, "note": None, **row})
            self.rows[-1]["seq"] = len(self.rows)
        assert self.make(task, heard, self.rows) == []
        return new


def labels() -> Table:
    return Table(label_rows, "label_id")


def now(table: Table) -> dict:
    return {(*key, held.who): held.value for key, held in people_say(table.rows).items()}


def test_a_label():
    [color, pattern] = labels().take(said(color="blue", pattern="solid"))
    assert color["value"] == '["blue"]' and color["kind"] == "annotator"
    assert (color["proposal_id"], color["vocabulary_hash"]) == ("p1", "hash")
    assert (pattern["proposal_id"], pattern["vocabulary_hash"]) == (None, None)
    assert (color["annotation_id"], color["task_id"], color["seconds"]) == ("7/1", "task", 3.0)
    assert str(color["created_at"]) == "2026-01-01 10:00:00.000001+00:00"


def test_changed_emptied_deleted():
    table = labels()
    table.take(said(color="blue", pattern="solid"))
    new = table.take(said(minute=1, color="red"))
    assert [row.get("withdraws") is not None for row in new] == [True, False]
    assert now(table) == {("garment", "color", "ann"): '["red"]'}
    assert len(table.take()) == 1
    assert now(table) == {}


def test_what_is_left_of_somebody_counts_again():
    """Whose newest annotation is deleted, but who left an older one."""
    table = labels()
    table.take(said(1, 0, color="blue"))
    table.take(said(1, 0, color="blue"), said(2, 1, color="red"))
    assert now(table) == {("garment", "color", "ann"): '["red"]'}
    table.take(said(1, 0, color="blue"))
    assert now(table) == {("garment", "color", "ann"): '["blue"]'}


def test_another_task_of_the_same_garment_is_left_alone():
    table, other = labels(), Answered("uuid", 8, "task", "garment", "crop", {}, {})
    table.take(said(1, color="blue"))
    table.take(said(2, 1, "bob", color="red"), task=other)
    table.take(said(1, color="blue"))
    assert len(table.rows) == 2
    table.take(task=other)
    assert now(table) == {("garment", "color", "ann"): '["blue"]'}


def test_somebody_else_takes_an_annotation_over():
    table = labels()
    table.take(said(color="blue"))
    table.take(said(minute=1, who="bob", color="red"))
    assert now(table) == {("garment", "color", "bob"): '["red"]'}


def test_somebody_has_a_new_address():
    table = labels()
    table.take(said(color="blue"))
    assert table.take(said(who="ann@new", color="blue")) == []


def test_a_value_that_is_gone_and_comes_back():
    table = labels()
    table.take(said(color="blue"))
    table.take(said())
    assert now(table) == {}
    table.take(said(color="blue"))
    assert now(table) == {("garment", "color", "ann"): '["blue"]'}


def test_decisions():
    table = Table(decision_rows, "decision_id")
    [bad] = table.take(said(decisions={"bad_crop": "occluded"}))
    assert (bad["kind"], bad["note"], bad["who"]) == ("bad_crop", "occluded", "ann")
    assert table.take(said(minute=1, decisions={"bad_crop": "occluded"})) == []
    new = table.take(said(minute=2, decisions={"bad_crop": "wrong-region", "note": "see"}))
    assert [row.get("note") for row in new] == [None, "wrong-region", "see"]
    assert len(table.take()) == 2
    assert len(table.take(said(minute=2, decisions={"note": "see"}))) == 1


COLORS = ("red", "blue", "green")
ANNOTATION = st.tuples(
    st.sampled_from(("ann", "bob")), st.sampled_from(COLORS), st.sampled_from(("", *COLORS))
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.none() | ANNOTATION), max_size=12), st.data())
def test_any_history_ends_in_what_is_there(history, data):
    """Annotations come, change and go; some states are never seen; the last one counts."""
    table, there = labels(), {}
    for minute, (number, what) in enumerate(history):
        if what is None:
            there.pop(number, None)
        else:
            who, color, pattern = what
            who = there[number].who if number in there else who
            more = {"pattern": pattern} if pattern else {}
            there[number] = said(number, minute, who, color=color, **more)
        if data.draw(st.booleans()):
            table.take(*there.values())
    table.take(*there.values())
    expected = {}
    for one in sorted(there.values(), key=lambda one: one.stamp):
        expected |= {(one.who, name): value for name, value in one.values.items()}
    latest = {}
    withdrawn = {row["withdraws"] for row in table.rows}
    for row in table.rows:
        if not row["withdraws"]:
            latest[row["annotator"], row["attribute"]] = row
    found = {k: row["value"] for k, row in latest.items() if row["label_id"] not in withdrawn}
    assert found == expected


# --- reading


def raw(result, **more):
    return {"id": 1, "updated_at": stamp(0), "lead_time": 2.0, "result": result, **more}


def form_result(**values):
    return fill(ASKED, FormAnswers(values))


def heard(result, asked=ASKED, taxonomy=TAXONOMY, **more) -> Heard:
    return hear(raw(result, **more), "ann", asked, taxonomy)


def test_what_a_form_says():
    found = heard(form_result(color=("red", "blue"), category=("t-shirt",), gender="not_visible"))
    assert found.values == {
        "color": '["blue", "red"]',
        "category": '["t-shirt"]',
        "gender": "not_visible",
    }
    assert found.aside == () and found.decisions == {}


def test_a_bad_crop_has_no_labels():
    said = FormAnswers({"color": ("red",)}, "bad_crop", "occluded", "a note\nof two lines")
    found = heard(fill(ASKED, said))
    assert found.values == {}
    assert found.decisions == {"bad_crop": "occluded", "note": "a note\nof two lines"}


def test_predictions_that_the_server_turned_into_annotations_do_not_count():
    result = form_result(color=("red",))
    found = heard(result, parent_prediction=4, lead_time=None)
    assert found.values == {} and "nobody looked" in found.aside[0].reason
    assert heard(result, parent_prediction=4, lead_time=0.5).values


def without(*gone: str, attribute: str | None = None) -> Taxonomy:
    """The taxonomy without some values, or without an attribute."""
    data = TAXONOMY.model_dump()
    data["attributes"] = [
        {**a, "values": [v for v in a["values"] if v["id"] not in gone and v["parent"] not in gone]}
        for a in data["attributes"]
        if a["id"] != attribute
    ]
    return Taxonomy.model_validate(data)


def test_values_that_still_exist_are_kept_and_others_set_aside():
    result = form_result(color=("red", "blue"), pattern=("solid",), category=("t-shirt",))
    for asked in (ASKED, controls(without("red", "t-shirt", attribute="pattern"))):
        found = heard(result, asked, without("red", "t-shirt", attribute="pattern"))
        assert found.values == {"color": '["blue"]'}
        assert len(found.aside) == 3
        assert "red" in str(found.aside) and "pattern" in str(found.aside)


def test_what_stands_above_a_lost_value_is_kept():
    result = form_result(category=("t-shirt",), sub_category=("henley",))
    for asked in (ASKED, controls(without("henley"))):
        found = heard(result, asked, without("henley"))
        assert found.values == {"category": '["t-shirt"]'}
        assert len(found.aside) == 1 and "henley" in found.aside[0].reason


def test_what_no_form_of_ours_can_have_made():
    strange = {"from_name": "box", "type": "rectanglelabels", "value": {"x": 3, "width": 4}}
    found = heard([*form_result(color=("red",)), strange, "text", {"value": {"choices": ["a"]}}])
    assert found.values == {"color": '["red"]'}
    assert [one.what for one in found.aside][:2] == [strange, "text"]
    assert heard([]).values == {} and heard(None).values == {}
