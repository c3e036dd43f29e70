"""Lists of suspects and of duplicate groups: what is in them, their files, pages and commands."""

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from curate.findings.duplicates import COPIES, NEAR, duplicate_report
from curate.findings.suspects import list_suspects
from curate.split.make import split
from curate.split.parts import Part
from curate.split.record import newest_split, split_rows
from garmentloop.cli import app
from garments.answers import value_of
from garments.dataset import Dataset
from garments.ids import stable_id
from tests.curate.wardrobe import altered, embed, scene, wear

COLORS = ("red", "blue", "green")
WRONG = {(0, "color"), (1, "pattern"), (32, "pattern"), (63, "pattern")}


def name_of(at: int) -> str:
    return stable_id("garment", at)


def said(garment: str, attribute: str, *values: str, who: str = "ann") -> dict[str, str]:
    row = {"label_id": stable_id(garment, attribute, values, who), "garment_id": garment}
    row |= {"attribute": attribute, "value": value_of(values), "kind": "annotator"}
    return row | {"annotator": who}


def label(dataset: Dataset, *what: str) -> None:
    dataset.catalog.add("labels", [said(*what)])


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["curate", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def worn(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """90 garments of three colors and two patterns, each told by its vector; `WRONG` are wrong."""
    dataset = Dataset.create(tmp_path_factory.mktemp("findings") / "d")
    for first in range(0, 90, 3):
        crops = {name_of(at): scene(at, 32, 48) for at in range(first, first + 3)}
        wear(dataset, f"p{first}", scene(first, 32, 48), crops)
    vectors = np.random.default_rng(0).normal(size=(90, 8)) * 0.1
    rows = []
    for at in range(90):
        vectors[at, at % 3] += 1
        vectors[at, 3 + at % 2] += 1
        color = COLORS[(at + ((at, "color") in WRONG)) % 3]
        pattern = ("solid", "striped")[(at + ((at, "pattern") in WRONG)) % 2]
        rows.append(said(name_of(at), "color", color, who="ann" if at % 2 else "bob"))
        rows.append(said(name_of(at), "pattern", pattern, who="cleo"))
    embed(dataset, {name_of(at): vectors[at] for at in range(90)})
    dataset.catalog.add("labels", rows)
    return dataset


def test_wrong_labels_of_several_attributes_lead_one_ranking(worn):
    found = list_suspects(worn, least=0.0)
    first = [(one.suspect.garment_id, one.suspect.attribute) for one in found.listed[:4]]
    assert set(first) == {(name_of(at), attribute) for at, attribute in WRONG}
    assert {one.who for one in found.listed[:4]} == {"bob", "cleo"}
    assert found.judged["color"] == found.judged["pattern"] == 90 == found.labels["color"]
    assert found.unjudged["style"] == "no labels by people, and 30 are needed"
    only = list_suspects(worn, "pattern", least=0.0)
    assert {one.suspect.attribute for one in only.listed} == {"pattern"}
    assert list(only.judged) == ["pattern"] and not only.unjudged


def test_the_command_lists_writes_and_shows(worn, tmp_path):
    code, text = run("suspects", "-d", worn.folder, "--out", tmp_path / "s.csv", "--page")
    assert code == 0, text
    rows = read(tmp_path / "s.csv")
    assert len(rows) >= 3
    assert {(row["garment_id"], row["attribute"]) for row in rows} <= {
        (name_of(at), attribute) for at, attribute in WRONG
    }
    assert f"{len(rows)} of 180 labels that were judged are listed" in text
    assert "not judged: style: no labels by people" in text
    wrong = next(row for row in rows if row["attribute"] == "color")
    assert wrong["garment_id"] == name_of(0) and wrong["said"] == "blue" and wrong["who"] == "bob"
    assert wrong["likely"] == "red" and 0.6 <= float(wrong["score"]) <= 1
    assert (worn.folder / wrong["crop"]).is_file()
    page = (worn.reports / "suspects.html").read_text()
    assert page.count("<article>") == len(rows) and f'src="../{wrong["crop"]}"' in page


def test_ids_of_the_first_go_to_push(worn, tmp_path):
    from annotate.studio.choose import named_garments

    code, text = run("suspects", "-d", worn.folder, "--limit", 5, "-o", tmp_path / "ids.txt")
    assert code == 0, text
    ids = named_garments(tmp_path / "ids.txt")
    assert set(ids[:4]) == {name_of(at) for at, _ in WRONG} and len(ids) == 5


def test_what_cannot_be_done_is_said_before_anything_is_judged(worn, tmp_path):
    code, text = run("suspects", "-d", worn.folder, "--out", tmp_path / "s.parquet")
    assert code == 1 and "expected a file that ends in .csv (a table) or .txt" in text
    code, text = run("suspects", "-d", worn.folder, "--attribute", "colour")
    assert code == 1 and "colour" in text and "color" in text
    code, text = run("suspects", "-d", tmp_path / "nowhere")
    assert code == 1 and "nowhere" in text
    (tmp_path / "file").write_text("")
    code, text = run("duplicates", "-d", worn.folder, "--out", tmp_path / "file" / "s.csv")
    assert code == 1 and "expected to write" in text


def test_who_was_turned_down_is_in_no_list(worn, tmp_path):
    import shutil

    shutil.copytree(worn.folder, tmp_path / "d")
    dataset = Dataset.open(tmp_path / "d")
    row = {"decision_id": "d", "garment_id": name_of(0), "kind": "excluded", "who": "cur"}
    dataset.catalog.add("decisions", [row])
    listed = [one.suspect.garment_id for one in list_suspects(dataset).listed]
    assert name_of(0) not in listed and len(listed) >= 2


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "d")


@pytest.fixture
def copied(dataset) -> Dataset:
    """Photo 1 and its brighter copy, with two regions each; photos 2 to 41 are like nothing."""
    wear(dataset, "p01", scene(1), {"a1-up": scene(51), "a1-low": scene(52)})
    brighter = altered(scene(1), "brighter")
    wear(dataset, "p99", brighter, {"b1-up": scene(53), "b1-low": scene(54)})
    ids = ["a1-up", "a1-low", "b1-up", "b1-low"]
    for at in range(2, 42):
        wear(dataset, f"p{at:02}", scene(at, 64, 96), {f"g{at:02}": scene(100 + at, 32, 48)})
        ids.append(f"g{at:02}")
    vectors = np.random.default_rng(0).normal(size=(len(ids), 32))
    vectors[-1] = vectors[-2] + 0.05
    embed(dataset, dict(zip(ids, vectors, strict=True)))
    return dataset


def test_a_group_tells_its_photos_and_where_labels_contradict_each_other(copied):
    label(copied, "a1-up", "color", "red")
    label(copied, "b1-up", "color", "blue")
    label(copied, "a1-low", "color", "red")
    label(copied, "b1-low", "color", "red")
    (group,) = duplicate_report(copied)
    assert group.kind == COPIES and group.photos == ["p01", "p99"] and len(group.garments) == 4
    (differs,) = group.contradictions
    assert differs.answers == {"blue": ["b1-up"], "red": ["a1-up"]}
    assert str(differs) == "upper: color is blue (1) and red (1)"
    label(copied, "b1-up", "color", "red")
    assert duplicate_report(copied)[0].contradictions == ()


def test_two_of_one_region_in_a_photo_may_differ(dataset):
    crops = {"a-up": scene(51), "b-up": scene(52)}
    wear(dataset, "p1", scene(1), crops)
    wear(dataset, "p2", scene(1), {"c-up": scene(53), "d-up": scene(54)})
    for garment, color in zip(("a-up", "b-up", "c-up", "d-up"), COLORS * 2, strict=False):
        label(dataset, garment, "color", color)
    (group,) = duplicate_report(dataset)
    assert len(group.garments) == 4 and group.contradictions == ()


def test_near_groups_are_listed_when_asked_for_and_copies_only_once(copied):
    assert [group.kind for group in duplicate_report(copied)] == [COPIES]
    copies, near = duplicate_report(copied, near=True)
    assert copies.kind == COPIES and near.kind == NEAR
    assert [row.garment_id for row in near.garments] == ["g40", "g41"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("compressed", True),
        ("smaller", True),
        ("trimmed", True),
        ("brighter", True),
        ("mirrored", False),
        ("half", False),
    ],
)
def test_a_planted_pair_stays_together_in_the_split_if_it_is_found(dataset, change, found):
    """What is not found is told in the help of `curate duplicates`: mirrored, cropped by half."""
    picture = scene(1)
    changes = {"mirrored": lambda p: p[:, ::-1], "half": lambda p: p[: len(p) // 2]}
    copy = np.ascontiguousarray(changes[change](picture)) if change in changes else None
    wear(dataset, "p00", picture, {"g00": scene(50)})
    wear(dataset, "p01", altered(picture, change) if copy is None else copy, {"g01": scene(51)})
    for at in range(2, 22):
        wear(dataset, f"p{at:02}", scene(at, 64, 96), {f"g{at:02}": scene(100 + at, 32, 48)})
    rows = [said(f"g{at:02}", "color", COLORS[at % 3]) for at in range(22)]
    dataset.catalog.add("labels", rows)
    assert bool(duplicate_report(dataset)) == found
    drawn = split(dataset)
    groups = {garment: drawn.given[garment].group for garment in ("g00", "g01")}
    assert (groups["g00"] == groups["g01"]) == found
    if found:
        assert drawn.given["g00"].part == drawn.given["g01"].part


def test_copies_on_both_sides_of_the_split_are_a_warning(copied):
    code, text = run("duplicates", "-d", copied.folder)
    assert code == 0 and "copies: none of them is in the split yet" in text
    label(copied, "a1-up", "color", "red")
    rows = [said(f"g{at:02}", "color", COLORS[at % 3]) for at in range(2, 42)]
    copied.catalog.add("labels", rows)
    split(copied)
    code, text = run("duplicates", "-d", copied.folder, "--page")
    assert code == 0 and "copies: none lies in two parts of the split" in text
    assert "p99" in (copied.reports / "duplicates.html").read_text()
    given = newest_split(copied)["a1-up"]
    forged = {"a1-up": type(given)(Part.TEST, "x"), "b1-up": type(given)(Part.TRAIN, "y")}
    copied.catalog.add("splits", split_rows("forged", forged))
    code, text = run("duplicates", "-d", copied.folder)
    assert code == 0 and "warning: 1 groups of copies lie in two parts of the split" in text


def test_the_file_has_a_line_for_each_garment(copied, tmp_path):
    label(copied, "a1-up", "color", "red")
    label(copied, "b1-up", "color", "blue")
    code, text = run("duplicates", "-d", copied.folder, "--near", "-o", tmp_path / "d.csv")
    assert code == 0, text
    rows = {row["garment_id"]: row for row in read(tmp_path / "d.csv")}
    assert list(rows) == ["a1-low", "b1-low", "a1-up", "b1-up", "g40", "g41"]
    assert rows["a1-up"]["contradicts"] == "color" and not rows["a1-low"]["contradicts"]
    assert "copies: 1 groups on 2 photos, 1 with labels that contradict each other" in text


def test_nothing_is_found_in_an_empty_data_set(dataset):
    assert duplicate_report(dataset, near=True) == []
    code, text = run("suspects", "-d", dataset.folder, "--page")
    assert code == 0 and "0 of 0 labels that were judged are listed" in text
    assert "No label is suspicious" in (dataset.reports / "suspects.html").read_text()
    code, text = run("duplicates", "-d", dataset.folder)
    assert code == 0 and "copies: 0 groups on 0 photos" in text
