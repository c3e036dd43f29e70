"""Operators as FiftyOne calls them: what their forms offer, what they refuse, what they tell."""

import getpass
from collections.abc import Iterator

import pytest
from curated_data import garment_ids, label

from curate.curator import send_file
from curate.fiftyone import sync as syncing
from curate.fiftyone.environment import DATASET_VARIABLE, install_plugin, photos_name
from curate.fiftyone.sync import sync
from curate.fiftyone.window import Window, connected

pytest.importorskip("fiftyone")


@pytest.fixture
def window(curated, mongo_uri, monkeypatch) -> Iterator[Window]:
    """Four garments in the App, which was opened on them."""
    monkeypatch.setattr(syncing.measures, "update", lambda window, touched: None)
    monkeypatch.setattr(syncing.views, "save", lambda window: None)
    monkeypatch.setattr(syncing.workspace, "save", lambda window: None)
    dataset = curated(photos=2)
    for garment, value in zip(garment_ids(dataset), ("dress", "dress", "coat"), strict=False):
        label(dataset, garment, "category", value)
    list(sync(dataset, mongo=mongo_uri))
    monkeypatch.setenv(DATASET_VARIABLE, str(dataset.folder))
    from curate.plugin import context

    context._name.cache_clear()
    monkeypatch.setattr(context, "memory", context.Memory())
    with connected(dataset, mongo_uri) as found:
        yield found


def asked(window: Window, picked: list[str], name: str | None = None, **params):
    """What FiftyOne hands to an operator."""
    from fiftyone.operators.executor import ExecutionContext, Executor

    request = {"dataset_name": name or window.garments.name, "params": params}
    return ExecutionContext({**request, "selected": picked}, executor=Executor())


def act(operator: type, ctx) -> str:
    return operator().execute(ctx)["told"]


def form(operator: type, ctx) -> dict:
    return operator().resolve_input(ctx).to_json()["type"]["properties"]


def choices(properties: dict, name: str) -> list[str]:
    return [choice["value"] for choice in properties[name]["view"]["choices"]]


def triggered(ctx) -> list[str]:
    return [request.operator_uri for request in ctx.executor._requests]


def picked(window: Window, *places: int) -> list[str]:
    by_garment = dict(zip(*window.garments.values(["garment_id", "id"]), strict=True))
    return [by_garment[garment_ids(window.dataset)[at]] for at in places]


def test_the_form_remembers_the_attribute_and_offers_what_fits(window):
    from curate.plugin.operators import SetValue

    some = picked(window, 0, 1)
    first = form(SetValue, asked(window, some))
    assert first["attribute"]["default"] == "category"
    assert first["who"]["default"] == getpass.getuser()
    assert (
        act(SetValue, asked(window, some, attribute="color", value_color=["red"], who="bob")) == ""
    )
    again = form(SetValue, asked(window, some))
    assert again["attribute"]["default"] == "color"
    assert again["who"]["default"] == getpass.getuser(), "never somebody else"
    assert choices(again, "who") == [getpass.getuser(), "bob"]
    fits = form(SetValue, asked(window, picked(window, 0, 2), attribute="sub_category"))
    taxonomy = window.dataset.taxonomy
    wanted = {*taxonomy.sub_categories("dress"), *taxonomy.sub_categories("coat")}
    assert {*choices(fits, "value_sub_category")[:-3]} == wanted
    rows = window.dataset.catalog.rows("labels", where="kind = 'curator'").to_pylist()
    assert {(row["attribute"], row["annotator"]) for row in rows} == {("color", "bob")}


def test_what_cannot_be_done_is_said_in_the_form_and_refused(window, monkeypatch):
    from curate.plugin.operators import Exclude, Explain, SelectAll, SetValue

    nothing = form(SetValue, asked(window, []))
    assert nothing["problem"]["invalid"] and "Nothing is selected" in str(nothing["problem"])
    assert "Nothing is selected" in act(Exclude, asked(window, []))
    photos = asked(window, [], photos_name(window.dataset))
    assert "the App shows" in str(form(SetValue, photos)["problem"])
    assert "the App shows" in act(SelectAll, photos)
    assert SetValue().resolve_placement(photos) is None
    assert SetValue().resolve_placement(asked(window, [])) is not None
    some = picked(window, 0)
    assert "none was chosen" in act(SetValue, asked(window, some, attribute="color"))
    both = asked(window, some, attribute="color", value_color=["red", "take_back"])
    assert "leave one out" in act(SetValue, both)
    assert "no longer in FiftyOne" in act(Explain, asked(window, ["0" * 24]))
    window.garments.info = {**window.garments.info, "garmentloop": {"owner": "another"}}
    window.garments.save()
    assert "belongs to another data set" in act(Exclude, asked(window, some))
    monkeypatch.delenv(DATASET_VARIABLE)
    assert "garmentloop curate open" in act(Exclude, asked(window, some))


def test_what_leaves_the_view_is_no_longer_selected(window):
    from curate.plugin.operators import Exclude

    some = picked(window, 0, 1)
    ctx = asked(window, some, reason="a copy")
    ctx._view = window.garments.match(window.fo.ViewField("state") == "active")
    assert act(Exclude, ctx) == ""
    assert triggered(ctx) == ["notify", "set_selected_samples", "reload_dataset"]
    rows = window.dataset.catalog.rows("decisions").to_pylist()
    assert {row["note"] for row in rows} == {"a copy"}
    back = form(Exclude, asked(window, some))
    assert back["way"]["default"] == "no" and "reason" not in back
    act(Exclude, asked(window, some, way="no"))
    assert set(window.garments.values("state")) == {"active"}


def test_sending_says_what_pushes_or_pushes(window, monkeypatch):
    from annotate.studio.state import ServerState
    from curate.plugin import operators
    from curate.plugin.operators import Send

    one = picked(window, 0)
    told = act(Send, asked(window, one))
    assert f"--select {send_file(window.dataset)}" in told
    assert send_file(window.dataset).read_text() == f"{garment_ids(window.dataset)[0]}\n"
    assert "push" not in form(Send, asked(window, picked(window, 1)))
    state = ServerState("http://127.0.0.1:8080", "a", "b", "c", "/")
    monkeypatch.setattr(operators, "running", lambda dataset: state)
    assert form(Send, asked(window, picked(window, 1)))["push"]["default"] is True
    pushed = []
    monkeypatch.setattr(operators.pushing, "push_list", lambda data: pushed.append(data) or "1 new")
    assert act(Send, asked(window, picked(window, 1), push=True)) == "1 new" and len(pushed) == 1


def test_a_persons_garments_and_a_whole_view_are_shown(window):
    from curate.plugin.operators import SamePerson, SelectAll

    ctx = asked(window, picked(window, 0))
    assert act(SamePerson, ctx) == ""
    assert triggered(ctx) == ["clear_selected_samples", "set_view"]
    ctx = asked(window, [])
    assert act(SelectAll, ctx) == ""
    assert len(ctx.executor._requests[0].params["samples"]) == 4


def test_what_people_typed_is_no_markdown(window):
    from curate.plugin.operators import Exclude, Explain

    one = picked(window, 0)
    act(Exclude, asked(window, one, reason="[x](http://y) | <b>"))
    told = act(Explain, asked(window, one))
    assert r"\[x\](http://y) \| \<b\>" in told and "excluded" in told


def test_the_plugin_is_put_where_the_app_looks_for_it(curated):
    from fiftyone.plugins.core import get_plugin

    found = get_plugin(plugin_dir=str(install_plugin(curated(photos=0))))
    from curate.plugin.operators import OPERATORS

    assert [one.name_ for one in OPERATORS] == sorted(
        found.operators, key=[one.name_ for one in OPERATORS].index
    )
