"""The annotators' page: definitions, examples of what people and taggers said, look-alikes."""

import re

import pytest
from standin_taggers import PixelTagger, add_garments
from typer.testing import CliRunner

from annotate.guidelines import PAGE, choose_examples, keep_guidelines, write_guidelines
from annotate.lookalikes import look_alikes
from annotate.prelabel import prelabel
from garmentloop.cli import app
from garments.dataset import Dataset
from garments.errors import DatasetError
from garments.proposals import readings
from garments.taxonomy import Attribute, Taxonomy, Value

DEFAULT = Taxonomy.default()


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    dataset = Dataset.create(tmp_path / "data", name="street <7>")
    add_garments(dataset, 9)
    return dataset


def label(dataset, garment, attribute, value, **more):
    row = {
        "label_id": f"{garment}{attribute}",
        "garment_id": garment,
        "attribute": attribute,
        "value": value,
        "kind": "annotator",
        "annotator": "ann",
        "vocabulary_hash": dataset.taxonomy.vocabulary_hash(attribute),
    }
    dataset.catalog.add("labels", [row | more])


def ids(dataset):
    return dataset.catalog.active_garments(columns=["garment_id"]).column(0).to_pylist()


def test_every_definition_is_there(dataset):
    page = write_guidelines(dataset)
    text = page.path.read_text(encoding="utf-8")
    assert page.path == dataset.folder / PAGE and page.shown == 0
    for attribute in dataset.taxonomy.attributes:
        assert attribute.title in text
        assert all(f'id="{category(attribute)}-{v.id}"' in text for v in attribute.values)
    assert page.values == sum(len(a.values) for a in dataset.taxonomy.attributes)
    assert "street &lt;7&gt;" in text and "Skin-tight stretch trousers" in text


def category(attribute):
    """Sub-categories are shown under their categories."""
    return attribute.parent or attribute.id


def test_nothing_comes_from_elsewhere(dataset):
    label(dataset, ids(dataset)[0], "color", '["red"]')
    text = write_guidelines(dataset).path.read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert sources and all(source.startswith(("data:image/jpeg", "#")) for source in sources)
    assert "<script" not in text and "url(" not in text


def test_people_go_before_taggers(dataset, monkeypatch):
    monkeypatch.setattr("annotate.guidelines.SURE", 0.0)
    list(prelabel(dataset, taggers=[PixelTagger(dataset.taxonomy)]))
    garment, value = next(
        (garment, said["style"].values[0])
        for garment, said in readings(dataset).items()
        if not said["style"].abstained
    )
    other = next(one for one in ids(dataset) if one != garment)
    label(dataset, other, "style", f'["{value}"]')
    found = choose_examples(dataset, 9)["style", value]
    assert (found[0].garment_id, found[0].checked) == (other, True)
    assert garment in [one.garment_id for one in found if not one.checked]
    assert len({one.crop_sha for one in found}) == len(found)


@pytest.mark.parametrize("sure", [0.2, 0.3, 1.01])
def test_unsure_proposals_are_no_examples(dataset, monkeypatch, sure):
    monkeypatch.setattr("annotate.guidelines.SURE", sure)
    list(prelabel(dataset, taggers=[PixelTagger(dataset.taxonomy)]))
    found = choose_examples(dataset, 9)
    said = readings(dataset)
    assert bool(found) == (sure < 1)
    for (attribute, value), examples in found.items():
        for one in examples:
            reading = said[one.garment_id][attribute]
            assert reading.confidence >= sure and reading.values[0] == value


@pytest.mark.parametrize("why", ["audit", "bad_crop", "excluded", "not_visible", "withdrawn"])
def test_what_is_left_out(dataset, why):
    garment = ids(dataset)[0]
    label(dataset, garment, "color", "not_visible" if why == "not_visible" else '["red"]')
    if why == "audit":
        task = {"task_id": "t", "garment_id": garment, "audit": True, "state": "created"}
        dataset.catalog.put("tasks", [task | {"round": "r", "shown": "{}", "crop_sha": "x"}])
    elif why == "withdrawn":
        label(dataset, garment, "color", "", label_id="w", withdraws=f"{garment}color")
    elif why != "not_visible":
        decision = {"decision_id": "d", "garment_id": garment, "kind": why, "who": "ann"}
        dataset.catalog.add("decisions", [decision])
    assert choose_examples(dataset, 3) == {}


def test_a_decision_that_was_taken_back(dataset):
    garment = ids(dataset)[0]
    label(dataset, garment, "color", '["red"]')
    decision = {"garment_id": garment, "kind": "bad_crop", "who": "ann"}
    back = decision | {"decision_id": "e", "withdraws": "d"}
    dataset.catalog.add("decisions", [decision | {"decision_id": "d"}, back])
    assert ("color", "red") in choose_examples(dataset, 3)


def test_a_crop_that_is_gone_or_damaged_is_passed_over(dataset):
    first, second, third = ids(dataset)[:3]
    for garment in (first, second, third):
        label(dataset, garment, "color", '["red"]')
    rows = dataset.catalog.active_garments(columns=["garment_id", "crop_sha"]).to_pylist()
    crops = {row["garment_id"]: row["crop_sha"] for row in rows}
    dataset.crop_path(crops[first]).unlink()
    dataset.crop_path(crops[second]).write_bytes(b"no picture")
    text = write_guidelines(dataset, examples=1).path.read_text(encoding="utf-8")
    assert text.count('title="labelled by a person"') >= 1
    assert write_guidelines(dataset, examples=0).shown == 0


def test_twice_is_the_same_page(dataset):
    list(prelabel(dataset, taggers=[PixelTagger(dataset.taxonomy)]))
    first = write_guidelines(dataset).path.read_bytes()
    assert write_guidelines(dataset).path.read_bytes() == first


def test_no_room(dataset):
    (dataset.folder / PAGE).parent.parent.mkdir(parents=True)
    (dataset.folder / PAGE).parent.write_text("in the way")
    with pytest.raises(DatasetError, match=r"expected to write .*run the same command again"):
        write_guidelines(dataset)


def test_the_command(dataset):
    arguments = ["annotate", "guidelines", "-d", str(dataset.folder), "--examples", "1"]
    result = CliRunner().invoke(app, arguments)
    said = result.stdout
    assert result.exit_code == 0, result.output
    assert "239 values, 0 with examples" in said and "index.html" in said.replace("\n", "")


class TestLookAlikes:
    def pairs(self, name):
        return {(a.id, b.id) for a, b in look_alikes(DEFAULT.attribute(name))}

    def test_shades_that_touch(self):
        assert {("black", "navy"), ("white", "cream")} <= self.pairs("color")
        assert ("black", "yellow") not in self.pairs("color")

    def test_definitions_that_name_or_resemble_another(self):
        assert {("trousers", "jeans"), ("jacket", "coat"), ("shoes", "boots")} <= self.pairs(
            "category"
        )

    def test_values_that_never_meet(self):
        """A shirt dress is no shirt: another region; nor do kinds of different categories meet."""
        for one, other in look_alikes(DEFAULT.attribute("sub_category")):
            assert one.parent == other.parent
        for one, other in look_alikes(DEFAULT.attribute("category")):
            assert set(one.regions) & set(other.regions)

    def test_values_without_definitions(self):
        values = tuple(Value(id=i, title=i) for i in ("a", "b"))
        assert look_alikes(Attribute(id="x", title="X", values=values)) == []


def test_the_page_is_kept_as_long_as_the_taxonomy_holds(tmp_path):
    dataset = Dataset.create(tmp_path / "d")
    keep_guidelines(dataset)
    page = dataset.folder / PAGE
    assert "T-shirt" in page.read_text()
    page.write_text(page.read_text() + "<!-- mine -->")
    keep_guidelines(dataset)
    assert "mine" in page.read_text()
    path = dataset.folder / "taxonomy.toml"
    path.write_text(path.read_text().replace('title = "T-shirt"', 'title = "Tee"'))
    keep_guidelines(Dataset.open(dataset.folder))
    assert "mine" not in page.read_text() and "Tee" in page.read_text()
