"""The ledger: every outcome counted once, blind answers compared with what nobody saw."""

import re
import xml.dom.minidom
from math import isnan

import pytest
from standin_taggers import PixelTagger, add_garments

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.studio.form import form
from annotate.studio.ledger import ledger
from annotate.studio.outcomes import Outcome, outcome
from annotate.studio.report import write_report
from annotate.studio.report.figures import anchoring, people, rounds, saving, versions
from annotate.studio.tasks import Pictures, TaskMaker
from garments.answers import NOT_VISIBLE, value_of
from garments.dataset import Dataset
from garments.errors import CatalogError
from garments.proposals import readings

PICTURES = Pictures("crop.jpg", "photo.jpg")


class Office:
    """Sends tasks and gives answers as push and pull write them, without a server."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.number = dataset, 0

    def send(self, garments, round_="round-1", audit=False):
        """Tasks about these garments; what the form shows or would show, by garment."""
        maker = TaskMaker(form(self.dataset.taxonomy), "uuid", audit, {})
        said = readings(self.dataset, garments)
        rows = self.dataset.catalog.rows("garments").to_pylist()
        tasks = [
            maker.make(row, said.get(row["garment_id"], {}), PICTURES, round_)
            for row in rows
            if row["garment_id"] in garments
        ]
        self.dataset.catalog.put("tasks", [task.row() for task in tasks])
        self.dataset.catalog.add("rounds", [{"round_id": round_, "kind": "push", "details": "{}"}])
        asked = form(self.dataset.taxonomy)
        return {
            garment: dict(asked.answers(asked.prefill(said[garment])).values)
            for garment in garments
        }

    def answer(self, garment, values, who="ann", seconds=5.0, **more):
        """One annotation of the garment's task; ids of its labels by attribute."""
        self.number += 1
        task = next(
            row
            for row in self.dataset.catalog.rows("tasks").to_pylist()
            if row["garment_id"] == garment
        )
        rows = [
            {
                "label_id": f"{self.number:08d}-{name}",
                "garment_id": garment,
                "crop_sha": task["crop_sha"],
                "attribute": name,
                "value": value_of([value] if value == NOT_VISIBLE else value),
                "kind": "annotator",
                "annotator": who,
                "seconds": seconds,
                "task_id": task["task_id"],
                **more,
            }
            for name, value in values.items()
        ]
        self.dataset.catalog.add("labels", rows)
        self.state(garment, "done")
        return {row["attribute"]: row["label_id"] for row in rows}

    def withdraw(self, garment, *label_ids):
        self.dataset.catalog.add(
            "labels",
            [
                {
                    "label_id": f"w-{label}",
                    "garment_id": garment,
                    "kind": "annotator",
                    "annotator": "ann",
                    "withdraws": label,
                }
                for label in label_ids
            ],
        )

    def state(self, garment, state):
        rows = self.dataset.catalog.rows("tasks", where=f"garment_id = '{garment}'").to_pylist()
        for row in rows:
            row.pop("seq"), row.pop("created_at")
        self.dataset.catalog.put("tasks", [{**row, "state": state} for row in rows])


@pytest.fixture
def office(tmp_path) -> Office:
    dataset = Dataset.create(tmp_path / "data")
    add_garments(dataset, 24)
    propose(dataset)
    return Office(dataset)


def propose(dataset, weights="w1"):
    tagger = PixelTagger(dataset.taxonomy, weights=weights)
    list(prelabel(dataset, PrelabelOptions(), [tagger]))


def garments_of(office, region="upper"):
    rows = office.dataset.catalog.rows("garments").to_pylist()
    return [row["garment_id"] for row in rows if row["region"] == region]


def other(office, attribute, shown):
    values = office.dataset.taxonomy.values(attribute)
    return (next(value for value in values if value not in shown),)


def counted(found, attribute, blind=False):
    tally = found.tallies(lambda entry: entry.attribute, blind).get(attribute)
    return {str(kind): count for kind, count in tally.counts.items()} if tally else {}


@pytest.mark.parametrize(
    ("shown", "given", "expected"),
    [
        ("red", "red", Outcome.ACCEPTED),
        ("red blue", "blue red", Outcome.ACCEPTED),
        ("red blue", "red", Outcome.CHANGED),
        ("red", NOT_VISIBLE, Outcome.CHANGED),
        ("red", "", Outcome.EMPTIED),
        ("", "red", Outcome.FILLED),
        ("", NOT_VISIBLE, Outcome.FILLED),
        ("", "", Outcome.OPEN),
    ],
)
def test_outcomes(shown, given, expected):
    assert outcome(frozenset(shown.split()), frozenset(given.split())) is expected


def test_every_outcome_is_counted_by_version(office):
    first, second, third, *_ = garments_of(office)
    shown = office.send([first, second, third])
    office.answer(first, shown[first])
    changed = {**shown[second], "color": other(office, "color", shown[second]["color"])}
    del changed["pattern"]
    office.answer(second, changed)
    found = ledger(office.dataset)
    assert counted(found, "color") == {"accepted": 1, "changed": 1}
    assert counted(found, "pattern") == {"accepted": 1, "emptied": 1}
    tagger = PixelTagger(office.dataset.taxonomy)
    told = {version.attribute: version for version, _ in versions(found)}
    assert told["color"].tagger == tagger.version("color").id
    assert told["color"].name.startswith("pixels ")
    assert found.rounds["round-1"].answered == 2 and found.rounds["round-1"].waiting == 1


def test_a_field_that_the_tagger_left_open(office):
    first, second, *_ = garments_of(office)
    rows = office.dataset.catalog.rows("calibrations").to_pylist()
    never = [
        {**row, "calibration_id": f"never-{row['attribute']}", "threshold": 2.0}
        for row in rows
        if row["attribute"] == "color"
    ]
    for row in never:
        row.pop("seq"), row.pop("created_at")
    office.dataset.catalog.add("calibrations", never)
    shown = office.send([first, second])
    assert "color" not in shown[first]
    office.answer(first, {**shown[first], "color": ("red",)})
    office.answer(second, shown[second])
    assert counted(ledger(office.dataset), "color") == {"filled": 1, "open": 1}


def test_an_answer_counts_as_it_is_now(office):
    first, second, *_ = garments_of(office)
    shown = office.send([first, second])
    office.answer(first, shown[first], seconds=4.0)
    changed = {**shown[first], "color": other(office, "color", shown[first]["color"])}
    labels = office.answer(first, changed, seconds=9.0)
    found = ledger(office.dataset)
    assert counted(found, "color") == {"changed": 1}
    assert found.seconds(blind=False) == [9.0]
    office.withdraw(first, labels["color"])
    assert counted(ledger(office.dataset), "color") == {"emptied": 1}
    office.withdraw(first, *labels.values())
    assert not ledger(office.dataset).visits


def test_only_people_who_answered_a_task_count(office):
    first, *_ = garments_of(office)
    shown = office.send([first])
    office.answer(first, shown[first], kind="simulated")
    office.answer(first, shown[first], kind="curator")
    office.answer(first, shown[first], task_id=None)
    assert not ledger(office.dataset).visits
    office.dataset.change({"simulated": True})
    assert len(ledger(office.dataset).visits) == 1


def test_blind_answers_meet_what_would_have_been_shown(office):
    """What people said about the category has no say in what the tagger would have shown."""
    first, second, *_ = garments_of(office)
    would = office.send([first, second], audit=True)
    office.answer(first, would[first], "ann", 10)
    office.answer(first, would[first], "bob", 20)
    wrong = {
        **would[second],
        "category": other(office, "category", would[second]["category"]),
        "sub_category": other(office, "sub_category", would[second].get("sub_category", ())),
    }
    office.answer(second, wrong, "ann", 12)
    office.answer(second, would[second], "bob", 16)
    found = ledger(office.dataset)
    assert counted(found, "category") == {}
    assert counted(found, "category", blind=True) == {"accepted": 3, "changed": 1}
    assert counted(found, "color", blind=True) == {"accepted": 4}
    expected = would[second].get("sub_category", ())
    entries = [e for e in found.entries if e.attribute == "sub_category"]
    assert {e.shown for e in entries if e.visit.task_id == entries[-1].visit.task_id} == {
        frozenset(expected)
    }
    assert found.agreement()["category"] == (2, 1) and found.agreement()["color"] == (2, 2)
    one = next(each for each in anchoring(found) if each.attribute == "category")
    assert (one.blind.edited, one.blind.shown, one.blind.tasks) == (1, 4, 2)
    assert found.seconds(blind=True) == [10, 20, 12, 16] and not found.seconds(blind=False)


def test_blind_answers_meet_the_version_of_their_round(office):
    """A newer tagger does not change what an older round says about the older one."""
    first, second, third, fourth, *_ = garments_of(office)
    shown = office.send([first]) | office.send([second], audit=True)
    old = PixelTagger(office.dataset.taxonomy).version("color").id
    office.answer(first, shown[first])
    office.answer(second, shown[second])
    propose(office.dataset, "w2")
    later = office.send([third], "round-2") | office.send([fourth], "round-2", audit=True)
    office.answer(third, later[third])
    office.answer(fourth, later[fourth])
    found = ledger(office.dataset)
    taggers = {
        (e.visit.round, e.visit.blind): e.tagger for e in found.entries if e.attribute == "color"
    }
    new = PixelTagger(office.dataset.taxonomy, weights="w2").version("color").id
    assert taggers == {
        ("round-1", False): old,
        ("round-1", True): old,
        ("round-2", False): new,
        ("round-2", True): new,
    }
    assert [one.name for one in rounds(found)] == ["round-1", "round-2"]


def test_rounds_tell_what_became_of_their_tasks(office):
    answered, bad, skipped, deleted, empty, waiting, *_ = garments_of(office)
    shown = office.send([answered, bad, skipped, deleted, empty, waiting])
    office.answer(answered, shown[answered])
    for garment, state in ((bad, "done"), (skipped, "skipped"), (deleted, "deleted")):
        office.state(garment, state)
    office.state(empty, "done")
    decision = {"decision_id": "d", "garment_id": bad, "kind": "bad_crop", "who": "ann"}
    office.dataset.catalog.add("decisions", [decision])
    counts = ledger(office.dataset).rounds["round-1"]
    assert vars(counts) == {
        "tasks": 6,
        "blind": 0,
        "answered": 1,
        "bad_crops": 1,
        "empty": 1,
        "skipped": 1,
        "deleted": 1,
    }
    assert counts.waiting == 1


def test_what_was_shown_must_be_readable(office):
    first, *_ = garments_of(office)
    shown = office.send([first])
    office.answer(first, shown[first])
    row = office.dataset.catalog.rows("tasks").to_pylist()[0]
    row.pop("seq"), row.pop("created_at")
    office.dataset.catalog.put("tasks", [{**row, "shown": '["red"]'}])
    with pytest.raises(CatalogError, match=f"expected what was shown in task {row['task_id']}"):
        ledger(office.dataset)


def test_saving_of_time():
    assert saving([5.0] * 4, [10.0] * 9) is None
    found = saving([5.0, 5.5, 6.0, 4.5, 5.0] * 20, [10.0, 9.0, 11.0, 10.0, 10.5] * 20)
    assert found.share == pytest.approx(0.5, abs=0.01)
    assert found.low <= found.share <= found.high and found.high - found.low < 0.1


def test_the_page_holds_its_figures_and_needs_no_network(office, garmentloop_command):
    filled, blind = garments_of(office), garments_of(office, "lower")
    shown = office.send(filled[:5]) | office.send(blind, audit=True)
    for place, garment in enumerate(filled[:5]):
        color = (
            shown[garment]["color"] if place else other(office, "color", shown[garment]["color"])
        )
        office.answer(garment, {**shown[garment], "color": color}, seconds=4 + place / 10)
    for place, garment in enumerate(blind):
        for who in ("ann", "<b>bob</b>"):
            office.answer(garment, shown[garment], who, 8 + place / 10)
    shown = office.send(filled[5:], "round <2>")
    office.answer(filled[5], shown[filled[5]])
    found = ledger(office.dataset)
    text = write_report(office.dataset, found).read_text(encoding="utf-8")
    assert "<b>bob" not in text and "&lt;b&gt;bob" in text and "round &lt;2&gt;" in text
    assert not re.search(r"https?://|src=", text)
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower()
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        xml.dom.minidom.parseString(svg)
    [bob] = [one for one in people(found) if "bob" in one.name]
    assert bob.answers == len(blind) and isnan(bob.times.median)
    told = garmentloop_command("annotate", "report", "-d", office.dataset.folder)
    assert told.returncode == 0, told.stderr
    assert re.search(r"color +pixels \w+ +5 +1 +0 +0 +16\.7%", told.stdout), told.stdout
    assert "A pre-fill saves" in told.stdout and "annotation.html" in told.stdout


def test_a_page_before_anybody_answered(office, garmentloop_command):
    told = garmentloop_command("annotate", "report", "-d", office.dataset.folder)
    assert told.returncode == 0 and "Nobody has answered yet" in told.stdout
    page = office.dataset.reports / "annotation.html"
    assert "Nobody has answered yet" in page.read_text(encoding="utf-8")
    assert not ledger(office.dataset).rounds
