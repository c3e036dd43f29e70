"""Several people answer the same tasks, and the figures about them are those that must come out."""

import numpy as np
import pytest
from pulling import pulled
from scipy.stats import binom
from teaming import ASKED, all_work, team, truth_of, vouch

from annotate.studio.client import Studio, connect
from annotate.studio.listing import list_tasks
from annotate.studio.overlap import people_for
from annotate.studio.project import Kind
from annotate.studio.push import PushOptions, plan, push
from annotate.studio.scores import ALL
from annotate.studio.second_look import ask_one_more
from annotate.studio.team import team as figures
from garments.agreement import annotators_answers
from garments.answers import answer_of
from garments.errors import BadSetting, StudioDown
from garments.said import people_say_in

GARMENTS, GOLD = 24, 6
RATES = (0.15, 0.2, 0.25)
"""How often each of the three errs."""


def pushed(studio: Studio, **options):
    return list(push(studio.dataset, studio, PushOptions(**{"audit": 0.0, **options})))[-1]


def rows(dataset) -> dict[str, dict]:
    return {row["garment_id"]: row for row in dataset.catalog.rows("tasks").to_pylist()}


def overlaps(studio: Studio, kind: Kind = Kind.MAIN) -> dict[str, int]:
    return {task.garment_id: task.overlap for task in list_tasks(studio, studio.project(kind))}


def test_a_larger_share_holds_a_smaller_one_and_one_person_is_no_overlap() -> None:
    names = [f"{number:016x}" for number in range(2000)]
    small, large = (
        {name for name in names if people_for(name, 3, share) == 3} for share in (0.2, 0.5)
    )
    assert small < large and 330 < len(small) < 470 and 920 < len(large) < 1080
    assert not any(people_for(name, 1, 1.0) for name in names)
    assert {people_for(name, 2, 1.0) for name in names} == {2}
    for wrong in ({"overlap": 0}, {"overlap": 1000}, {"overlap_share": 1.5}, {"gold": -1.0}):
        with pytest.raises(BadSetting, match="expected"):
            PushOptions(**wrong)


def test_tasks_of_the_share_come_to_two_people_and_nobody_sees_an_answer(
    studio, studio_server, people
) -> None:
    dataset = studio.dataset
    drawn = {name for name in dataset.catalog.ids("garments") if people_for(name, 2, 0.4)}
    assert 1 < len(drawn) < 9
    options = PushOptions(audit=0.0, overlap=2, overlap_share=0.4)
    assert f"{len(drawn)} for several people" in str(plan(dataset, studio, options))
    end = pushed(studio, overlap=2, overlap_share=0.4)
    assert (end.created, end.plan.shared) == (10, len(drawn))
    wanted = {name: 2 if name in drawn else 1 for name in rows(dataset)}
    assert overlaps(studio) == wanted
    assert {name: row["overlap"] or 1 for name, row in rows(dataset).items()} == wanted
    again = pushed(studio, overlap=3, overlap_share=1.0)
    assert (again.created, again.updated) == (0, 0) and overlaps(studio) == wanted
    first, second, third = team(dataset, studio_server, people, [0.0, 0.0, 0.0])
    project = studio.project(Kind.MAIN)
    assert len(first.work(project)) == 10
    pulled(studio)
    states = {name: row["state"] for name, row in rows(dataset).items()}
    assert states == {name: "created" if name in drawn else "done" for name in wanted}
    seen = second.work(project)
    assert {task["data"]["garment_id"] for task in seen} == drawn
    assert not any(task["annotations"] for task in seen)
    assert third.work(project) == []
    pulled(studio)
    assert {row["state"] for row in rows(dataset).values()} == {"done"}


def test_a_second_look_comes_to_somebody_else_who_sees_no_answer(
    studio, studio_server, people
) -> None:
    dataset = studio.dataset
    pushed(studio)
    first, second, _ = team(dataset, studio_server, people, [0.0, 0.0, 0.0])
    project = studio.project(Kind.MAIN)
    some = sorted(rows(dataset))[:3]
    assert ask_one_more(dataset, some) == set()  # nobody has answered yet
    first.work(project)
    pulled(studio)
    assert ask_one_more(dataset, some, dry_run=True) == set(some)
    assert ask_one_more(dataset, [*some, "unknown"]) == set(some)
    assert ask_one_more(dataset, some) == set()  # they wait
    assert {name for name, row in rows(dataset).items() if row["state"] == "created"} == set(some)
    end = pushed(studio)
    assert (end.created, overlaps(studio)) == (0, {n: 1 + (n in some) for n in rows(dataset)})
    assert first.work(project) == []
    seen = second.work(project)
    assert {task["data"]["garment_id"] for task in seen} == set(some)
    assert not any(task["annotations"] for task in seen)
    pulled(studio)
    assert {row["state"] for row in rows(dataset).values()} == {"done"}
    assert ask_one_more(dataset, some) == set(some)  # a third one may look too
    assert rows(dataset)[some[0]]["overlap"] == 3


def test_blind_tasks_of_the_share_come_to_more_than_two_people(studio) -> None:
    pushed(studio, audit=1.0, overlap=3, overlap_share=0.5)
    found = overlaps(studio, Kind.AUDIT)
    assert found == {name: people_for(name, 3, 0.5) or 2 for name in found}
    assert set(found.values()) == {2, 3}


def test_a_push_that_dies_before_it_asks_several_opens_tasks_again(
    studio, studio_server, people, monkeypatch
) -> None:
    """Somebody may have answered by then what Label Studio takes for done."""

    def die(*args):
        raise StudioDown("the server is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Studio, "set_overlap", die)
        with pytest.raises(StudioDown):
            pushed(studio, limit=3, overlap=2, overlap_share=1.0)
    first, second, _ = team(studio.dataset, studio_server, people, [0.0, 0.0, 0.0])
    project = studio.project(Kind.MAIN)
    assert len(first.work(project)) == 3 and second.work(project) == []
    end = pushed(studio, limit=3)
    assert (end.created, set(overlaps(studio).values())) == (0, {2})
    assert len(second.work(project)) == 3


@pytest.fixture(scope="module")
def answered(studio_server, people, tmp_path_factory):
    """A rehearsal's data set: three people who err answer each garment, and gold among them."""
    from real_studio import borrow
    from standin_taggers import add_garments

    from garments.dataset import Dataset
    from garments.settings import Settings

    folder = studio_server.home.folder / "others" / "team"
    dataset = Dataset.create(folder, Settings(name="team", simulated=True))
    names = add_garments(dataset, GARMENTS + GOLD)
    vouch(dataset, names[GARMENTS:])
    chosen = tmp_path_factory.mktemp("chosen") / "garments.txt"
    chosen.write_text("\n".join(names[:GARMENTS]), encoding="utf-8")
    borrow(dataset, studio_server.home)
    studio = connect(dataset)
    pushed(studio, select=str(chosen), overlap=3, overlap_share=1.0, gold=GOLD / GARMENTS)
    all_work(team(dataset, studio_server, people, list(RATES)), studio.project(Kind.MAIN))
    pulled(studio)
    return dataset


def asked_about(dataset) -> dict[str, dict[str, tuple[str, ...]]]:
    """The truth about the garments that were sent to be labelled."""
    sent = rows(dataset)
    return {garment: truth for garment, truth in truth_of(dataset).items() if garment in sent}


def drawn(dataset, attribute: str, rounds: int = 800):
    """By Monte Carlo, what three people with these error rates answer: (rounds, garments, 3).

    Nothing of the program but its taxonomy is used: answers are numbers of values.
    """
    random = np.random.default_rng(1)
    regions = {r["garment_id"]: r["region"] for r in dataset.catalog.rows("garments").to_pylist()}
    columns = []
    for garment, truth in asked_about(dataset).items():
        values = list(dataset.taxonomy.allowed(attribute, regions[garment]))
        order = list(dataset.taxonomy.attribute(attribute).ids)
        right = order.index(truth[attribute][0])
        wrong = np.array([order.index(value) for value in values if order.index(value) != right])
        errs = random.random((rounds, 3)) < np.array(RATES)
        columns.append(np.where(errs, random.choice(wrong, (rounds, 3)), right))
    return np.stack(columns, 1)


def nominal_alpha(answers) -> float:
    """Krippendorff's, where everybody answered everything with one value: by its definition."""
    size, people = answers.shape
    pairs = [(i, j) for i in range(people) for j in range(i)]
    differ = np.mean([np.mean(answers[:, i] != answers[:, j]) for i, j in pairs])
    counts = np.unique(answers, return_counts=True)[1]
    total = size * people
    return 1 - differ / (1 - (counts * (counts - 1)).sum() / (total * (total - 1)))


def nominal_kappas(first, second):
    """Cohen's of two people's answers (rounds, garments), by its definition."""
    chance = sum((first == n).mean(1) * (second == n).mean(1) for n in range(first.max() + 1))
    return ((first == second).mean(1) - chance) / (1 - chance)


def within(value: float, drawings) -> bool:
    """Whether a figure lies where 99 % of all drawings do."""
    low, high = np.percentile(drawings, [0.5, 99.5])
    return bool(low <= value <= high)


@pytest.mark.parametrize("attribute", ASKED)
def test_kappas_and_alpha_are_those_that_known_error_rates_make(answered, people, attribute):
    [found] = [one for one in figures(answered).agreements if one.attribute == attribute]
    assert (found.overall.garments, found.blind) == (GARMENTS, False)
    simulated = drawn(answered, attribute)
    assert within(found.overall.alpha, [nominal_alpha(one) for one in simulated])
    assert found.fleiss.people == 3
    assert abs(found.fleiss.value - found.overall.alpha) < 0.02  # they differ by 1 / (answers - 1)
    who = {person.email: place for place, person in enumerate(people)}
    assert len(found.pairs) == 3
    for pair in found.pairs:
        first, second = (who[name] for name in pair.people)
        expected = nominal_kappas(simulated[..., first], simulated[..., second])
        assert pair.kappa.garments == GARMENTS and within(pair.kappa.value, expected)
        low, high = pair.kappa.interval
        assert low < pair.kappa.value < high and high - low < 0.6
    low, high = found.overall.alpha_interval
    assert low < found.overall.alpha < high


def test_the_consensus_of_three_is_better_than_each_of_them(answered, people) -> None:
    truth, held = asked_about(answered), people_say_in(answered)
    labels = answered.catalog.rows("labels").to_pylist()
    assert {row["kind"] for row in labels if row["garment_id"] in truth} == {"simulated"}
    said = annotators_answers(labels, truth.keys(), simulated=True)
    hits = dict.fromkeys([person.email for person in people], 0)
    together = 0
    for garment, values in truth.items():
        for name, value in values.items():
            right = frozenset(value)
            together += answer_of(held[garment, name].value) == right
            for who, answer in said[name][garment].items():
                hits[who] += answer == right
    total = GARMENTS * len(ASKED)
    for person, rate in zip(people, RATES, strict=True):
        low, high = binom.interval(0.99, total, 1 - rate)
        assert low <= hits[person.email] <= high
    assert together > max(hits.values())


def test_against_gold_each_is_as_right_as_known_error_rates_make(answered, people) -> None:
    found = {one.annotator: one for one in figures(answered).scores if one.attribute == ALL}
    assert found.keys() == {person.email for person in people}
    for person, rate in zip(people, RATES, strict=True):
        score, answers = found[person.email], GOLD * len(ASKED)
        assert (score.garments, score.answers, score.missing) == (GOLD, answers, 0)
        low, high = binom.interval(0.99, answers, 1 - rate)
        assert low <= score.right <= high
        low, high = score.interval
        assert low < 1 - rate < high
