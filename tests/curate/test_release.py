"""What goes into a release, what does not, and that anybody can read it."""

import csv
import json
import os
import subprocess
import sys
from datetime import timedelta
from html.parser import HTMLParser

import lance
import numpy as np
import pyarrow.parquet as pq
import pytest
import released
from released import add, decide, divide, garment_name, make, ready, say, tags, unfinished, visible

from curate.release.choose import LeftOut
from curate.release.manifest import read_manifest
from curate.release.snapshot import FrozenCatalog
from curate.release.sources import read_left_out
from curate.release.write import ReleaseOptions, release
from garments.dataset import Dataset
from garments.errors import BadSetting, BadTaxonomy, DatasetError
from garments.taxonomy import Taxonomy


def freeze(dataset, name="v1", **options):
    """Make a release; its folder."""
    return list(release(dataset, name, ReleaseOptions(**options)))[-1].folder


def rows(folder):
    """All rows by garment, pictures left out."""
    found = {}
    for path in sorted((folder / "data").glob("*.parquet")):
        table = pq.read_table(path)
        names = [name for name in table.column_names if name not in ("image", "mask")]
        for row in table.select(names).to_pylist():
            found[row["garment_id"]] = {**row, "split": path.name.split("-")[0]}
    return found


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """A data set with a release `v1`, and its folder."""
    dataset = ready(tmp_path_factory.mktemp("release") / "data")
    say(dataset, 0, "color", "black", "white", who="ben", kind="curator")
    say(dataset, 1, "color", "not_visible", who="cora", kind="adjudicated")
    say(dataset, 2, "pattern", who="cora", kind="curator")
    decide(dataset, 0, "gold")
    return dataset, freeze(dataset, note="Look <here>")


READER = """
import sys, json
folder, cache = sys.argv[1:]
from datasets import load_dataset
data = load_dataset(folder, cache_dir=cache)
first = data["train"][0]
import pandas
table = pandas.read_parquet(folder + "/data")
print(json.dumps({
    "splits": {name: len(part) for name, part in data.items()},
    "image": [first["image"].size, first["image"].mode],
    "mask": [first["mask"].size, first["mask"].mode],
    "color": first["color"], "pattern": first["pattern"], "source": first["color_source"],
    "gold": first["gold"], "rows": len(table), "answers": table["category_answers"].tolist(),
    "pictures": sum(value["bytes"][:2] == b"\\xff\\xd8" for value in table["image"]),
    "ours": sorted(set(sys.modules) & {"garments", "curate", "garmentloop", "annotate"}),
}))
"""


def test_load_dataset_and_pandas_read_it_without_our_code(frozen, tmp_path):
    _, folder = frozen
    told = subprocess.run(
        [sys.executable, "-c", READER, str(folder), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""},
        check=False,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["splits"] == {"train": 4, "validation": 4, "test": 4}
    assert found["image"] == [[released.WIDTH, released.HEIGHT], "RGB"]
    assert found["mask"] == [[released.WIDTH, released.HEIGHT], "1"]
    assert found["color"] == ["black", "white"] and found["source"] == "curator"
    assert found["pattern"] is None and found["gold"] is True
    assert found["rows"] == found["pictures"] == 12 and found["answers"] == [1] * 12
    assert found["ours"] == []


def test_nothing_said_nothing_applies_and_not_visible_differ(frozen):
    found = rows(frozen[1])
    assert found[garment_name(1)]["color"] == ["not_visible"]
    assert found[garment_name(2)]["pattern"] == []
    assert found[garment_name(3)]["pattern"] is None
    assert found[garment_name(3)]["pattern_source"] is None
    assert found[garment_name(3)]["pattern_answers"] == 0


def test_masks_are_those_of_the_catalogue(frozen):
    from io import BytesIO

    from PIL import Image

    table = pq.read_table(frozen[1] / "data" / "train-00000-of-00001.parquet").to_pylist()
    masks = {row["garment_id"]: row["mask"] for row in table}
    mask = np.asarray(Image.open(BytesIO(masks[garment_name(0)]["bytes"])))
    assert mask.dtype == bool and mask.sum() == 16 * 34 and mask[4:20, 6:40].all()
    assert masks[garment_name(7)] is None, "a product shot has none"


def test_sources_tell_licence_and_consent_but_no_folder_of_this_machine(frozen):
    text = (frozen[1] / "sources.csv").read_text(encoding="utf-8")
    found = list(csv.DictReader(text.splitlines()))
    assert len(found) == 6 and all(row["licence"] == "CC BY 4.0" for row in found)
    assert found[0]["source"] == "000000000000000f.jpg" and found[0]["garments"] == "2"
    every = "".join(p.read_text(encoding="latin-1") for p in frozen[1].rglob("*") if p.is_file())
    assert "/elsewhere/somebody" not in every and "anna" not in every


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href") and v]
        if tag not in ("meta", "img", "br", "rect", "path", "circle", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_datasheet_is_one_whole_page_that_needs_no_network(frozen):
    text = (frozen[1] / "datasheet.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open and page.seen.count("svg") >= 5 and page.seen.count("img") == 12
    assert all(link.startswith(("data:", "#")) or link.endswith(".csv") for link in page.links)
    assert "Look &lt;here&gt;" in text and "without a stated" not in text


def test_card_names_splits_columns_and_licence(frozen):
    import yaml

    text = (frozen[1] / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(text.split("---")[1])
    assert head["license"] == "cc-by-4.0" and head["size_categories"] == ["n<1K"]
    assert [s["split"] for s in head["configs"][0]["data_files"]] == ["train", "validation", "test"]
    assert {f["name"] for f in head["dataset_info"]["features"]} >= {"image", "mask", "color"}
    assert "StrictUndefined" not in text and "{{" not in text


def test_manifest_tells_what_it_was_made_from(frozen):
    dataset, folder = frozen
    manifest = read_manifest(folder)
    assert manifest.splits == {"train": 4, "validation": 4, "test": 4} and manifest.photos == 6
    assert manifest.split_versions == ("split-1",)
    assert manifest.taxonomy == dataset.taxonomy.hash
    assert Taxonomy.load(folder / "taxonomy.toml").hash == dataset.taxonomy.hash
    assert manifest.catalogue["labels"].rows == 27
    for name, table in manifest.catalogue.items():
        found = lance.dataset(dataset.catalog.folder / f"{name}.lance", version="release-v1")
        assert (found.version, found.count_rows()) == (table.version, table.rows)
    below = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert below == {*manifest.files, "manifest.json"}


def test_only_what_people_hold_goes_in_and_the_rest_says_why(tmp_path):
    dataset = ready(tmp_path / "data")
    decide(dataset, 0, "excluded")
    decide(dataset, 1, "bad_crop")
    retired = {"extraction_id": "r", "photo_id": "x", "kind": "retire", "config_hash": "c"}
    dataset.catalog.add("extractions", [{**retired, "garment_id": garment_name(2)}])
    divide(dataset, {6: "quarantine"}, "split-2")
    add(dataset, [20, 21, 22])
    say(dataset, 20, "category", "dress")
    say(dataset, 22, "category", "dress", kind="simulated")
    dataset.catalog.folder.parent.joinpath(_crop(dataset, 7)).unlink()
    dataset.crop_path(_sha(dataset, 8)).write_bytes(b"something else")
    folder = freeze(dataset)
    left_out = read_left_out(folder / "left_out.csv")
    assert left_out == {
        garment_name(0): LeftOut.EXCLUDED,
        garment_name(1): LeftOut.BAD_CROP,
        garment_name(2): LeftOut.RETIRED,
        garment_name(6): LeftOut.QUARANTINE,
        garment_name(7): LeftOut.NO_PICTURE,
        garment_name(8): LeftOut.NO_PICTURE,
        garment_name(20): LeftOut.NO_SPLIT,
        garment_name(21): LeftOut.UNLABELLED,
        garment_name(22): LeftOut.UNLABELLED,
    }
    assert set(rows(folder)) == {garment_name(n) for n in (3, 4, 5, 9, 10, 11)}
    assert "without a readable crop: 2" in (folder / "datasheet.html").read_text(encoding="utf-8")


def _sha(dataset, number):
    where = f"garment_id = '{garment_name(number)}'"
    return dataset.catalog.rows("garments", ["crop_sha"], where).column(0)[0].as_py()


def _crop(dataset, number):
    return dataset.crop_path(_sha(dataset, number)).relative_to(dataset.folder)


def test_simulated_answers_count_in_a_rehearsal_only(tmp_path):
    dataset = make(tmp_path / "data", 4, simulated=True)
    for number in range(4):
        say(dataset, number, "color", "red", kind="simulated", who="robot")
    divide(dataset, dict.fromkeys(range(4), "train"))
    folder = freeze(dataset)
    assert len(rows(folder)) == 4 and read_manifest(folder).simulated
    assert "rehearsal" in (folder / "README.md").read_text(encoding="utf-8")
    dataset.change({"simulated": False})
    with pytest.raises(DatasetError, match="4 without any label by people; label some"):
        freeze(dataset, "v2")


def test_disputed_labels_have_no_value(tmp_path):
    dataset = ready(tmp_path / "data")
    say(dataset, 4, "pattern", "solid", who="anna")
    say(dataset, 4, "pattern", "striped", who="ben")
    dataset.catalog.put(
        "tasks", [{"task_id": "t", "garment_id": garment_name(4), "audit": True, "state": "done"}]
    )
    row = rows(freeze(dataset))[garment_name(4)]
    assert row["pattern"] is None and row["pattern_source"] == "disputed"
    assert row["pattern_answers"] == 2


def test_values_that_the_taxonomy_no_longer_has_are_left_out_and_told(tmp_path):
    dataset = ready(tmp_path / "data")
    say(dataset, 3, "pattern", "psychedelic")
    folder = freeze(dataset)
    assert rows(folder)[garment_name(3)]["pattern"] is None
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "the taxonomy no longer has their values: 1 of pattern" in text


def test_attributes_may_not_have_the_names_of_other_columns(tmp_path):
    dataset = ready(tmp_path / "data")
    extra = '\n[[attributes]]\nid = "group"\ntitle = "G"\ntemplates = ["a {}"]\n'
    extra += 'values = [{ id = "a", title = "A" }]\n'
    path = dataset.folder / "taxonomy.toml"
    path.write_text(path.read_text(encoding="utf-8") + extra, encoding="utf-8")
    with pytest.raises(BadTaxonomy, match="'group' is the name of another column"):
        freeze(Dataset.open(dataset.folder))
    assert not visible(dataset) and not unfinished(dataset) and not tags(dataset)


def test_same_catalogue_gives_the_same_files(tmp_path):
    dataset = ready(tmp_path / "data")
    one, two = read_manifest(freeze(dataset, "a")), read_manifest(freeze(dataset, "b"))
    told = {"README.md", "datasheet.html"}  # these have their name and time
    same = [{p: e for p, e in m.files.items() if p not in told} for m in (one, two)]
    assert same[0] == same[1] and one.catalogue == two.catalogue and one.hash != two.hash


def test_large_splits_are_several_files(tmp_path, monkeypatch):
    monkeypatch.setattr("curate.release.shards.ROW_GROUP", 2)
    folder = freeze(ready(tmp_path / "data"), shard_bytes=1)
    names = sorted(path.name for path in (folder / "data").iterdir())
    assert names[0] == "test-00000-of-00002.parquet" and len(names) == 6
    assert len(rows(folder)) == 12


def test_labels_of_others_while_it_is_written_are_not_in_it(tmp_path):
    dataset = ready(tmp_path / "data")
    events = release(dataset, "v1")
    next(events)
    say(dataset, 11, "pattern", "solid", who="late")
    folder = list(events)[-1].folder
    assert rows(folder)[garment_name(11)]["pattern"] is None
    manifest = read_manifest(folder)
    assert manifest.catalogue["labels"].rows == 24 and dataset.catalog.count("labels") == 25
    table = lance.dataset(dataset.catalog.folder / "labels.lance")
    table.cleanup_old_versions(timedelta(0), error_if_tagged_old_versions=False)
    versions = {name: entry.version for name, entry in manifest.catalogue.items()}
    assert FrozenCatalog(dataset.catalog, versions).count("labels") == 24


def test_dry_run_writes_nothing(tmp_path):
    dataset = ready(tmp_path / "data")
    before = sorted(dataset.folder.rglob("*"))
    (end,) = release(dataset, "v1", ReleaseOptions(dry_run=True))
    assert end.splits == {"train": 4, "validation": 4, "test": 4} and end.folder is None
    assert sorted(dataset.folder.rglob("*")) == before


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../v1", "v1.", "v 1", "-v", "a.lock", "ü"])
def test_names_that_cannot_be(name, tmp_path):
    with pytest.raises(BadSetting, match="expected a name of letters and digits"):
        freeze(ready(tmp_path / "data"), name)


def test_a_release_is_never_made_twice(tmp_path):
    dataset = ready(tmp_path / "data")
    freeze(dataset)
    before = (dataset.releases / "v1" / "manifest.json").read_bytes()
    with pytest.raises(DatasetError, match="exists already and a release is never changed"):
        freeze(dataset)
    assert (dataset.releases / "v1" / "manifest.json").read_bytes() == before
    assert tags(dataset) == {"release-v1"}


def test_nothing_to_release_says_what_to_do(tmp_path):
    dataset = make(tmp_path / "data", 0)
    with pytest.raises(DatasetError, match="the data set has none; extract photos"):
        freeze(dataset)
    add(dataset, range(4))
    with pytest.raises(DatasetError, match="4 without any label by people; label some"):
        freeze(dataset)
    say(dataset, 0, "color", "red")
    say(dataset, 1, "color", "red")
    say(dataset, 2, "color", "red")
    with pytest.raises(DatasetError, match="3 not in the split yet; run `garmentloop curate split"):
        freeze(dataset)
    divide(dataset, {0: "train", 1: "train", 2: "quarantine"})
    with pytest.raises(DatasetError, match=r"2 not under .*; leave --licence out"):
        freeze(dataset, licences=("GPL",))
    for number in (0, 1):
        dataset.crop_path(_sha(dataset, number)).unlink()
    with pytest.raises(DatasetError, match="2 without a readable crop"):
        freeze(dataset)
    assert not visible(dataset) and not unfinished(dataset) and not tags(dataset)


def test_only_photos_under_a_licence(tmp_path):
    dataset = ready(tmp_path / "data", 6)
    stated = {"photo_id": released.photo_name(2), "origin": "b", "licence": "all rights reserved"}
    dataset.catalog.add("sources", [{**stated, "source_id": "b", "state": "ok"}])
    folder = freeze(dataset, licences=("cc by 4.0 ",))
    assert set(rows(folder)) == {garment_name(n) for n in (0, 1, 4, 5)}, "both must allow it"
    assert read_manifest(folder).licences == ("cc by 4.0 ",)


def test_splits_that_share_a_photo_are_refused(tmp_path):
    dataset = ready(tmp_path / "data")
    divide(dataset, {1: "test"}, "split-2")
    with pytest.raises(DatasetError, match="train and test share 1 photo"):
        freeze(dataset)


def test_deleted_releases_give_their_versions_free(tmp_path):
    import shutil

    dataset = ready(tmp_path / "data")
    shutil.rmtree(freeze(dataset, "a"))
    freeze(dataset, "b")
    assert tags(dataset) == {"release-b"}


def test_who_stops_early_leaves_nothing(tmp_path):
    dataset = ready(tmp_path / "data")
    events = release(dataset, "v1")
    next(events)
    assert unfinished(dataset) and not visible(dataset)
    events.close()
    assert not unfinished(dataset) and not visible(dataset) and not tags(dataset)
