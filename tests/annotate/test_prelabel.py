"""Proposing labels: what is asked, what is kept, what a second run does, bad input."""

import numpy as np
import pytest
from standin_taggers import SIZE, PixelTagger, SecondOpinion, add_garments

from annotate.options import Plan, PrelabelOptions, PrelabelProgress
from annotate.prelabel import plan, prelabel
from annotate.record import embedding_model
from garments.catalog.rows import garment_from_row, retire_row
from garments.dataset import Dataset
from garments.errors import BadTaxonomy, ModelError, UnknownModel
from garments.ids import stable_id
from garments.status import status
from garments.tagger import Tags

NECKLINE = """
[[attributes]]
id = "neckline"
title = "Neckline"
templates = ["a photo of a {} neckline"]
regions = ["upper", "whole"]
values = [{ id = "round", title = "Round" }, { id = "v-neck", title = "V" }]
"""


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return Dataset.create(tmp_path / "data")


def run(dataset, *taggers, **options) -> PrelabelProgress:
    taggers = taggers or (PixelTagger(dataset.taxonomy), SecondOpinion(dataset.taxonomy))
    *_, last = prelabel(dataset, PrelabelOptions(batch=4, **options), taggers)
    return last


def proposals(dataset, where=None):
    return dataset.catalog.rows("proposals", where=where).to_pylist()


def with_neckline(dataset) -> Dataset:
    """The data set with one more attribute in its taxonomy file, and nothing else."""
    path = dataset.folder / "taxonomy.toml"
    path.write_text(path.read_text(encoding="utf-8") + NECKLINE, encoding="utf-8")
    return Dataset.open(dataset.folder)


def test_every_tagger_says_its_word_about_every_garment(dataset):
    ids = add_garments(dataset, 10)
    attributes = [a.id for a in dataset.taxonomy.attributes]
    end = run(dataset)
    made = 10 * (len(attributes) + 1)
    assert end == PrelabelProgress(tagged=10, proposals=made, total=10)
    rows = proposals(dataset)
    assert len(rows) == made
    assert {(row["garment_id"], row["attribute"]) for row in rows} == {
        (garment, attribute) for garment in ids for attribute in attributes
    }
    color = {row["activation"] for row in rows if row["model"] == "rule:color"}
    assert color == {"sigmoid"}


def test_a_proposal_keeps_raw_logits_and_the_whole_version(dataset):
    (garment,) = add_garments(dataset, 1)
    tagger = PixelTagger(dataset.taxonomy)
    run(dataset, tagger)
    (row,) = proposals(dataset, "attribute = 'color'")
    version = tagger.version("color")
    assert row["proposal_id"] == stable_id(
        "proposal", garment, row["crop_sha"], "color", version.id
    )
    assert row["tagger"] == version.id
    names = ("model", "weights_hash", "vocabulary_hash", "prompt_version", "crop_preparation")
    assert [row[name] for name in names] == [getattr(version, name) for name in names]
    assert len(row["logits"]) == len(dataset.taxonomy.values("color"))
    assert not np.isclose(np.sum(row["logits"]), 1), "raw, not probabilities"


def test_the_same_version_never_writes_twice(dataset):
    add_garments(dataset, 7)
    run(dataset)
    before = dataset.catalog.rows("proposals")
    tagger = PixelTagger(dataset.taxonomy)
    again = run(dataset, tagger, SecondOpinion(dataset.taxonomy))
    assert again == PrelabelProgress(skipped=7, total=7)
    assert tagger.seen == 0, "nothing is asked again"
    assert dataset.catalog.rows("proposals").equals(before)


def test_a_new_version_appends(dataset):
    add_garments(dataset, 5)
    run(dataset, PixelTagger(dataset.taxonomy))
    count = dataset.catalog.count("proposals")
    end = run(dataset, PixelTagger(dataset.taxonomy, weights="w2"))
    assert end.tagged == 5
    assert dataset.catalog.count("proposals") == 2 * count


def test_only_new_leaves_alone_what_an_earlier_version_saw(dataset):
    add_garments(dataset, 5)
    run(dataset, PixelTagger(dataset.taxonomy))
    later = add_garments(dataset, 2, first=5)
    end = run(dataset, PixelTagger(dataset.taxonomy, weights="w2"), only_new=True)
    assert (end.tagged, end.skipped) == (2, 5)
    assert {row["garment_id"] for row in proposals(dataset, "weights_hash = 'w2'")} == set(later)
    other = run(dataset, PixelTagger(dataset.taxonomy, reference="other"), only_new=True)
    assert other.tagged == 7, "another tagger never saw any"


def test_a_crop_that_was_cut_again_is_another_crop(dataset):
    first, second = add_garments(dataset, 2)
    run(dataset)
    rows = dataset.catalog.rows("garments").to_pylist()
    shas = {row["garment_id"]: row["crop_sha"] for row in rows}
    moved = [{**row, "crop_sha": shas[second]} for row in rows if row["garment_id"] == first]
    dataset.catalog.put("garments", moved)
    end = run(dataset, only_new=True)
    assert (end.tagged, end.skipped) == (1, 1)
    crops = {row["crop_sha"] for row in proposals(dataset, f"garment_id = '{first}'")}
    assert crops == set(shas.values())


def test_the_region_decides_what_is_asked_and_a_new_attribute_needs_the_taxonomy_alone(dataset):
    add_garments(dataset, 6)  # two upper, two lower, two whole
    tagger = PixelTagger(dataset.taxonomy)
    run(dataset, tagger)
    dataset = with_neckline(dataset)
    tagger = PixelTagger(dataset.taxonomy)
    end = run(dataset, tagger)
    assert (end.tagged, end.proposals, end.skipped) == (4, 4, 2)
    regions = {
        row["garment_id"]: row["region"] for row in dataset.catalog.rows("garments").to_pylist()
    }
    asked = {regions[row["garment_id"]] for row in proposals(dataset, "attribute = 'neckline'")}
    assert asked == {"upper", "whole"}


def test_only_the_attributes_asked_for(dataset):
    add_garments(dataset, 3)
    run(dataset, attributes=("pattern",))
    assert {row["attribute"] for row in proposals(dataset)} == {"pattern"}
    with pytest.raises(BadTaxonomy, match="patern"):
        run(dataset, attributes=("patern",))


def test_retired_garments_are_left_out(dataset):
    gone, stays = add_garments(dataset, 2)
    row = dataset.catalog.rows("garments", where=f"garment_id = '{gone}'").to_pylist()[0]
    dataset.catalog.add("extractions", [retire_row(garment_from_row(row), "c")])
    run(dataset)
    assert {row["garment_id"] for row in proposals(dataset)} == {stays}


def test_embeddings_are_kept_by_model(dataset):
    ids = add_garments(dataset, 5)
    tagger = PixelTagger(dataset.taxonomy)
    run(dataset, tagger)
    assert dataset.catalog.embedding_models() == ["pixels@w1+keep"] == [embedding_model(tagger)]
    kept = dataset.catalog.embeddings("pixels@w1+keep")
    assert sorted(kept.garment_ids) == ids
    assert kept.vectors.shape == (5, SIZE)
    assert np.allclose(np.linalg.norm(kept.vectors, axis=1), 1, atol=1e-6)
    assert status(dataset).embeddings == 5


def test_the_calibrations_that_a_tagger_brings_are_kept_once(dataset):
    add_garments(dataset, 2)
    tagger = PixelTagger(dataset.taxonomy)
    run(dataset, tagger)
    run(dataset, tagger)
    rows = dataset.catalog.rows("calibrations").to_pylist()
    assert {row["tagger"] for row in rows} == {tagger.version(a).id for a in tagger.attributes}
    assert len(rows) == len(tagger.attributes)
    assert {(row["source"], row["threshold"]) for row in rows} == {("model", 0.1)}


def test_limit_takes_the_first_and_the_next_run_goes_on(dataset):
    ids = add_garments(dataset, 9)
    assert run(dataset, limit=4) == PrelabelProgress(tagged=4, proposals=28, total=4)
    assert {row["garment_id"] for row in proposals(dataset)} == set(ids[:4])
    end = run(dataset)
    assert (end.tagged, end.skipped) == (5, 4)


def test_batches_have_the_size_asked_for_and_progress_counts_up(dataset):
    add_garments(dataset, 10)
    tagger = PixelTagger(dataset.taxonomy)
    events = list(prelabel(dataset, PrelabelOptions(batch=4), [tagger]))
    assert tagger.asked == [4, 4, 2]
    assert [event.done for event in events] == [0, 4, 8, 10]
    assert {event.total for event in events} == {10}


def test_a_plan_is_what_the_run_does_and_writes_nothing(dataset):
    add_garments(dataset, 6)
    tagger = PixelTagger(dataset.taxonomy)
    run(dataset, tagger, limit=2)
    foreseen = plan(dataset, PrelabelOptions(), [tagger])
    events = list(prelabel(dataset, PrelabelOptions(dry_run=True), [tagger]))
    assert [event.done for event in events] == [2]
    assert dataset.catalog.count("proposals") == 2 * len(tagger.attributes)
    end = run(dataset, tagger)
    assert foreseen == Plan(pending=end.tagged, done=end.skipped, proposals=end.proposals)
    assert "4 garments to tag, 2 done before" in str(foreseen)


def test_an_empty_data_set_loads_nothing(dataset):
    assert list(prelabel(dataset)) == [PrelabelProgress(total=0)]
    assert plan(dataset) == Plan()


def test_an_unknown_tagger_says_so(dataset):
    add_garments(dataset, 1)
    with pytest.raises(UnknownModel, match="startr"):
        list(prelabel(dataset, PrelabelOptions(model="startr")))


@pytest.mark.parametrize("damage", ["missing", "no picture", "empty mask", "mask elsewhere"])
def test_what_cannot_be_seen_is_recorded_and_left_out(dataset, damage):
    bad, good = add_garments(dataset, 2)
    row = dataset.catalog.rows("garments", where=f"garment_id = '{bad}'").to_pylist()[0]
    crop = dataset.crop_path(row["crop_sha"])
    if damage == "missing":
        crop.unlink()
    elif damage == "no picture":
        crop.write_bytes(b"not a picture")
    elif damage == "empty mask":
        mask = np.array([64 * 48], "<u4").tobytes()
        dataset.catalog.put("garments", [{**row, "mask": mask, "area": 0}])
    else:
        row = {**row, "x1": 0.0, "y1": 0.0, "x2": 2.0, "y2": 2.0}
        dataset.catalog.put("garments", [row])
    end = run(dataset)
    assert (end.tagged, end.failed, end.total) == (1, 1, 2)
    assert {row["garment_id"] for row in proposals(dataset)} == {good}
    (reason,) = end.reasons
    assert bad in reason
    assert reason in (dataset.run / "prelabel.log").read_text(encoding="utf-8")


def test_a_mended_crop_is_tagged_by_the_next_run(dataset):
    add_garments(dataset, 1)
    sha = dataset.catalog.rows("garments").column("crop_sha")[0].as_py()
    path = dataset.crop_path(sha)
    data = path.read_bytes()
    path.unlink()
    assert run(dataset).failed == 1
    path.write_bytes(data)
    assert run(dataset).tagged == 1


class Broken(PixelTagger):
    """Says NaN once it has seen more than `sound` crops."""

    sound = 4

    def tag(self, crops):
        tags = super().tag(crops)
        if self.seen > self.sound:
            vectors = np.full_like(tags.embeddings, np.nan)
            return Tags(tags.logits, tags.activation, vectors)
        return tags


def test_nan_stops_with_advice_and_keeps_what_was_finished(dataset):
    add_garments(dataset, 8)
    with pytest.raises(ModelError, match="embeddings has NaN"):
        run(dataset, Broken(dataset.taxonomy), commit_seconds=1000)
    assert dataset.catalog.count("proposals") == 4 * len(dataset.taxonomy.attributes)
    assert run(dataset).skipped == 0, "the second opinion was never asked"
    assert run(dataset).skipped == 8


def test_a_model_whose_embeddings_changed_their_size_is_refused(dataset):
    add_garments(dataset, 2)
    run(dataset, PixelTagger(dataset.taxonomy), limit=1)
    with pytest.raises(ModelError, match=f"vectors of {SIZE} numbers.*but got 7"):
        run(dataset, PixelTagger(dataset.taxonomy, size=7))


class Outdated(PixelTagger):
    """Says nothing about the newest attribute, though it promised to."""

    def tag(self, crops):
        tags = super().tag(crops)
        logits = {name: tags.logits[name] for name in self.attributes[:-1]}
        return Tags(logits, tags.activation, tags.embeddings)


def test_a_tagger_that_leaves_out_an_attribute_is_refused(dataset):
    add_garments(dataset, 1)
    dataset = with_neckline(dataset)
    with pytest.raises(ModelError, match=r"shape \(1, 2\) for neckline.*but got None"):
        run(dataset, Outdated(dataset.taxonomy))
