"""What a curator does in the App comes back to the catalogue: once, by name, and revocably."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from curated_data import decide, garment_ids, label

from curate.fiftyone import sync as syncing
from curate.fiftyone.decisions import ReadBack, read_back, send_file
from curate.fiftyone.sync import SyncProgress, sync
from curate.fiftyone.window import Window, open_window
from curate.state import Decision, GarmentState, garment_rows
from garments.dataset import Dataset
from garments.said import people_say_in


@pytest.fixture(autouse=True)
def without_measures(monkeypatch):
    """Measures, views and workspace take most of a sync's time, and have tests of their own."""
    monkeypatch.setattr(syncing.measures, "update", lambda window, touched: None)
    monkeypatch.setattr(syncing.views, "save", lambda window: None)
    monkeypatch.setattr(syncing.workspace, "save", lambda window: None)


def synced(dataset: Dataset, uri: str, **more) -> SyncProgress:
    return list(sync(dataset, mongo=uri, who="mara", **more))[-1]


@contextmanager
def app(dataset: Dataset, uri: str) -> Iterator[Window]:
    """What a curator sees and changes."""
    with open_window(dataset, uri) as window:
        yield window


def tag(window: Window, garment: str, *tags: str) -> None:
    sample = _sample(window, garment)
    sample.tags = [*sample.tags, *tags]
    sample.save()


def untag(window: Window, garment: str, gone: str) -> None:
    sample = _sample(window, garment)
    sample.tags = [kept for kept in sample.tags if kept != gone]
    sample.save()


def _sample(window: Window, garment: str):
    return window.garments.one(window.fo.ViewField("garment_id") == garment)


def decisions(dataset: Dataset) -> list[dict]:
    return dataset.catalog.rows("decisions").sort_by("seq").to_pylist()


def test_tags_become_decisions_once(curated, mongo_uri):
    dataset = curated(photos=2)
    first, second, third, fourth = garment_ids(dataset)
    synced(dataset, mongo_uri)
    with app(dataset, mongo_uri) as window:
        tag(window, first, "exclude", "my own tag")
        tag(window, second, "gold", "send to annotators")
        tag(window, third, "bad crop")
    told = synced(dataset, mongo_uri).read_back
    for part in ("1 tagged exclude", "1 tagged gold", "1 tagged bad crop"):
        assert part in told
    rows = decisions(dataset)
    assert sorted((row["garment_id"], row["kind"]) for row in rows) == sorted(
        [(first, "excluded"), (second, "gold"), (second, "send"), (third, "bad_crop")]
    )
    assert {row["who"] for row in rows} == {"mara"}
    states = {row.garment_id: row for row in garment_rows(dataset)}
    assert states[first].state is GarmentState.EXCLUDED and states[second].gold
    assert states[third].state is GarmentState.BAD_CROP
    assert states[fourth].state is GarmentState.ACTIVE
    assert send_file(dataset).read_text() == f"{second}\n"
    assert synced(dataset, mongo_uri).read_back == "" and decisions(dataset) == rows
    with app(dataset, mongo_uri) as window:
        assert sorted(_sample(window, first).tags) == ["exclude", "my own tag"]
        assert _sample(window, first).state == "excluded"


def test_a_tag_that_is_removed_withdraws_the_decision_and_may_come_again(curated, mongo_uri):
    dataset = curated(photos=1)
    garment, other = garment_ids(dataset)
    decide(dataset, other, "gold")
    synced(dataset, mongo_uri)
    for turn in range(2):
        with app(dataset, mongo_uri) as window:
            tag(window, garment, "gold")
        synced(dataset, mongo_uri)
        assert garment_rows(dataset, [garment])[0].gold
        with app(dataset, mongo_uri) as window:
            untag(window, garment, "gold")
            if turn:
                untag(window, other, "gold")
        assert "no longer gold" in synced(dataset, mongo_uri).read_back
        assert not garment_rows(dataset, [garment])[0].gold
    assert not garment_rows(dataset, [other])[0].gold, "somebody else's decision too"
    assert len({row["decision_id"] for row in decisions(dataset)}) == 6


def test_reading_the_same_tags_twice_adds_nothing(curated, mongo_uri):
    """As when a sync is killed after it has read, before it has written."""
    dataset = curated(photos=1)
    garment = garment_ids(dataset)[0]
    synced(dataset, mongo_uri)
    with app(dataset, mongo_uri) as window:
        tag(window, garment, "exclude")
        sample = _sample(window, garment)
        sample.color.label = "red"
        sample.save()
        assert "exclude" in str(read_back(window, "mara", dry_run=True))
        assert decisions(dataset) == []
        first = read_back(window, "mara")
        assert first.decided == {"excluded": 1} and first.relabelled == {"color": 1}
        assert str(read_back(window, "mara")) == "" and read_back(window, "mara") == ReadBack()
    assert len(decisions(dataset)) == 1 and dataset.catalog.count("labels") == 1


def test_an_edited_label_is_the_curators_word(curated, mongo_uri):
    dataset = curated(photos=1)
    one, two = garment_ids(dataset)
    label(dataset, one, "pattern", "striped")
    synced(dataset, mongo_uri)
    with app(dataset, mongo_uri) as window:
        for garment, name, typed in (
            (one, "pattern", "Dots"),
            (one, "color", "red + Navy"),
            (two, "pattern", "furry"),
            (two, "gender", "men + women"),
        ):
            sample = _sample(window, garment)
            if sample[name] is None:
                sample[name] = window.fo.Classification()
            sample[name].label = typed
            sample.save()
    progress = synced(dataset, mongo_uri)
    assert "1 pattern corrected" in progress.read_back and "2 labels left out" in progress.read_back
    assert "'furry' is no pattern" in progress.read_back
    said = people_say_in(dataset)
    assert said[one, "color"].value == '["navy", "red"]' and said[one, "color"].who == "mara"
    assert said[one, "pattern"].basis == "curator" and "dot" in str(said[one, "pattern"].value)
    with app(dataset, mongo_uri) as window:
        sample = _sample(window, one)
        assert sample.color.label == "navy + red" == sample.color.written
        assert sample.color_human.source == "curator"
    assert "2 labels left out" in synced(dataset, mongo_uri).read_back, "until they are put right"


def test_decisions_taken_meanwhile_are_not_taken_twice(curated, mongo_uri):
    dataset = curated(photos=1)
    garment = garment_ids(dataset)[0]
    synced(dataset, mongo_uri)
    with app(dataset, mongo_uri) as window:
        tag(window, garment, "bad crop")
    decide(dataset, garment, "bad_crop")
    assert synced(dataset, mongo_uri).read_back == ""
    assert len(decisions(dataset)) == 1


def test_what_is_to_be_sent_no_longer_is_taken_off_the_list(curated, mongo_uri):
    dataset = curated(photos=1)
    one, two = garment_ids(dataset)
    synced(dataset, mongo_uri)
    assert not send_file(dataset).exists()
    with app(dataset, mongo_uri) as window:
        tag(window, one, "send to annotators")
        tag(window, two, "send to annotators")
    synced(dataset, mongo_uri)
    assert send_file(dataset).read_text().splitlines() == [one, two]
    with app(dataset, mongo_uri) as window:
        untag(window, one, "send to annotators")
    synced(dataset, mongo_uri)
    assert send_file(dataset).read_text().splitlines() == [two]


def test_a_dry_run_says_what_would_come_and_changes_nothing(curated, mongo_uri):
    dataset = curated(photos=1)
    garment = garment_ids(dataset)[0]
    synced(dataset, mongo_uri)
    with app(dataset, mongo_uri) as window:
        tag(window, garment, "gold")
    assert "1 tagged gold" in synced(dataset, mongo_uri, dry_run=True).read_back
    assert decisions(dataset) == [] and not send_file(dataset).exists()


@pytest.mark.parametrize("kind", list(Decision))
def test_every_kind_of_decision_has_a_tag(kind):
    from curate.fiftyone.fields import DECISION_TAGS

    assert DECISION_TAGS[kind]


def test_what_was_done_since_is_found_by_its_time_alone(curated, mongo_uri, monkeypatch):
    monkeypatch.setattr(syncing, "_CLOCKS", timedelta(0))
    dataset = curated(photos=2)
    first, second, *_ = garment_ids(dataset)
    synced(dataset, mongo_uri)
    time.sleep(0.01)  # MongoDB counts milliseconds
    with app(dataset, mongo_uri) as window:
        tag(window, first, "exclude")
        view = window.garments.match(window.fo.ViewField("garment_id") == second)
        view.tag_samples("gold")  # as the App does
    assert synced(dataset, mongo_uri).read_back == "1 tagged exclude, 1 tagged gold"
    with app(dataset, mongo_uri) as window:
        tag(window, first, "send to annotators")
        later = datetime.now(UTC) + timedelta(seconds=1)
        assert str(read_back(window, "mara", dry_run=True, since=later)) == ""
        assert str(read_back(window, "mara", dry_run=True)) == "1 tagged send to annotators"
