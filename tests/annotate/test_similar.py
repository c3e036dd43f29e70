"""Finding what looks alike: a garment's neighbours, a picture's, and the page of both."""

import re

import numpy as np
import pytest
from standin_taggers import PixelTagger, SecondOpinion, add_garments

from annotate.prelabel import PrelabelOptions, prelabel
from annotate.similar import similar
from annotate.similar_page import write_similar
from garments.catalog.rows import garment_from_row, retire_row
from garments.dataset import Dataset
from garments.errors import BadImage, BadInput, UnfitModel
from garments.ids import content_id

COUNT = 30


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    """A data set whose tagger is `pixels`, and thirty garments that it has seen."""
    made = Dataset.create(tmp_path / "data")
    made.change({"models.tagger": "pixels"})
    add_garments(made, COUNT)
    tag(made)
    return made


def tag(dataset, **options) -> None:
    taggers = [PixelTagger(dataset.taxonomy, **options), SecondOpinion(dataset.taxonomy)]
    for _ in prelabel(dataset, PrelabelOptions(), taggers):
        pass


def rows_of(dataset) -> dict[str, dict]:
    return {row["garment_id"]: row for row in dataset.catalog.rows("garments").to_pylist()}


def true_order(dataset, garment: str) -> list[str]:
    """All garments by the cosine with `garment`, computed at once."""
    kept = dataset.catalog.embeddings("pixels@w1+keep")
    cosines = kept.vectors @ kept.vectors[kept.garment_ids.index(garment)]
    return [kept.garment_ids[index] for index in np.argsort(-cosines)]


def found_ids(found) -> list[str]:
    return [one.garment_id for one in found.neighbours]


def test_neighbours_of_a_garment_are_the_nearest_without_itself(dataset):
    garment = sorted(rows_of(dataset))[4]
    found = similar(dataset, garment, 10)
    assert found.garment.garment_id == garment
    assert (
        found_ids(found) == [name for name in true_order(dataset, garment) if name != garment][:10]
    )
    similarities = [one.similarity for one in found.neighbours]
    assert similarities == sorted(similarities, reverse=True)


def test_more_than_there_are(dataset):
    assert len(similar(dataset, sorted(rows_of(dataset))[0], 500).neighbours) == COUNT - 1


def test_retired_garments_and_earlier_crops_are_no_neighbours(dataset):
    rows = rows_of(dataset)
    garment = sorted(rows)[0]
    order = [name for name in true_order(dataset, garment) if name != garment]
    gone = [retire_row(garment_from_row(rows[name]), "c") for name in order[:20]]
    dataset.catalog.add("extractions", gone)
    again = {**rows[order[20]], "crop_sha": "another"}
    dataset.catalog.put("garments", [again])
    assert found_ids(similar(dataset, garment, 3)) == order[21:24]


def test_a_picture_is_embedded_on_the_fly(dataset, tmp_path):
    garment = sorted(rows_of(dataset))[7]
    picture = tmp_path / "coat.jpg"
    picture.write_bytes(dataset.crop_path(rows_of(dataset)[garment]["crop_sha"]).read_bytes())
    found = similar(dataset, str(picture), 5, tagger=PixelTagger(dataset.taxonomy))
    assert found_ids(found) == true_order(dataset, garment)[:5]
    assert found.neighbours[0].similarity == pytest.approx(1, abs=1e-5)
    assert found.key == content_id(picture.read_bytes()) and found.title == "coat.jpg"


def test_the_newest_embeddings_of_the_tagger_count(dataset):
    tag(dataset, weights="w2")
    garment = sorted(rows_of(dataset))[0]
    assert similar(dataset, garment).model == "pixels@w2+keep"
    tag(dataset, reference="other")
    assert similar(dataset, garment).model == "pixels@w2+keep"
    assert similar(dataset, garment, model="other").model == "other@w1+keep"


def test_a_garment_that_only_an_earlier_version_saw_is_found_by_it(dataset):
    (late,) = add_garments(dataset, 1, first=COUNT)
    tagger = PixelTagger(dataset.taxonomy)
    for _ in prelabel(dataset, PrelabelOptions(only_new=True), [tagger]):
        pass
    with pytest.raises(BadInput, match=r"by another, but there is none yet.*garmentloop prelabel"):
        similar(dataset, late, model="another")
    assert len(similar(dataset, late, 3).neighbours) == 3


def test_what_is_neither_garment_nor_picture_is_named(dataset, tmp_path):
    with pytest.raises(BadInput, match=r"'nothing' is neither.*garmentloop export garments"):
        similar(dataset, "nothing")
    (tmp_path / "text.jpg").write_text("words")
    with pytest.raises(BadImage, match="expected a picture"):
        similar(dataset, str(tmp_path / "text.jpg"), tagger=PixelTagger(dataset.taxonomy))


def test_a_tagger_without_embeddings_or_of_another_version_says_so(dataset, tmp_path):
    crop = next(iter(rows_of(dataset).values()))["crop_sha"]
    picture = str(dataset.crop_path(crop))
    newer = PixelTagger(dataset.taxonomy, weights="w3")
    with pytest.raises(BadInput, match=r"embeddings by pixels as it is now.*garmentloop prelabel"):
        similar(dataset, picture, tagger=newer)
    blind = PixelTagger(dataset.taxonomy, size=0)
    with pytest.raises(UnfitModel, match="pixels has none"):
        similar(dataset, picture, tagger=blind)


def test_the_page_shows_each_crop_and_moves_with_the_data_set(dataset, tmp_path):
    garment = sorted(rows_of(dataset))[2]
    found = similar(dataset, garment, 6)
    page = write_similar(dataset, found)
    text = page.read_text(encoding="utf-8")
    assert page == dataset.reports / "similar" / f"{garment}.html"
    sources = re.findall(r'<img src="([^"]+)"', text)
    assert len(sources) == 7
    dataset.folder.rename(tmp_path / "moved")
    moved = tmp_path / "moved" / "report" / "similar"
    assert all((moved / source).resolve().is_file() for source in sources)
    assert "http" not in text.replace("http://www.w3.org", "")
    for one in found.neighbours:
        assert one.garment_id in text and f"{one.similarity:.2f}" in text


def test_the_page_tells_what_is_proposed_and_leads_on(dataset):
    first, second = sorted(rows_of(dataset))[:2]
    assert "href=" not in write_similar(dataset, similar(dataset, first, COUNT)).read_text()
    text = write_similar(dataset, similar(dataset, second, COUNT)).read_text(encoding="utf-8")
    assert re.findall(r'href="(\w+)\.html"', text) == [second, first] or f'"{first}.html"' in text
    titles = {value.title for a in dataset.taxonomy.attributes for value in a.values}
    shown = re.findall(r'class="labels">([^<]+)<', text)
    assert shown
    words = {word for line in shown for part in line.split(" · ") for word in part.split(" &amp; ")}
    assert words <= titles


def test_the_page_about_a_picture_carries_it_along(dataset, tmp_path):
    picture = tmp_path / 'a "coat" <b>.jpg'
    crop = next(iter(rows_of(dataset).values()))["crop_sha"]
    picture.write_bytes(dataset.crop_path(crop).read_bytes())
    found = similar(dataset, str(picture), 2, tagger=PixelTagger(dataset.taxonomy))
    picture.unlink()
    text = write_similar(dataset, found).read_text(encoding="utf-8")
    assert "data:image/jpeg;base64," in text
    assert "<b>.jpg" not in text and "&lt;b&gt;" in text


def test_nothing_else_is_there(tmp_path):
    lonely = Dataset.create(tmp_path / "lonely")
    lonely.change({"models.tagger": "pixels"})
    (garment,) = add_garments(lonely, 1)
    tag(lonely)
    page = write_similar(lonely, similar(lonely, garment))
    assert "no other garment" in page.read_text(encoding="utf-8")
