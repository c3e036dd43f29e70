"""What a curator does to many crops at once: in the catalogue and in the grid, and nothing is lost.

The browser's part is in test_plugin_browser.py; here are the functions that operators call.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from curated_data import (
    add_photos,
    crop_of,
    decide,
    garment_ids,
    label,
    retire,
)

from curate.curator import send_file
from curate.fiftyone import bulk
from curate.fiftyone import sync as syncing
from curate.fiftyone.bulk import Done, set_answer
from curate.fiftyone.decisions import read_back
from curate.fiftyone.environment import fiftyone_folder
from curate.fiftyone.history import history
from curate.fiftyone.selected import GONE, RECUT, RETIRED, TAKEN
from curate.fiftyone.sync import sync
from curate.fiftyone.window import Window, connected
from curate.state import Decision, GarmentState, garment_rows
from garmentloop.bench import curation
from garments.answers import NOT_VISIBLE
from garments.atwork import alone
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import BadInput, CatalogError, DatasetError, FiftyOneError
from garments.said import people_say_in
from garments.taxonomy import Taxonomy


@pytest.fixture(autouse=True)
def without_measures(monkeypatch):
    """Measures, views and workspace take most of a sync's time, and have tests of their own."""
    monkeypatch.setattr(syncing.measures, "update", lambda window, touched: None)
    monkeypatch.setattr(syncing.views, "save", lambda window: None)
    monkeypatch.setattr(syncing.workspace, "save", lambda window: None)


@pytest.fixture
def shown(curated, mongo_uri):
    """A data set of four garments as FiftyOne shows it."""
    dataset = curated(photos=2)
    list(sync(dataset, mongo=mongo_uri))
    return dataset


@contextmanager
def app(dataset: Dataset, uri: str) -> Iterator[Window]:
    """What an operator works in: the data set opened anew, no lock held."""
    with connected(Dataset.open(dataset.folder), uri) as window:
        yield window


def ids(window: Window, garments: list[str]) -> list[str]:
    """Samples of these garments."""
    found = window.garments.match(window.fo.ViewField("garment_id").is_in(garments))
    return found.values("id")


def say(window: Window, garments: list[str], attribute: str, *values: str, who="mara") -> Done:
    return set_answer(window, ids(window, garments), attribute, frozenset(values), who)


def sample(window: Window, garment: str):
    found = window.garments.match(window.fo.ViewField("garment_id") == garment)
    return found.first()


def words(dataset: Dataset) -> list[tuple[str, str, str, str, str]]:
    rows = dataset.catalog.rows("labels").sort_by("seq").to_pylist()
    names = ("garment_id", "attribute", "value", "kind", "annotator")
    return [tuple(row[name] for name in names) for row in rows]


def stored(window: Window) -> list[dict]:
    """All samples, without when they were written and what FiftyOne numbers anew."""
    found = list(window.garments._sample_collection.find({}, {"last_modified_at": False}))
    for document in found:
        for value in document.values():
            if isinstance(value, dict):
                value.pop("_id", None)
    return sorted(found, key=lambda document: document["garment_id"])


def test_a_value_is_said_of_all_by_name_and_the_next_sync_changes_nothing(shown, mongo_uri):
    one, two, three, _ = garment_ids(shown)
    with app(shown, mongo_uri) as window:
        done = say(window, [one, two, three], "color", "red", "navy")
        assert sorted(done.garments) == sorted([one, two, three]) and not done.skipped
        assert sample(window, one).color.label == "navy + red"
        assert sample(window, one).color_human.source == "curator"
        again = say(window, [one, two], "color", "navy", "red")
        assert again.same == 2
        before = stored(window)
    assert sorted(words(shown)) == sorted(
        (garment, "color", '["navy", "red"]', "curator", "mara") for garment in (one, two, three)
    )
    said = words(shown)
    assert list(sync(shown, mongo=mongo_uri, who="ann"))[-1].read_back == ""
    assert words(shown) == said
    with app(shown, mongo_uri) as window:
        assert stored(window) == before


def test_not_visible_and_nothing_are_answers_and_two_of_one_are_not(shown, mongo_uri):
    one, two, *_ = garment_ids(shown)
    with app(shown, mongo_uri) as window:
        say(window, [one], "pattern", NOT_VISIBLE)
        say(window, [two], "color")
        assert sample(window, two).color.label == "nothing"
        with pytest.raises(BadInput, match="one value of gender"):
            say(window, [one], "gender", "men", "women")
        with pytest.raises(BadInput, match="the name of whoever says this"):
            say(window, [one], "gender", "men", who=" ")
    values = {(garment, name): value for garment, name, value, *_ in words(shown)}
    assert values == {(one, "pattern"): NOT_VISIBLE, (two, "color"): "[]"}


def test_the_last_of_two_curators_counts_even_where_the_first_says_the_same_again(shown, mongo_uri):
    one = garment_ids(shown)[0]
    with app(shown, mongo_uri) as window:
        for who, value in (("mara", "red"), ("bob", "blue"), ("mara", "red")):
            say(window, [one], "color", value, who=who)
            held = people_say_in(shown)[one, "color"]
            assert (held.value, held.who) == (f'["{value}"]', who)
    assert len(words(shown)) == 3


def test_a_word_is_taken_back_and_may_be_given_again(shown, mongo_uri):
    one, two, three, _ = garment_ids(shown)
    label(shown, one, "color", "blue")
    label(shown, three, "color", "grey", kind="curator", who="bob")
    with app(shown, mongo_uri) as window:
        say(window, [one, two], "color", "red")
        for _ in range(2):
            done = bulk.take_back(window, ids(window, [one, two, three]), "color", "mara")
        assert done.same == 3, "the second time there is nothing to take back, nor of others ever"
        assert sample(window, one).color.label == "blue"
        assert sample(window, two).color.source == "proposal"
        assert sample(window, three).color.label == "grey"
        say(window, [one], "color", "red")
        assert people_say_in(shown)[one, "color"].value == '["red"]'


def test_two_curators_at_once_are_both_heard(shown, mongo_uri):
    garments = garment_ids(shown)
    with app(shown, mongo_uri) as window:
        picked = ids(window, garments)

        def act(who: str) -> Done:
            mine = replace(window, dataset=Dataset.open(shown.folder))
            return set_answer(
                mine, picked, "color", frozenset(["red" if who < "c" else "blue"]), who
            )

        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(act, ["bob", "mara"]))
        assert [len(done.garments) for done in both] == [4, 4]
        held = {name: people_say_in(shown)[name, "color"].value for name in garments}
        assert len(set(held.values())) == 1, "one after the other"
        assert [sample(window, name).color.label for name in garments] == [
            value.strip('[]"') for value in held.values()
        ]
    assert len(words(shown)) == 8


def test_what_was_typed_at_these_crops_is_read_first_and_what_cannot_be_read_stays(
    shown, mongo_uri
):
    one, two, three, _ = garment_ids(shown)
    with app(shown, mongo_uri) as window:
        for garment, typed in ((one, "green"), (two, "furry")):
            found = sample(window, garment)
            found.color.label = typed
            found.tags = ["gold"]
            found.save()
        done = say(window, [one, two, three], "pattern", "striped")
        assert "2 tagged gold" in done.heard and "1 color corrected" in done.heard
        assert sorted(done.garments) == sorted([one, three])
        assert done.skipped == {bulk.UNREAD: 1}
        assert (
            sample(window, one).color_human.label == "green" and "gold" in sample(window, one).tags
        )
        assert sample(window, two).color.label == "furry", "until it is put right"
        assert str(read_back(window, "mara", dry_run=True)).startswith("1 labels left out")


def test_an_adjudicated_verdict_holds_and_a_sub_category_has_to_fit(shown, mongo_uri):
    one, two, three, _ = garment_ids(shown)
    label(shown, one, "color", "black", kind="adjudicated", who="judge")
    for garment, value in ((one, "dress"), (two, "dress"), (three, "coat")):
        label(shown, garment, "category", value)
    with app(shown, mongo_uri) as window:
        done = say(window, [one, two], "color", "red")
        assert "1 were adjudicated" in done.notes[0]
        assert sample(window, one).color.label == "black"
        done = say(window, [one, two, three], "sub_category", "maxi-dress")
        assert sorted(done.garments) == sorted([one, two])
        assert done.skipped.total() == 1 and "whose category is coat" in next(iter(done.skipped))
        done = say(window, [one, two], "category", "coat")
        assert any("2 have a sub-category" in note for note in done.notes)


def test_a_stale_page_acts_on_what_is_still_there(shown, mongo_uri):
    new = add_photos(shown, 2, first=2)
    list(sync(shown, mongo=mongo_uri))
    with app(shown, mongo_uri) as window:
        picked = ids(window, garment_ids(shown))
        retire(shown, new[0])
        rows = shown.catalog.rows("garments", where=f"garment_id = '{new[1]}'").to_pylist()
        shown.catalog.put("garments", [rows[0] | {"crop_sha": crop_of(shown, new[2])}])
        window.garments.delete_samples(ids(window, [new[2]]))
        other = sample(window, new[3])
        other["garment_id"] = "0123456789abcdef"
        other.save()
        done = set_answer(window, [*picked, "no id"], "color", frozenset(["red"]), "mara")
    assert done.skipped == {GONE: 2, RETIRED: 1, RECUT: 1, TAKEN: 1}
    assert sorted(done.garments) == sorted(set(garment_ids(shown)) - set(new))
    assert {garment for garment, *_ in words(shown)} == set(done.garments)


def test_values_that_are_no_more_are_refused_and_new_attributes_wait_for_a_sync(shown, mongo_uri):
    one = garment_ids(shown)[0]
    text = (shown.folder / "taxonomy.toml").read_text()
    less = Taxonomy.parse(text.replace('id = "navy"', 'id = "midnight"'))
    fit = less.attributes[-1].model_copy(update={"id": "fit", "title": "Fit", "parent": None})
    with app(shown, mongo_uri) as window:
        picked = ids(window, [one])
    less.model_copy(update={"attributes": (*less.attributes, fit)}).save(
        shown.folder / "taxonomy.toml"
    )
    with app(shown, mongo_uri) as window:
        with pytest.raises(BadInput, match="'navy' is none in the taxonomy that is in force now"):
            set_answer(window, picked, "color", frozenset(["navy"]), "mara")
        with pytest.raises(BadInput, match=r"one of category, .* but got 'colour'"):
            set_answer(window, picked, "colour", frozenset(["red"]), "mara")
        assert words(shown) == []
        assert say(window, [one], "fit", fit.ids[0]).garments == (one,)
        assert "fit" not in window.garments.get_field_schema()
    list(sync(Dataset.open(shown.folder), mongo=mongo_uri))
    with app(shown, mongo_uri) as window:
        assert sample(window, one).fit.label == fit.ids[0]


def test_excluding_keeps_the_reason_and_is_taken_back(shown, mongo_uri):
    one, two, three, _ = garment_ids(shown)
    decide(shown, two, "excluded")
    with app(shown, mongo_uri) as window:
        picked = ids(window, [one, two])
        done = bulk.decide(window, picked, Decision.EXCLUDED, "mara", note="a copy")
        assert len(done.garments) == 2 and done.same == 1
        assert sample(window, one).tags == ["exclude"] and sample(window, one).state == "excluded"
        bulk.decide(window, ids(window, [three]), Decision.SEND, "mara")
    assert send_file(shown).read_text() == f"{three}\n"
    assert list(sync(shown, mongo=mongo_uri))[-1].read_back == ""
    rows = shown.catalog.rows("decisions", where=f"garment_id = '{one}'").to_pylist()
    assert [(row["kind"], row["note"], row["who"]) for row in rows] == [
        ("excluded", "a copy", "mara")
    ]
    with app(shown, mongo_uri) as window:
        bulk.decide(window, picked, Decision.EXCLUDED, "mara", take_back=True)
        assert sample(window, one).tags == [] and sample(window, two).state == "active"
    assert all(row.state is GarmentState.ACTIVE for row in garment_rows(shown))


def test_others_at_work_are_told_and_nothing_is_written(shown, mongo_uri, monkeypatch):
    monkeypatch.setattr(bulk, "PATIENCE", 0.05)
    one = garment_ids(shown)[0]
    with app(shown, mongo_uri) as window:
        with alone(shown), pytest.raises(DatasetError, match=r"no takedown of .* to be at work"):
            say(window, [one], "color", "red")
        lock = fiftyone_folder(shown) / "sync.lock"
        with exclusive(lock), pytest.raises(FiftyOneError, match="another process has been at it"):
            say(window, [one], "color", "red")
        catalogue = exclusive(shown.folder / "catalog" / ".lock")
        with catalogue, pytest.raises(CatalogError, match="expected the catalogue to be free"):
            say(window, [one], "color", "red")
    assert words(shown) == []


def test_five_hundred_at_once_are_one_commit(curated, mongo_uri):
    dataset = curated(photos=0)
    curation.fill(dataset, 500)
    list(sync(dataset, mongo=mongo_uri))
    with app(dataset, mongo_uri) as window:
        before = dataset.catalog.newest("labels").version
        done = say(window, garment_ids(dataset), "color", "red")
        assert len(done.garments) == 500 and not done.skipped
        assert dataset.catalog.newest("labels").version == before + 1
        assert window.garments.count_values("color.label") == {"red": 500}
    mine = dataset.catalog.rows("labels", where="kind = 'curator'").to_pylist()
    assert {row["annotator"] for row in mine} == {"mara"} and len(mine) == 500


def test_a_history_tells_who_said_what_and_why_that_holds(shown, mongo_uri):
    one = garment_ids(shown)[0]
    label(shown, one, "color", "blue", who="ann")
    label(shown, one, "color", "grey", who="bob", kind="gold")
    withdrawn = decide(shown, one, "gold")
    decide(shown, one, "gold", withdraws=withdrawn)
    with app(shown, mongo_uri) as window:
        say(window, [one], "color", "red")
        bulk.decide(window, ids(window, [one]), Decision.EXCLUDED, "mara", note="a copy")
    found = history(shown, one)
    color = next(now for now in found.holds if now.attribute == "Color")
    assert (color.label, color.why) == ("red", "mara said so, as curator") and color.proposed
    assert [(event.who, event.what, event.undone) for event in found.events] == [
        ("ann", "color: blue (annotator)", False),
        ("bob", "color: grey (answer to a check, does not count)", False),
        ("cur", "gold", True),
        ("cur", "no longer: gold", False),
        ("mara", "color: red (curator)", False),
        ("mara", "exclude (a copy)", False),
    ]
    with pytest.raises(BadInput, match="not in the catalogue"):
        history(shown, "0123456789abcdef")
