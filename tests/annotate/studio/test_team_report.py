"""The figures of a team on the page, as JSON and on a terminal; no server is needed for that."""

import json
import re

import pytest
from standin_taggers import add_garments

from annotate.studio.agreement import agreements
from annotate.studio.ledger import ledger
from annotate.studio.outcomes import Outcome, Tally
from annotate.studio.report import write_report
from annotate.studio.report.differences import heats
from annotate.studio.report.figures import Anchoring
from annotate.studio.team import team
from annotate.studio.verdicts import adjudication
from garments.dataset import Dataset
from garments.said import Basis, people_say_in

RED, NAVY, BLACK = '["red"]', '["navy"]', '["black"]'


class Office:
    """Writes what people say as a pull does."""

    def __init__(self, folder, garments: int = 12) -> None:
        self.dataset = Dataset.create(folder)
        self.garments = add_garments(self.dataset, garments)
        self.count = 0
        tasks = [
            {"task_id": f"t{name}", "garment_id": name, "audit": place % 2 == 0, "shown": "{}"}
            for place, name in enumerate(self.garments)
        ]
        self.dataset.catalog.put("tasks", [{**t, "round": "r", "state": "done"} for t in tasks])

    def say(self, place: int, value: str, who: str, kind: str = "annotator", task: str = "t"):
        self.count += 1
        name = self.garments[place]
        row = {
            "label_id": f"l{self.count}",
            "garment_id": name,
            "attribute": "color",
            "value": value,
            "kind": kind,
            "annotator": who,
            "task_id": f"{task}{name}",
            "seconds": 3.0,
        }
        self.dataset.catalog.add("labels", [row])

    def gold(self, place: int) -> None:
        name = self.garments[place]
        rows = {"decision_id": f"g{name}", "garment_id": name, "kind": "gold", "who": "cora"}
        self.dataset.catalog.add("decisions", [rows])
        check = {"task_id": f"g{name}", "garment_id": name, "name": "x", "purpose": "gold"}
        self.dataset.catalog.put("checks", [{**check, "state": "done", "round": "r"}])


@pytest.fixture
def office(tmp_path) -> Office:
    """Twelve garments, every other blind; Ann and Bob differ about three, in two ways."""
    office = Office(tmp_path / "data")
    for place in range(12):
        office.say(place, RED if place < 6 else BLACK, "ann")
        differ = {0: NAVY, 1: NAVY, 6: RED}.get(place)
        office.say(place, differ or (RED if place < 6 else BLACK), "<i>bob</i>")
    return office


def test_blind_and_pre_filled_garments_are_told_apart(office) -> None:
    filled, blind = agreements(office.dataset)
    assert (filled.blind, filled.overall.garments, filled.overall.alike) == (False, 6, 5 / 6)
    assert (blind.blind, blind.overall.garments, blind.overall.alike) == (True, 6, 4 / 6)
    [pair] = blind.pairs
    assert pair.people == ("<i>bob</i>", "ann")
    assert pair.kappa.value == pytest.approx(blind.cohen.value)
    differences = {
        tuple(min(answer) for answer in one.answers): (one.count, dict(one.said))
        for one in blind.differences
    }
    assert differences == {
        ("navy", "red"): (1, {"<i>bob</i>": (1, 0), "ann": (0, 1)}),
        ("black", "red"): (1, {"<i>bob</i>": (0, 1), "ann": (1, 0)}),
    }


def test_the_picture_of_differences_counts_each_pair_once_a_side(office) -> None:
    found = agreements(office.dataset)
    [heat] = heats(found, office.dataset.taxonomy.attributes)
    names = [min(answer) for answer in heat.answers]
    assert sorted(names) == ["black", "navy", "red"]
    counts = {
        (names[i], names[j]): count
        for i, row in enumerate(heat.rows)
        for j, count in enumerate(row)
        if count
    }
    assert counts == {
        ("navy", "red"): 2,
        ("red", "navy"): 2,
        ("black", "red"): 1,
        ("red", "black"): 1,
    }
    assert (heat.highest, heat.others) == (2, 0)
    assert [one.count for one in heat.top] == [2, 1]
    assert heat.told(heat.top[0].answers[0]) == "Navy"
    assert heat.told(frozenset(["not_visible"])) == "not visible" and heat.told(frozenset())


def test_what_a_verdict_did_to_what_held(office) -> None:
    assert adjudication(office.dataset).verdicts == ()
    held = people_say_in(office.dataset)
    assert held[office.garments[0], "color"].basis is Basis.DISPUTED
    office.say(0, NAVY, "judge", "adjudicated")  # blind and disputed: nothing held
    office.say(1, RED, "judge", "adjudicated")  # pre-filled: Bob's was the newest
    office.say(2, RED, "judge", "adjudicated")  # both had said so
    office.say(6, '["green"]', "judge", "adjudicated")  # nobody had said so
    found = adjudication(office.dataset)
    [color] = found.verdicts
    assert (color.count, color.kept, color.changed, color.settled, color.own) == (4, 1, 1, 2, 1)
    sided = {one.annotator: (one.right, one.answers) for one in found.sided}
    assert sided == {"ann": (1, 3), "<i>bob</i>": (1, 3)}


def test_answers_to_gold_never_hold(office) -> None:
    before = people_say_in(office.dataset)
    for who in ("ann", "bob", "cleo"):
        office.say(3, BLACK, who, "gold", task="g")
    assert people_say_in(office.dataset) == before
    assert agreements(office.dataset)[0].overall.garments == 6


def test_the_gap_between_blind_and_pre_filled_has_the_published_interval() -> None:
    # Newcombe (1998), example a of his table II: 56/70 against 48/80 differ by 0.2, and the
    # interval by scores (his method 10) is 0.0524 to 0.3339.
    def tally(edited: int, shown: int) -> Tally:
        counts = dict.fromkeys(Outcome, 0)
        return Tally({**counts, Outcome.CHANGED: edited, Outcome.ACCEPTED: shown - edited}, shown)

    one = Anchoring("color", tally(48, 80), tally(56, 70))
    assert one.gap == pytest.approx(0.2)
    assert one.gap_interval == pytest.approx((0.0524, 0.3339), abs=0.0005)
    assert not Anchoring("color", None, tally(1, 2)).compared


def test_page_json_and_terminal_say_the_same(office, garmentloop_command) -> None:
    office.gold(3)
    office.say(3, RED, "ann", "gold", task="g")
    office.say(3, BLACK, "<i>bob</i>", "gold", task="g")
    office.say(0, NAVY, "judge", "adjudicated")
    page = write_report(office.dataset, ledger(office.dataset))
    text = page.read_text(encoding="utf-8")
    data = json.loads(page.with_name("annotation.json").read_text(encoding="utf-8"))
    for title in (
        "How far annotators agree",
        "Where they differ",
        "Annotators against gold",
        "What adjudication changed",
    ):
        assert f"<h2>{title}</h2>" in text
    assert "<i>bob" not in text and "&lt;i&gt;bob" in text and not re.search(r"https?://", text)
    filled, blind = data["agreement"]
    assert (filled["blind"], blind["blind"]) == (False, True)
    assert blind["alike"]["value"] == round(4 / 6, 6)
    assert f"{blind['alpha']['value']:.2f} <small>" in text
    found = team(office.dataset)
    assert blind["cohen"]["mean"]["interval"][0] < blind["cohen"]["mean"]["value"]
    assert blind["fleiss"]["value"] == round(found.agreements[1].fleiss.value, 6)
    gold = {(one["annotator"], one["attribute"]): one["right"] for one in data["gold"]}
    assert gold[("ann", "color")] == 1 and gold[("<i>bob</i>", "color")] == 0
    assert data["disputes"] == {"color": 2}
    assert data["adjudication"]["verdicts"][0]["settled"] == 1
    told = garmentloop_command("annotate", "report", "-d", office.dataset.folder)
    assert told.returncode == 0, told.stderr
    assert re.search(r"color +blind +6 +66\.7%", told.stdout), told.stdout
    assert re.search(r"ann +color +1 +100\.0%", told.stdout)
    assert re.search(r"color +1 +0 +0 +1 +0", told.stdout)
    assert "Disputed: color 2; `garmentloop annotate adjudicate`" in told.stdout
