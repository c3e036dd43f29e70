"""The rehearsal: who answers what, what is held out, who may take part, what is told."""

import json
from collections import Counter

import pytest
from rehearsing import model_folder, rehearse, small_set

from garmentloop.simulate.annotator import Annotator
from garmentloop.simulate.backbone import expect_unseen
from garmentloop.simulate.options import SimulateOptions
from garmentloop.simulate.page import html, write_record
from garmentloop.simulate.run import HELD_OUT, Rehearsal
from garmentloop.simulate.sets import read_set
from garmentloop.simulate.summary import summarize, table_rows
from garments.dataset import Dataset
from garments.errors import BadInput, BadSetting, DatasetError, UnknownModel
from garments.rounds import rounds
from garments.said import audit_slice, people_say_in
from garments.taxonomy import Taxonomy

TAXONOMY = Taxonomy.default()


def knowing(error_rate=0.0, **truth) -> Annotator:
    return Annotator(TAXONOMY, {"g": truth}, error_rate)


# --- the annotator


def test_what_is_right_stays_and_what_is_wrong_becomes_the_truth():
    ann = knowing(category=("trousers", "jeans"))
    assert ann.answer("a", "g", "lower", {"category": ("jeans",)}).values["category"] == ("jeans",)
    assert ann.answer("a", "g", "lower", {"category": ("dress",)}).values["category"] == (
        "trousers",
    )
    assert ann.answer("a", "g", "lower", {}).values == {"category": ("trousers",)}


def test_what_nobody_knows_is_accepted_as_proposed():
    given = knowing(category=("dress",)).answer("a", "g", "whole", {"color": ("red",)})
    assert given.values == {"category": ("dress",), "color": ("red",)}


def test_a_particular_kind_goes_with_its_category():
    ann = knowing(category=("t-shirt",))
    name = TAXONOMY.sub_categories("t-shirt")[0]
    other = next(v.id for v in TAXONOMY.attribute("sub_category").values if v.parent != "t-shirt")
    kept = ann.answer("a", "g", "upper", {"category": ("t-shirt",), "sub_category": (name,)})
    assert kept.values["sub_category"] == (name,)
    gone = ann.answer("a", "g", "upper", {"category": ("dress",), "sub_category": (other,)})
    assert "sub_category" not in gone.values


def test_a_crop_of_nothing_is_a_bad_one():
    given = knowing(category=("dress",)).answer("a", "elsewhere", "whole", {"color": ("red",)})
    assert (given.values, given.verdict, given.bad_crop_reason) == ({}, "bad_crop", "not-a-garment")


def test_it_errs_as_often_as_told_and_always_in_the_same_places():
    truth = {f"g{n}": {"category": ("dress",)} for n in range(400)}
    ann = Annotator(TAXONOMY, truth, error_rate=0.2, seed=3)

    def answers(who, seed=3):
        one = Annotator(TAXONOMY, truth, 0.2, seed)
        return [one.answer(who, g, "whole", {}).values["category"][0] for g in truth]

    wrong = [value for value in answers("a") if value != "dress"]
    assert 0.14 < len(wrong) / 400 < 0.26
    assert set(wrong) <= set(TAXONOMY.allowed("category", "whole"))
    assert len(set(wrong)) > 1
    assert answers("a") == answers("a")
    assert answers("a") != answers("b")
    assert answers("a") != answers("a", seed=4)
    assert ann.answer("a", "g0", "whole", {}).verdict == "ok"


def test_an_error_rate_that_makes_no_sense():
    with pytest.raises(BadSetting, match="error rate from 0 to below 1"):
        knowing(error_rate=1.0)


def test_it_judges_answers_as_it_would_accept_them():
    ann = knowing(category=("trousers", "jeans"))
    trousers, jeans, dress = (frozenset([v]) for v in ("trousers", "jeans", "dress"))
    assert ann.alike("g", "category", trousers, jeans)
    assert not ann.alike("g", "category", trousers, dress)
    assert not ann.alike("g", "category", dress, jeans)  # a wrong answer is no judge
    assert not ann.alike("g", "category", trousers, frozenset())


# --- the set


def test_what_the_set_holds_out_is_held_out(tmp_path):
    found = read_set(small_set(tmp_path / "set"))
    assert (found.name, found.as_crops, len(found.held_out), len(found.rest)) == (
        "clothing",
        True,
        12,
        24,
    )
    some = found.some(18, 0)
    assert (len(some.held_out), len(some.rest)) == (6, 12)
    assert some == found.some(18, 0) != found.some(18, 1)
    assert found.some(99, 0) is found


def test_a_street_holds_out_every_fifth_picture(tmp_path):
    from garments.synthetic import write_street

    list(write_street(tmp_path / "street", 6, 5, "unseen"))
    found = read_set(tmp_path / "street")
    assert (found.name, found.as_crops) == ("street:unseen", False)
    assert [p.name for p in found.held_out] == ["0001.jpg", "0006.jpg"]
    assert len(found.rest) == 4


def test_another_folder_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BadInput, match="laid out like the set clothing"):
        read_set(tmp_path)


# --- who may take part


def test_a_backbone_that_has_seen_the_set_is_refused(tmp_path):
    saw = model_folder(tmp_path / "saw", ["clothing"])
    with pytest.raises(BadSetting, match="never saw clothing"):
        expect_unseen(f"dir:{saw}", "clothing")
    assert expect_unseen(f"dir:{saw}", "street:unseen") == ""
    silent = model_folder(tmp_path / "silent", None)
    assert "may have seen clothing" in expect_unseen(f"dir:{silent}", "clothing")
    assert expect_unseen("starter", "clothing") == ""
    assert expect_unseen("starter", "street:unseen") == ""
    with pytest.raises(BadSetting, match="never saw street:train"):
        expect_unseen("starter", "street:train")
    with pytest.raises(UnknownModel, match="backbone from outside"):
        expect_unseen("model:v1", "clothing")


def test_a_refused_backbone_leaves_nothing_behind(tmp_path):
    saw = model_folder(tmp_path / "saw", ["clothing"])
    with pytest.raises(BadSetting):
        Rehearsal(
            small_set(tmp_path / "set", 12),
            tmp_path / "out",
            SimulateOptions(backbone=f"dir:{saw}"),
        )
    assert not (tmp_path / "out").exists()


def test_real_work_is_never_rehearsed_on(tmp_path):
    Dataset.create(tmp_path / "real")
    with pytest.raises(DatasetError, match="a data set of real work"):
        Rehearsal(small_set(tmp_path / "set", 12), tmp_path / "real")


@pytest.mark.parametrize("options", [{"rounds": 0}, {"photos": 3}, {"mode": "x"}, {"budget": 0}])
def test_options_that_make_no_sense(options):
    with pytest.raises(BadSetting, match="expected"):
        SimulateOptions(**options).loop()


# --- a whole one


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two rounds without a server."""
    folder = tmp_path_factory.mktemp("rehearsal")
    return rehearse(small_set(folder / "set"), folder / "out", error_rate=0.1)


def test_the_blind_slice_is_what_the_set_holds_out_and_so_is_the_test_split(whole):
    rehearsal, held_out = whole
    dataset = rehearsal.dataset
    assert held_out == 12
    tasks = dataset.catalog.rows("tasks").to_pylist()
    assert Counter(row["round"] for row in tasks) == {HELD_OUT: 12, "round-1": 8, "round-2": 8}
    assert {row["garment_id"] for row in tasks if row["audit"]} == audit_slice(dataset)
    sources = dataset.catalog.rows("sources", where="split = 'test'").column("photo_id")
    garments = dataset.catalog.rows("garments").to_pylist()
    photos = {row["photo_id"] for row in garments if row["garment_id"] in audit_slice(dataset)}
    assert photos == set(sources.to_pylist())
    agreed = {g for (g, _), held in people_say_in(dataset).items() if held.value is not None}
    in_test = rounds(dataset)[-1].of("release")["splits"]["test"]
    assert 0 < in_test == len(agreed & audit_slice(dataset))


def test_every_label_is_simulated_and_each_blind_task_has_two_answers(whole):
    labels = whole[0].dataset.catalog.rows("labels").to_pylist()
    assert {row["kind"] for row in labels} == {"simulated"}
    blind = audit_slice(whole[0].dataset)
    answers = Counter(
        row["garment_id"]
        for row in labels
        if row["attribute"] == "category" and row["garment_id"] in blind
    )
    assert set(answers.values()) == {2}
    # Blind tasks show nothing, so what nobody knows is left open there.
    assert {row["attribute"] for row in labels if row["garment_id"] in blind} <= {
        "category",
        "sub_category",
    }


def test_the_summary_tells_each_round(whole):
    rehearsal, held_out = whole
    summary = summarize(rehearsal, held_out, studio=False)
    assert (summary.rounds, summary.labels) == (("round-1", "round-2"), (8, 16))
    [category] = summary.results
    assert [point.labels for point in category.edit_rate] == [0, 8, 16]
    assert all(0 <= one.low < one.high <= 1 for one in category.edit_rate)
    assert all(one.low - 1e-9 <= one.value <= one.high + 1e-9 for one in category.edit_rate)
    assert [point.value for point in category.f1] == pytest.approx([0.2, 0.4, 0.4])
    assert category.decisions == ("promoted", "refused: it is no better")
    rows = table_rows(summary)
    assert rows[1][0:3] == ("round-2", 16, "category")
    assert rows[0][4] == rows[1][4]  # the first edit rate stands beside every round's


def test_record_and_page_are_written(whole, tmp_path):
    rehearsal, held_out = whole
    summary = summarize(rehearsal, held_out, studio=False)
    record, page = write_record(summary, tmp_path)
    told = json.loads(record.read_text(encoding="utf-8"))
    assert (told["set"], told["held_out"], told["studio"]) == ("clothing", 12, False)
    assert told["options"]["error_rate"] == 0.1
    text = page.read_text(encoding="utf-8")
    assert html(summary).partition("written")[0] == text.partition("written")[0]
    assert text.count("<svg viewBox") == 3  # a key, and two plots
    assert text.count("<circle") == 6
    assert "wrong in\n10 of 100 cases" in text


def test_run_again_it_adds_nothing(whole):
    rehearsal, _ = whole
    before = {t: rehearsal.dataset.catalog.count(t) for t in ("tasks", "labels", "rounds")}
    again = Rehearsal(rehearsal.set.root, rehearsal.dataset.folder, rehearsal.options)
    assert again.prepare() == 12
    assert list(again.rounds()) == []
    assert {t: again.dataset.catalog.count(t) for t in before} == before


def test_the_command_says_what_it_is(garmentloop_command):
    told = garmentloop_command("simulate", "--help").stdout
    assert "--no-studio" in told
    assert "knows the answers" in told


def test_the_command_refuses_before_it_makes_anything(tmp_path, garmentloop_command):
    saw = model_folder(tmp_path / "saw", ["clothing"])
    root = small_set(tmp_path / "set", 12)
    out = tmp_path / "out"
    result = garmentloop_command("simulate", root, "-o", out, "--backbone", f"dir:{saw}")
    assert result.returncode == 1
    assert "never saw clothing" in result.stderr.replace("\n", " ")
    assert not out.exists()
