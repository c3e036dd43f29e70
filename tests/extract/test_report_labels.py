"""Proposed labels on the contact sheet: values, confidence, "don't know", and both orders."""

import re
from pathlib import Path

import numpy as np
import pytest
from standins import PaintDetector, PaintParser, write_streets

from extract.report import write_report
from extract.report.order import PAGE_PHOTOS
from extract.run import RunOptions, run
from garments.dataset import Dataset
from garments.ids import stable_id

DONT_KNOW = "don\N{RIGHT SINGLE QUOTATION MARK}t know"
ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
UNCERTAINTY = re.compile(r'data-uncertainty="([\d.]+)"')


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Some photos, extracted; nothing is proposed yet."""
    return extracted(tmp_path, 12)


@pytest.fixture(scope="module")
def two_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the sheet of seventy photos, each garment with a pattern proposed."""
    dataset = extracted(tmp_path_factory.mktemp("large"), 70)
    random = np.random.default_rng(5)
    said = {row["garment_id"]: {"solid": float(random.uniform(-3, 6))} for row in garments(dataset)}
    propose(dataset, "pattern", said)
    return write_report(dataset).parent


def extracted(folder: Path, photos: int) -> Dataset:
    write_streets(folder / "in", photos)
    dataset = Dataset.create(folder / "data")
    options = RunOptions(workers=2, batch=8)
    list(
        run(dataset, [str(folder / "in")], options, detector=PaintDetector(), parser=PaintParser())
    )
    return dataset


def garments(dataset: Dataset) -> list[dict]:
    columns = ["garment_id", "crop_sha", "photo_id", "region", "seq"]
    return dataset.catalog.active_garments(columns=columns).sort_by("seq").to_pylist()


def propose(
    dataset: Dataset,
    attribute: str,
    values: dict[str, dict[str, float]],
    model: str = "starter",
    activation: str = "softmax",
) -> None:
    """Let a tagger say the logits in `values`, by garment and value; -4 for all other values."""
    ids = dataset.taxonomy.values(attribute)
    crops = {row["garment_id"]: row["crop_sha"] for row in garments(dataset)}
    rows = [
        {
            "proposal_id": stable_id("proposal", garment, crops[garment], attribute, model),
            "garment_id": garment,
            "crop_sha": crops[garment],
            "attribute": attribute,
            "tagger": stable_id("tagger", model, attribute),
            "model": model,
            "weights_hash": "w",
            "vocabulary_hash": dataset.taxonomy.vocabulary_hash(attribute),
            "prompt_version": "",
            "crop_preparation": "grey",
            "activation": activation,
            "logits": [said.get(value, -4.0) for value in ids],
        }
        for garment, said in values.items()
    ]
    dataset.catalog.add("proposals", rows)


def calibrate(dataset: Dataset, attribute: str, threshold: float, model: str = "starter") -> None:
    row = {
        "calibration_id": stable_id("calibration", model, attribute),
        "tagger": stable_id("tagger", model, attribute),
        "attribute": attribute,
        "temperature": 1.0,
        "bias": 0.0,
        "threshold": threshold,
        "items": 100,
        "source": "labels",
        "details": "{}",
    }
    dataset.catalog.add("calibrations", [row])


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def article_of(page: str, garment_id: str) -> str:
    (found,) = (card for card in ARTICLE.findall(page) if garment_id in card)
    return found


def item_of(page: str, garment_id: str) -> str:
    return page.partition(f'title="{garment_id}')[2].partition("</li>")[0]


def test_values_are_shown_in_words_with_their_confidence(dataset: Dataset) -> None:
    upper = next(row for row in garments(dataset) if row["region"] == "upper")["garment_id"]
    propose(dataset, "category", {upper: {"t-shirt": 6.0, "shirt": 4.0}})
    propose(dataset, "pattern", {upper: {"striped": 9.0}})
    shown = item_of(text(write_report(dataset)), upper)
    assert "T-shirt" in shown and "Striped" in shown
    assert "88 %" in shown  # 1 / (1 + e^-2), and a little for the others
    assert DONT_KNOW not in shown
    assert shown.index("T-shirt") < shown.index("Striped")


def test_who_abstains_says_so_and_what_the_guess_was(dataset: Dataset) -> None:
    upper = next(row for row in garments(dataset) if row["region"] == "upper")["garment_id"]
    propose(dataset, "category", {upper: {"t-shirt": 6.0, "shirt": 5.9}})
    calibrate(dataset, "category", threshold=0.8)
    page = text(write_report(dataset))
    shown = item_of(page, upper)
    assert DONT_KNOW in shown
    assert "would have guessed T-shirt" in shown
    assert ">T-shirt<" not in shown
    assert 'data-facet="unsure"' in page
    assert "unsure" in article_of(page, upper).partition(">")[0]


def test_colors_have_swatches_and_disagreement_is_told(dataset: Dataset) -> None:
    first, second = (row["garment_id"] for row in garments(dataset)[:2])
    rule = {"navy": 3.0, "white": 1.0}
    propose(dataset, "color", {first: rule, second: rule}, "rule:color", "sigmoid")
    propose(dataset, "color", {first: {"red": 9.0}, second: {"navy": 9.0}}, "starter")
    page = text(write_report(dataset))
    differing, agreeing = item_of(page, first), item_of(page, second)
    assert re.search(r"Navy,\s+<i class=\"dot\" style=\"background:#\w{6}\"></i>White", differing)
    assert re.search(r"starter: .*Red", differing)
    assert "starter" not in agreeing
    assert 'data-facet="disputed"' in page


def test_the_least_certain_come_first_on_their_own_pages(two_pages: Path) -> None:
    names = [("index.html", "page-2.html"), ("uncertain.html", "uncertain-2.html")]
    as_extracted, uncertain = (
        [card for name in order for card in ARTICLE.findall(text(two_pages / name))]
        for order in names
    )
    assert len(as_extracted) == len(uncertain) == 70
    worst = list(map(least_certain, uncertain))
    assert worst == sorted(worst, reverse=True)
    assert worst[0] > worst[PAGE_PHOTOS] > 0
    for card in uncertain:  # within a photo too
        found = list(map(float, UNCERTAINTY.findall(card)))
        assert found == sorted(found, reverse=True)
    assert list(map(least_certain, as_extracted)) != worst


def least_certain(card: str) -> float:
    return max(map(float, UNCERTAINTY.findall(card)), default=-1.0)


def test_each_order_leads_to_the_other_and_to_its_own_pages(two_pages: Path) -> None:
    first, second = text(two_pages / "index.html"), text(two_pages / "uncertain-2.html")
    assert 'href="uncertain.html"' in first and 'href="page-2.html"' in first
    assert 'href="index.html"' in second and 'href="uncertain.html"' in second
    assert 'href="page-' not in second


def test_coverage_of_the_data_set_is_counted(dataset: Dataset) -> None:
    ids = [row["garment_id"] for row in garments(dataset)]
    propose(dataset, "pattern", {name: {"solid": 9.0} for name in ids[:6]})
    propose(dataset, "pattern", {name: {} for name in ids[6:8]})
    calibrate(dataset, "pattern", threshold=0.5)
    page = text(write_report(dataset))
    bar = re.search(r'class="bar label-pattern">.*?</div>', page, re.DOTALL)
    assert bar is not None
    assert "width:75.0%" in bar.group() and "<b>6</b>" in bar.group()


def test_whoever_spoke_is_named_with_the_limit_and_what_it_was_fitted_on(dataset: Dataset) -> None:
    (first, *_) = (row["garment_id"] for row in garments(dataset))
    propose(dataset, "pattern", {first: {"solid": 9.0}}, "hf:patrickjohncyh/fashion-clip")
    propose(dataset, "style", {first: {"casual": 9.0}})
    calibrate(dataset, "style", threshold=0.55)
    page = text(write_report(dataset))
    rows = re.findall(r"<tr><th scope=\"row\">(\w+)</th><td><code>(.*?)</tr>", page)
    told = {title: re.sub(r"<.*?>", " ", rest) for title, rest in rows}
    assert "fashion-clip" in told["Pattern"] and "never" in told["Pattern"]
    assert "not fitted" in told["Pattern"]
    assert "starter" in told["Style"] and "55 %" in told["Style"]
    assert "fitted on 100 labels" in told["Style"]


def test_a_garment_that_nobody_has_seen_says_so(dataset: Dataset) -> None:
    first, second = (row["garment_id"] for row in garments(dataset)[:2])
    propose(dataset, "pattern", {first: {"solid": 9.0}})
    page = text(write_report(dataset))
    assert "no label proposed yet" in item_of(page, second)


def test_without_proposals_there_is_one_order(dataset: Dataset) -> None:
    page = write_report(dataset)
    assert "uncertain" not in text(page)
    assert not page.with_name("uncertain.html").exists()


def test_pages_of_an_order_that_is_gone_are_removed(dataset: Dataset) -> None:
    page = write_report(dataset)
    for name in ("uncertain.html", "uncertain-2.html", "uncertain-notes.html"):
        page.with_name(name).write_text("earlier")
    write_report(dataset)
    assert not page.with_name("uncertain.html").exists()
    assert not page.with_name("uncertain-2.html").exists()
    assert page.with_name("uncertain-notes.html").exists()  # not ours


def test_words_of_a_taxonomy_cannot_break_out(tmp_path: Path) -> None:
    dataset = extracted(tmp_path, 1)
    own = dataset.folder / "taxonomy.toml"
    own.write_text(text(own).replace('title = "Striped"', 'title = "<script>alert(1)</script>"'))
    dataset = Dataset.open(dataset.folder)
    (first, *_) = garments(dataset)
    propose(dataset, "pattern", {first["garment_id"]: {"striped": 9.0}})
    page = text(write_report(dataset))
    assert "&lt;script&gt;alert(1)" in page
    assert page.count("<script>") == 1
