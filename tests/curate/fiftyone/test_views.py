"""Saved views, measures, evaluations and workspace: what they show is what the catalogue says."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from curated_data import (
    add_photos,
    crop_of,
    decide,
    garment_ids,
    label,
    retire,
    task,
)

from curate.fiftyone import judging, measures, views, workspace
from curate.fiftyone.evaluate import evaluation_key
from curate.fiftyone.journal import kept
from curate.fiftyone.sync import sync
from curate.fiftyone.window import Window, open_window
from curate.select.keep import selected_file, write_selected
from curate.suspects import SUSPICIOUS
from garments.dataset import Dataset
from garments.errors import BadInput
from garments.proposals import readings


def synced(dataset: Dataset, uri: str, **more) -> None:
    list(sync(dataset, mongo=uri, **more))


def shown(window: Window, name: str) -> list[str]:
    """Garments of a saved view, in its order."""
    return window.garments.load_saved_view(name).values("garment_id")


def proposed(dataset: Dataset, garment: str, attribute: str) -> list[str]:
    return list(readings(dataset)[garment][attribute].values)


def field(window: Window, name: str) -> Mapping[str, object]:
    ids, values = window.garments.values(["garment_id", name])
    return {garment: value for garment, value in zip(ids, values, strict=True) if value is not None}


def test_each_view_shows_what_the_catalogue_says(curated, mongo_uri):
    dataset = curated(photos=6)
    ids = garment_ids(dataset)
    said = readings(dataset)
    right, wrong, surer = ids[0], ids[1], ids[2]
    label(dataset, right, "category", *said[right]["category"].values)
    for garment in (wrong, surer):
        others = set(dataset.taxonomy.values("category")) - {said[garment]["category"].values[0]}
        label(dataset, garment, "category", sorted(others)[0])
    decide(dataset, ids[3], "gold")
    decide(dataset, ids[4], "bad_crop")
    decide(dataset, ids[5], "excluded")
    retire(dataset, ids[6])
    changed = task(dataset, ids[7], "round-1", color=("red",), pattern=("plain",))
    label(dataset, ids[7], "color", "blue", task=changed)
    task(dataset, ids[8], "round-2", color=("red",))
    write_selected(selected_file(dataset), [ids[2], ids[5], ids[1]], "by hand")
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        confident = sorted((wrong, surer), key=lambda g: -said[g]["category"].confidence)
        assert shown(window, "confidently wrong: category") == confident
        assert shown(window, "gold") == [ids[3]]
        assert shown(window, "bad crops") == [ids[4]]
        assert shown(window, "newest round") == [ids[8]]
        assert shown(window, "annotators changed most") == [ids[7]]
        active = [garment for garment in ids if garment not in (ids[4], ids[5], ids[6])]
        uncertain = shown(window, "most uncertain")
        assert sorted(uncertain) == sorted(active)
        mean = {g: sum(r.confidence for r in said[g].values() if r.values) for g in active}
        count = {g: sum(bool(r.values) for r in said[g].values()) for g in active}
        assert uncertain[0] == min(active, key=lambda g: mean[g] / count[g])
        assert shown(window, "suspects") == []
        assert shown(window, "selected batch") == [ids[2], ids[1]]
        rare = shown(window, "rare values")
        assert rare and ids[6] not in rare
        view = window.photos.load_saved_view("turned down: too small")
        assert len(view) == 6
        assert set(view.distinct("people.detections.label")) == {"too_small"}
    write_selected(selected_file(dataset), [ids[1]], "by hand")
    synced(dataset, mongo_uri)  # nothing else has changed
    with open_window(dataset, mongo_uri) as window:
        assert shown(window, "selected batch") == [ids[1]]


def test_copies_are_found_and_shown_side_by_side(curated, mongo_uri):
    dataset = curated(photos=4)
    photos = dataset.catalog.rows("photos").to_pylist()
    names = [row["photo_id"] for row in photos]
    first, last = sorted((names[0], names[3]))
    picture = dataset.preview_path(first).read_bytes()
    dataset.preview_path(last).write_bytes(picture)
    phash = next(row["phash"] for row in photos if row["photo_id"] == first)
    dataset.catalog.put(
        "photos", [row | {"phash": phash} for row in photos if row["photo_id"] == last]
    )
    rows = dataset.catalog.rows("garments").to_pylist()
    copies = {row["garment_id"] for row in rows if row["photo_id"] in (first, last)}
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert set(shown(window, "duplicates")) == copies and len(copies) == 4
        assert set(field(window, "duplicate_group").values()) == {min(copies)}
        regions = window.garments.load_saved_view("duplicates").values("region")
        assert regions == ["lower", "lower", "upper", "upper"]
    add_photos(dataset, 1, first=9)
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert set(shown(window, "duplicates")) == copies, "what was known before still holds"
    retire(dataset, min(copies))
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert set(shown(window, "duplicates")) == copies - {min(copies)}


def test_what_annotators_disagree_about_is_shown_until_it_is_settled(curated, mongo_uri):
    dataset = curated(photos=3)
    one, two, same, settled, *_ = garment_ids(dataset)
    for garment, attributes in (
        (one, ["color"]),
        (two, ["color", "pattern"]),
        (settled, ["color"]),
    ):
        for attribute in attributes:
            first, second = dataset.taxonomy.values(attribute)[:2]
            label(dataset, garment, attribute, first, who="ann")
            label(dataset, garment, attribute, second, who="bob")
    for who in ("ann", "bob"):
        label(dataset, same, "color", "red", who=who)
    label(dataset, settled, "color", "red", kind="adjudicated", who="cur")
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert shown(window, "annotators disagree") == [two, one], "the most attributes first"
        first, second = dataset.taxonomy.values("color")[:2]
        why = field(window, "disagreement_why")
        assert why[one] == f"color: ann said {first}, bob said {second}" and len(why) == 2
    label(dataset, two, "color", "red", kind="curator", who="cur")
    label(dataset, one, "color", second, who="ann")
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert shown(window, "annotators disagree") == [two]
        assert field(window, "disagreement") == {two: 1}, "of color a curator spoke"


def test_near_duplicates_come_group_by_group(curated, mongo_uri):
    import numpy as np

    dataset = curated(photos=12)
    ids = garment_ids(dataset)
    vectors = np.random.default_rng(0).normal(size=(len(ids), 16))
    for place, other in ((5, 0), (10, 0), (7, 2), (20, 3)):
        vectors[place] = vectors[other] + 0.01 * np.random.default_rng(place).normal(size=16)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shas = [crop_of(dataset, garment) for garment in ids]
    dataset.catalog.add_embeddings("starter@w3+keep", ids, shas, vectors)
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        listed, groups = shown(window, "near-duplicates"), field(window, "near_group")
        wanted = {frozenset(ids[at] for at in places) for places in ((0, 5, 10), (2, 7), (3, 20))}
        order = [groups[garment] for garment in listed]
        assert {frozenset(g for g in listed if groups[g] == name) for name in set(order)} == wanted
        changes = sum(one != other for one, other in pairwise(order))
        assert changes == len(wanted) - 1, "one group after the other"


def test_wrong_labels_are_suspects(curated, mongo_uri):
    """Two far corners of the embedding space are two patterns; one label is wrong."""
    import numpy as np

    dataset = curated(photos=30)
    ids = garment_ids(dataset)
    rng = np.random.default_rng(0)
    sides = np.where(np.arange(len(ids)) % 2, 1.0, -1.0)
    vectors = rng.normal(size=(len(ids), 6)) * 0.1
    vectors[:, 0] = sides
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shas = [crop_of(dataset, garment) for garment in ids]
    dataset.catalog.add_embeddings("starter@w2+keep", ids, shas, vectors)
    rows = [
        {
            "label_id": f"l{garment}",
            "garment_id": garment,
            "crop_sha": sha,
            "attribute": "pattern",
            "value": '["striped"]' if (side > 0) != (garment == ids[11]) else '["solid"]',
            "kind": "annotator",
            "annotator": "ann",
        }
        for garment, sha, side in zip(ids, shas, sides, strict=True)
    ]
    dataset.catalog.add("labels", rows)
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert shown(window, "suspects") == [ids[11]]
        why = field(window, "suspicion_why")[ids[11]]
        assert why == "pattern: people said solid, others like it are striped"
    rows[0] |= {"label_id": "corrected", "garment_id": ids[11], "value": '["striped"]'}
    dataset.catalog.add("labels", [rows[0] | {"kind": "curator"}])
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert shown(window, "suspects") == []
    assert 0.5 <= SUSPICIOUS < 1


def test_evaluations_count_what_people_said(curated, mongo_uri):
    dataset = curated(photos=3)
    ids = garment_ids(dataset)
    said = readings(dataset)
    for garment in ids[:4]:
        label(dataset, garment, "category", *said[garment]["category"].values)
    others = set(dataset.taxonomy.values("category")) - set(said[ids[4]]["category"].values)
    label(dataset, ids[4], "category", min(others))
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        key = evaluation_key("category")
        assert window.garments.list_evaluations() == [key]
        results = window.garments.load_evaluation_results(key)
        assert results.metrics()["support"] == 5 and results.metrics()["accuracy"] == 0.8
        assert field(window, key) == {garment: garment != ids[4] for garment in ids[:5]}


def test_a_workspace_with_plots_is_kept_up_to_date(curated, mongo_uri):
    dataset = curated(photos=4)
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert window.garments.list_workspaces() == [workspace.WORKSPACE]
        found = window.garments.load_workspace(workspace.WORKSPACE).to_json()
        for panel in ("Samples", "Embeddings", "Histograms", "model_evaluation_panel_builtin"):
            assert panel in found
        for plot in (workspace.PCA, workspace.TSNE):
            assert len(window.garments.load_brain_results(plot).points) == 8
        before = window.garments.get_brain_info(workspace.TSNE).timestamp
        views.save(window)
        workspace.save(window)
        assert window.garments.get_brain_info(workspace.TSNE).timestamp == before
    add_photos(dataset, 2, first=7)
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        for plot in (workspace.PCA, workspace.TSNE):
            assert len(window.garments.load_brain_results(plot).points) == 12


def test_few_new_labels_wait_for_more_before_all_are_judged(curated, mongo_uri, monkeypatch):
    dataset = curated(photos=4)
    one, other, third, *_ = garment_ids(dataset)
    for garment in (one, other):
        label(dataset, garment, "category", *proposed(dataset, garment, "category"))
    synced(dataset, mongo_uri)
    key = evaluation_key("category")
    with open_window(dataset, mongo_uri) as window:
        assert field(window, key) == {one: True, other: True}
        figures = window.garments.load_evaluation_results(key)
        assert len(figures.ytrue) == 2
        window.garments.set_values("suspicion", {one: 0.9, other: 0.8}, key_field="garment_id")
    monkeypatch.setattr(judging, "SHARE", 0.9)
    wrong = sorted({"dress", "coat"} - set(proposed(dataset, one, "category")))[0]
    label(dataset, one, "category", wrong, kind="curator")
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        assert field(window, key) == {one: False, other: True}, "who was right is known at once"
        assert field(window, "suspicion") == {other: 0.8}, "of what changed nothing is known"
        assert list(window.garments.load_evaluation_results(key).ytrue) == list(figures.ytrue)
    label(dataset, third, "category", wrong, kind="curator")
    label(dataset, other, "category", wrong, kind="curator")
    synced(dataset, mongo_uri)  # three of three have changed by now
    with open_window(dataset, mongo_uri) as window:
        assert len(window.garments.load_evaluation_results(key).ytrue) == 3
        assert field(window, "suspicion") == {}
        assert kept(window.garments, "waiting") == 0


def test_views_of_others_stay_and_ours_are_not_saved_again(curated, mongo_uri):
    dataset = curated(photos=1)
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        window.garments.save_view("mine", window.garments.limit(1))
        window.garments.save_view("gold", window.garments.limit(2), overwrite=True)
        before = {n: _saved_at(window, n) for n in window.garments.list_saved_views()}
        views.save(window)
        after = {n: _saved_at(window, n) for n in window.garments.list_saved_views()}
        assert before.keys() == after.keys()
        assert {name for name in before if before[name] != after[name]} == {"gold"}
        assert shown(window, "gold") == []


def _saved_at(window: Window, name: str):
    return window.garments._get_saved_view_doc(name).created_at


def test_an_unknown_view_is_told_which_there_are(curated, mongo_uri):
    dataset = curated(photos=1)
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        shown_in, slug = views.address(window, "Confidently wrong: color")
        assert shown_in == window.garments.name and slug == "confidently-wrong-color"
        assert views.address(window, slug) == (shown_in, slug)
        with pytest.raises(BadInput, match=r"near-duplicates; .*turned down: .* but got 'nope'"):
            views.address(window, "nope")


def test_every_field_has_its_place_in_the_sidebar(curated, mongo_uri):
    dataset = curated(photos=2)
    synced(dataset, mongo_uri)
    with open_window(dataset, mongo_uri) as window:
        groups = {g.name: list(g.paths) for g in window.garments.app_config.sidebar_groups}
        listed = [path for paths in groups.values() for path in paths]
        assert len(listed) == len(set(listed))
        assert set(window.garments.get_field_schema()) - set(listed) == {"metadata"}
        assert groups["people said"][0] == "category_human"
        assert "other" not in groups
        assert measures.suspect_field("color") in groups["suspects"]
