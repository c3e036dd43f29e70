"""Releases before and after a migration of the taxonomy: both whole, and changes have a reason."""

import pytest
from released import divide, make, say

from curate.release.diff import Kind, diff
from curate.release.names import release_folder
from curate.release.verify import verify
from curate.release.write import release
from garmentloop.migration.run import Request, migrate
from garments.dataset import TAXONOMY_FILE, Dataset
from garments.taxonomy import Taxonomy

MAP = """
[color]
rename = { red = "crimson" }
merge = { blue = ["navy"] }
split = { green = ["forest", "lime"] }
remove = ["pink"]
"""


def changed(taxonomy: Taxonomy) -> Taxonomy:
    data = taxonomy.model_dump()
    [color] = [a for a in data["attributes"] if a["id"] == "color"]
    gone = {"red", "navy", "green", "pink"}
    color["values"] = [value for value in color["values"] if value["id"] not in gone]
    color["values"] += [{"id": n, "title": n.title()} for n in ("crimson", "forest", "lime")]
    return Taxonomy.model_validate(data)


@pytest.fixture
def migrated(tmp_path) -> Dataset:
    dataset = make(tmp_path / "data", 12)
    for number, value in enumerate(("red", "navy", "green", "pink", "blue", "red") * 2):
        say(dataset, number, "color", value)
        say(dataset, number, "category", "shirt")
    divide(dataset, {n: ("train", "val", "test")[n // 2 % 3] for n in range(12)})
    list(release(dataset, "v1"))
    new, said = tmp_path / "new.toml", tmp_path / "map.toml"
    changed(dataset.taxonomy).save(new)
    said.write_text(MAP)
    migrate(dataset, Request(new, said))
    return Dataset.open(dataset.folder)


def test_what_changed_is_the_taxonomy(migrated):
    say(migrated, 4, "color", "black")
    list(release(migrated, "v2"))
    found = diff(migrated, "v1", "v2")
    told = {(c.before, c.after): (c.kind, c.why) for c in found.changes if c.attribute == "color"}
    assert told == {
        ("red", "crimson"): (Kind.CHANGED, "the taxonomy changed"),
        ("navy", "blue"): (Kind.CHANGED, "the taxonomy changed"),
        ("green", ""): (Kind.REMOVED, "the taxonomy changed"),
        ("pink", ""): (Kind.REMOVED, "the taxonomy changed"),
        ("blue", "black"): (Kind.CHANGED, "annotator answered again"),
    }
    assert found.count("color", Kind.ADDED) == found.count("category", Kind.CHANGED) == 0


def test_releases_of_before_and_after_are_whole_and_have_their_own_taxonomy(migrated):
    list(release(migrated, "v2"))
    for name, colors in (("v1", {"red", "navy"}), ("v2", {"crimson", "forest"})):
        assert not list(verify(migrated, name))[-1].problems
        own = Taxonomy.load(release_folder(migrated, name) / TAXONOMY_FILE)
        assert colors <= set(own.values("color"))
    both = [release_folder(migrated, name) / TAXONOMY_FILE for name in ("v1", "v2")]
    assert Taxonomy.load(both[0]).hash != Taxonomy.load(both[1]).hash == migrated.taxonomy.hash
