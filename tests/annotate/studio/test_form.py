"""The form and its answers: whatever is filled in comes back, and nothing else is taken."""

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.studio import answers, hotkeys
from annotate.studio.controls import BAD_CROP, CROP, NOTE, OK, VERDICT, controls
from annotate.studio.form import (
    FormAnswers,
    confidence_html,
    form,
    low_confidence,
)
from annotate.studio.hotkeys import (
    BAD_CROP_KEYS,
    EDITOR_KEYMAP,
    SILENT,
    assign,
    keys_of,
    label,
)
from garments.answers import NOT_VISIBLE
from garments.calibration import Calibration
from garments.errors import BadInput
from garments.parts import GARMENT_REGIONS, Region
from garments.reading import Reading
from garments.taxonomy import Attribute, Taxonomy, Value

DEFAULT = Taxonomy.default()
FORM = form(DEFAULT)


def attribute(name, ids, **more):
    values = tuple(Value(id=i, title=i.upper().replace("-", " ")) for i in ids)
    return Attribute(id=name, title=name.title(), templates=("{}",), values=values, **more)


def with_more(*more: Attribute) -> Taxonomy:
    return Taxonomy(attributes=(*DEFAULT.attributes, *more))


@st.composite
def taxonomies(draw) -> Taxonomy:
    """A parent, its child, its grandchild, a second child, and some of their own."""
    ids = st.lists(st.sampled_from([f"v{i}" for i in range(40)]), min_size=1, unique=True)
    found: list[Attribute] = []
    for name in draw(st.permutations(["a", "b", "c", "d", "e"])):
        parent = draw(st.sampled_from([None, *[one.id for one in found]]))
        above = next((one.ids for one in found if one.id == parent), ())
        values = tuple(
            Value(id=i, title=i, parent=draw(st.sampled_from(above)) if above else None)
            for i in draw(ids)
        )
        multiple = draw(st.booleans())
        found.append(
            Attribute(id=name, title=name, multiple=multiple, parent=parent, values=values)
        )
    return Taxonomy(attributes=tuple(found))


def consistent(taxonomy: Taxonomy, draw) -> dict:
    """Answers that a form can hold: a child only under its parent's value."""
    values: dict = {}
    for control in controls(taxonomy):
        choice = draw(st.sampled_from([None, *control.choices]))
        if choice is None:
            continue
        if control.multiple and choice.id != NOT_VISIBLE:
            ids = draw(st.sets(st.sampled_from(control.attributes[0].ids), min_size=1))
            values[control.name] = tuple(sorted(ids, key=control.attributes[0].ids.index))
        else:
            for name, value in choice.says.items():
                values[name] = NOT_VISIBLE if value == NOT_VISIBLE else (value,)
    return values


@settings(max_examples=60, deadline=None)
@given(taxonomies(), st.data())
def test_whatever_is_answered_comes_back(taxonomy, data):
    asked = form(taxonomy)
    reason = data.draw(st.sampled_from([None, *BAD_CROP]))
    note = data.draw(st.sampled_from([None, "one line", "two\nlines", 'a "b" <c> & $d']))
    said = FormAnswers(
        consistent(taxonomy, data.draw), "bad_crop" if reason else "ok", reason, note
    )
    result = answers.fill(asked.controls, said)
    assert asked.answers(json.loads(json.dumps(result))) == said


@settings(max_examples=60, deadline=None)
@given(taxonomies(), st.data())
def test_whatever_is_proposed_is_prefilled_and_read_back(taxonomy, data):
    asked = form(taxonomy)
    values = consistent(taxonomy, data.draw)
    readings, expected = {}, {}
    for control in asked.controls:
        going = True
        for one in control.attributes:
            held = values.get(one.id)
            if held is None or held == NOT_VISIBLE:
                continue
            abstained = data.draw(st.booleans())
            readings[one.id] = Reading(held, 0.9, abstained)
            going = going and not abstained
            if going:
                expected[one.id] = held
    found = asked.answers(asked.prefill(readings))
    assert found == FormAnswers(expected)


@settings(max_examples=40, deadline=None)
@given(taxonomies())
def test_every_form_is_one_that_label_studio_can_tell_apart(taxonomy):
    root = ElementTree.fromstring(form(taxonomy).xml)
    names = [tag.get("name") for tag in root.iter() if tag.get("name")]
    assert len(names) == len(set(names))
    for group in root.iter("Choices"):
        texts = [choice.get("value") for choice in group]
        assert len(texts) == len(set(texts))
        assert len({choice.get("alias") for choice in group}) == len(texts)
    assert covered(root) == {a.id: set(a.ids) for a in taxonomy.attributes}


def covered(root):
    """Every value that can be said, by attribute, as Label Studio's results would have them."""
    found: dict[str, set[str]] = {}
    names = {c.get("name"): c for c in root.iter("Choices")}
    for name, group in names.items():
        if name == VERDICT:
            continue
        assert group[-1].get("alias") == NOT_VISIBLE
        for choice in group:
            found.setdefault(name, set()).add(choice.get("alias"))
    return {
        attribute: values
        for name, aliases in found.items()
        for attribute, values in spread(name, aliases, root).items()
    }


def spread(name, aliases, root):
    """Aliases like `coat/parka` to values by attribute."""
    paths = [alias.split("/") for alias in aliases if alias != NOT_VISIBLE]
    titles = next(
        f.find("Header").get("value").split(" / ")
        for f in root.iter("View")
        if f.get("className", "").endswith(f"gl-field-{name}")
    )
    return {
        title: {path[at] for path in paths if len(path) > at} for at, title in enumerate(titles)
    }


def test_category_and_sub_category_are_one_menu():
    menu = FORM.controls[0]
    assert [a.id for a in menu.attributes] == ["category", "sub_category"] and menu.menu
    assert len(menu.choices) == 1 + sum(len(DEFAULT.values(a.id)) for a in menu.attributes)
    assert menu.by_id["jacket/denim-jacket"].text == "Jacket / Denim jacket"
    assert [c.name for c in FORM.controls] == ["category", "color", "pattern", "style", "gender"]


def test_an_attribute_that_a_user_adds_is_asked():
    fit = attribute("fit", ["slim", "loose"])
    wash = attribute("wash", ["light", "dark"], parent="category")
    added = with_more(fit, wash.model_copy(update={"parent": None}))
    asked = form(added)
    assert [c.name for c in asked.controls][-2:] == ["fit", "wash"]
    readings = {"fit": Reading(("loose",), 0.8, False)}
    assert asked.answers(asked.prefill(readings)).values == {"fit": ("loose",)}


def test_the_second_attribute_below_a_parent_has_its_own_control():
    values = tuple(Value(id=i, title=i, parent="coat") for i in ("short", "long"))
    length = Attribute(id="length", title="Length", parent="category", values=values)
    assert form(with_more(length)).controls[-1].attributes == (length,)


def test_abstentions_are_left_empty():
    readings = {
        "category": Reading(("coat",), 0.9, False),
        "sub_category": Reading(("parka",), 0.3, True),
        "color": Reading(("red",), 0.4, True),
    }
    found = FORM.answers(FORM.prefill(readings))
    assert found == FormAnswers({"category": ("coat",)})


def test_a_kind_that_does_not_stand_under_its_category_is_left_out():
    readings = {
        "category": Reading(("coat",), 0.9, False),
        "sub_category": Reading(("denim-jacket",), 0.9, False),
    }
    assert FORM.answers(FORM.prefill(readings)).values == {"category": ("coat",)}


def test_not_visible_goes_before_prefilled_values():
    result = [answers.choices_entry("color", ["red", NOT_VISIBLE])]
    assert FORM.answers(result).values == {"color": NOT_VISIBLE}
    result = [answers.choices_entry("category", [NOT_VISIBLE])]
    assert FORM.answers(result).values == dict.fromkeys(("category", "sub_category"), NOT_VISIBLE)


def test_an_empty_form_says_nothing():
    assert FORM.answers([]) == FormAnswers({})
    assert FORM.answers([answers.choices_entry("color", [])]).values == {}


@pytest.mark.parametrize("reason", BAD_CROP)
def test_bad_crop(reason):
    found = FORM.answers([answers.choices_entry(VERDICT, [reason])])
    assert (found.verdict, found.bad_crop_reason) == ("bad_crop", reason)


def test_notes_are_joined():
    entry = {"from_name": NOTE, "to_name": CROP, "type": "textarea"}
    found = FORM.answers([entry | {"value": {"text": ["one", " ", "two"]}}])
    assert found.note == "one\ntwo"
    assert FORM.answers([entry | {"value": {"text": "one"}}]).note == "one"


@pytest.mark.parametrize(
    ("name", "choice"),
    [("color", "mauve"), ("category", "coat/denim-jacket"), (VERDICT, "ugly"), ("fit", "slim")],
)
def test_an_unknown_choice_is_named_or_set_aside(name, choice):
    result = [
        answers.choices_entry("style", ["casual"]),
        answers.choices_entry(name, [choice]),
    ]
    with pytest.raises(BadInput, match=f"{name}.*"):
        FORM.answers(result)
    found = FORM.answers(result, tolerant=True)
    assert found.unknown == ((name, choice),) and found.values == {"style": ("casual",)}


@pytest.mark.parametrize(
    "entry",
    [{}, {"from_name": "color"}, {"from_name": 1, "value": {}}, "x", None]
    + [{"from_name": "color", "value": value} for value in (None, [], {"choices": [1]})],
)
def test_what_is_no_result_is_refused(entry):
    with pytest.raises(BadInput, match="expected an entry"):
        FORM.answers([entry])


def test_answers_by_another_taxonomy():
    result = [answers.choices_entry("fit", ["slim"])]
    added = with_more(attribute("fit", ["slim"]))
    assert FORM.answers(result, added).values == {"fit": ("slim",)}


def test_hash_is_of_what_is_asked_not_of_the_help_line():
    assert form(DEFAULT, "http://x/guide").hash == FORM.hash
    assert form(DEFAULT, one_key=False).hash == FORM.hash
    assert form(with_more(attribute("fit", ["slim"]))).hash != FORM.hash
    assert form(DEFAULT, "http://x/g?a=1&b='<").xml.count("http://x/g?a=1&amp;amp;b=") == 1


def test_strange_titles_survive():
    nasty = 'A "b" <i>c</i> & $d / e \\'
    values = (Value(id="x", title=nasty, definition=nasty), Value(id="y", title="Not visible"))
    asked = form(with_more(Attribute(id="odd", title=nasty, values=values)))
    root = ElementTree.fromstring(asked.xml)
    group = next(g for g in root.iter("Choices") if g.get("name") == "odd")
    assert [c.get("alias") for c in group] == ["x", "y", NOT_VISIBLE]
    assert [c.get("value") for c in group][1:] == ["Not visible", "Not visible (2)"]
    assert "$" not in group[0].get("value") and "<i>c</i>" not in group[0].get("html")


def test_the_style_sheet_has_nothing_that_label_studio_escapes():
    sheet = ElementTree.fromstring(form(with_more(attribute("a", ["b"]))).xml).find("Style").text
    assert not set(sheet) & set("<>&")
    assert sheet.count("{") == sheet.count("}")


def test_a_region_hides_what_cannot_be():
    sheet = ElementTree.fromstring(FORM.xml).find("Style").text
    menu = FORM.controls[0]
    for region in Region:
        hidden = hidden_places(sheet, region)
        shown = [c for at, c in enumerate(menu.choices, 1) if at not in hidden]
        heads = {c.says["category"] for c in shown if c.id != NOT_VISIBLE}
        assert heads == set(DEFAULT.categories(region))
        assert menu.choices[-1] in shown


def hidden_places(sheet, region):
    rule = next((r for r in sheet.splitlines() if f"gl-region-{region})" in r), "")
    found: set[int] = set()
    for part in rule.split(":nth-child(n+")[1:]:
        start, end = part.replace(":nth-child(-n+", "").split(")")[:2]
        found |= set(range(int(start), int(end) + 1))
    return found


def test_confidence_marks_what_to_look_at():
    readings = {
        "category": Reading(("coat",), 0.91, False, "t"),
        "color": Reading(("red",), 0.42, False, "t"),
        "style": Reading(("casual",), 0.2, True, "t"),
    }
    assert low_confidence(readings) == {"color", "style"}
    html = confidence_html(readings, {("t", "category"): Calibration(items=9)}, DEFAULT, "upper")
    assert "91 %" in html and "42 %" in html and "20 %" not in html
    assert "gl-low-color" in html and "gl-low-style" in html and "gl-low-category" not in html
    assert "gl-region-upper" in html and html.count("not calibrated") == 1
    assert confidence_html({}) == '<div class="gl-bars gl-region-unknown"></div>'


def test_what_is_not_asked_of_a_region_is_hidden():
    heel = attribute("heel", ["flat"], regions=(Region.FEET,))
    asked = with_more(heel)
    assert "gl-without-heel" in confidence_html({}, None, asked, "upper")
    assert "gl-without-heel" not in confidence_html({}, None, asked, "feet")
    assert ".gl-without-heel" in form(asked).xml


class TestHotkeys:
    def test_each_attribute_has_a_row(self):
        chips = [c.attributes[0] for c in FORM.controls if not c.menu]
        keys = assign(chips)
        assert keys["color", "black"] == "1" and keys["color", "olive"] == "shift+1"
        assert keys["pattern", "solid"] == "q" and keys["style", "casual"] == "a"
        assert keys["gender", "women"] == "z"
        assert len(keys) == sum(len(a.values) + 1 for a in chips)

    @settings(max_examples=80, deadline=None)
    @given(taxonomies())
    def test_no_key_is_given_twice(self, taxonomy):
        for found in (assign(list(taxonomy.attributes)), keys_of(controls(taxonomy))):
            keys = [*found.values(), *BAD_CROP_KEYS]
            assert len(keys) == len(set(keys))

    def test_the_commonest_entries_of_every_region_have_a_key_in_the_menu(self):
        keys = keys_of(FORM.controls)
        assert keys["category", "t-shirt"] == "n" and keys["category", "trousers"] == "m"
        for region in GARMENT_REGIONS:
            assert any(("category", name) in keys for name in DEFAULT.allowed("category", region))
        assert ("category", "kurta") not in keys, "one of two regions takes nobody's turn"
        sheet = ElementTree.fromstring(FORM.xml).find("Style").text
        rule = '"select-option-T-shirt"] [data-testid="select-option-label"]::after'
        assert rule + ' { content: "N"; }' in sheet

    def test_the_taxonomy_goes_first(self):
        values = (Value(id="x", title="X", hotkey="q"), Value(id="y", title="Y", hotkey="Esc"))
        first, second = attribute("a", ["p"]), Attribute(id="b", title="B", values=values)
        keys = assign([first, second])
        assert keys["b", "x"] == "q" and keys["b", "y"] != "esc"

    def test_two_values_that_wish_for_the_same_key(self):
        wish = (Value(id="x", title="X", hotkey="k"),)
        keys = assign([Attribute(id=n, title=n, values=wish) for n in ("a", "b")])
        assert keys["a", "x"] == "k" and keys["b", "x"] != "k"

    def test_what_has_no_key_gets_a_silent_one(self):
        """Label Studio would give it the next free letter."""
        choices = ElementTree.fromstring(FORM.xml).iter("Choice")
        held = [choice.get("hotkey") for choice in choices]
        assert None not in held and held.count(SILENT) > 100

    def test_keys_as_people_read_them(self):
        assert [label(key) for key in ("q", "shift+1", "ctrl+k")] == ["Q", "⇧1", "Ctrl K"]

    def test_one_key_accepts_on_our_server(self):
        assert json.loads(EDITOR_KEYMAP)["annotation:submit"]["key"].split(",")[0] == "space"
        assert "Space</kbd> accept" in FORM.xml.replace("&lt;", "<").replace("&gt;", ">")

    def test_keys_of_bad_crops(self):
        assert not set(BAD_CROP_KEYS) & set(assign(list(DEFAULT.attributes)).values())
        assert len(BAD_CROP_KEYS) == len(BAD_CROP) and OK not in BAD_CROP
        assert hotkeys.SILENT not in BAD_CROP_KEYS
