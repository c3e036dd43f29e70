"""Models whose release lost rows to a takedown: named, still judged, and their caches cleared."""

import json

import numpy as np
import pytest
from examined import make, photo_of, split_of
from typer.testing import CliRunner

from annotate.in_force import trained_models
from curate.release.manifest import read_manifest
from finetune.evaluate.held_out import read_held_out
from finetune.evaluate.leaks import leak
from finetune.models import trained
from finetune.tagger.claim import forget_unfinished
from finetune.tagger.features import forget_features
from finetune.tagger.options import Recipe, TaggerOptions
from finetune.tagger.train import finetune_tagger
from garmentloop.cli import app
from garmentloop.takedown.find import find
from garmentloop.takedown.plan import make_plan
from garmentloop.takedown.run import take_down
from garments.catalog.rows import photo_row
from garments.records import Photo

COUNT = 60


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory):
    """A data set with a model v1 of its release, after a photo of train was taken down."""
    dataset = make(tmp_path_factory.mktemp("withdrawn") / "set", COUNT)
    number = next(n for n in range(COUNT) if split_of(n) == "train")
    ids = dataset.catalog.rows("garments", ["photo_id"]).column(0).to_pylist()
    dataset.catalog.put("photos", [photo_row(Photo(name, 16, 16)) for name in set(ids)])
    list(finetune_tagger(dataset, TaggerOptions("v1", "v1", recipe=Recipe(side=32))))
    photo = photo_of(number)
    rows = dataset.catalog.rows("garments", ["garment_id"], f"photo_id = '{photo}'")
    garments = rows.column(0).to_pylist()
    kept = [*(dataset.run / "features").glob("*/*.npz")]
    assert any(name in str(np.load(path)["names"]) for path in kept for name in garments)
    plan = make_plan(dataset, find(dataset, photo))
    before = read_manifest(dataset.releases / "v1")
    for part in ("evaluations/" + before.hash[:16], "evaluations/other"):
        (dataset.run / part).mkdir(parents=True)
    told = [*take_down(dataset, find(dataset, photo))][-1]
    return dataset, photo, garments, plan, told.entry


def test_the_plan_and_the_log_name_it(learnt):
    _, _, _, plan, entry = learnt
    (model,) = plan.models
    assert (model.reference, model.release, model.in_force) == ("model:v1", "v1", ())
    assert entry.models == ("model:v1",) and entry.releases == ("v1",)


def test_lists_say_how_much_was_withdrawn_since(learnt):
    dataset, _, garments, _, _ = learnt
    assert trained(dataset)[0].withdrawn == len(garments)
    told = CliRunner().invoke(app, ["models", "list", "-d", str(dataset.folder), "--json"])
    assert json.loads(told.stdout)[0]["withdrawn since"] == len(garments)
    shown = CliRunner().invoke(app, ["models", "show", "v1", "-d", str(dataset.folder)]).stdout
    assert f"Trained on: v1, {len(garments)} garments withdrawn since" in " ".join(shown.split())


def test_it_may_still_be_judged_on_what_it_has_not_seen(learnt):
    dataset = learnt[0]
    assert leak(dataset, read_held_out(dataset, "v1"), "model:v1") == ""


def test_caches_have_the_others_only(learnt):
    dataset, _, garments, _, _ = learnt
    names = [
        name
        for path in (dataset.run / "features").glob("*/*.npz")
        for name in np.load(path)["names"].tolist()
    ]
    assert names and not [name for name in names if name.split("/")[0] in garments]
    assert [path.name for path in (dataset.run / "evaluations").iterdir()] == ["other"]


def test_a_model_that_learns_anew_has_nothing_withdrawn(learnt):
    dataset = learnt[0]
    list(finetune_tagger(dataset, TaggerOptions("v1", "v2", recipe=Recipe(side=32))))
    assert {one.name: one.withdrawn for one in trained(dataset)}["v2"] == 0
    assert (trained_models(dataset) / "v2").is_dir()


def test_features_of_a_shard_are_forgotten_one_by_one(tmp_path):
    folder = tmp_path / "key"
    folder.mkdir()
    names = np.array(["a/1.jpg", "b/2.jpg"])
    np.savez(folder / "features-x.npz", names=names, features=np.eye(2, 4, dtype=np.float32))
    assert forget_features(tmp_path, {"a"}) == 1
    (path,) = folder.glob("*.npz")
    assert np.load(path)["names"].tolist() == ["b/2.jpg"]
    assert forget_features(tmp_path, {"b"}) == 1 and not list(folder.glob("*.npz"))


def test_unfinished_trainings_on_touched_releases_are_cleared(learnt):
    dataset = learnt[0]
    for name, content in (
        ("one", {"key": "k", "release": "v1"}),
        ("other", {"key": "k", "release": "v9"}),
        ("old", {"key": "k"}),
    ):
        folder = dataset.run / "training" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.json").write_text(json.dumps(content))
    assert forget_unfinished(dataset, ("v1",)) == ["old", "one"]
    assert (dataset.run / "training" / "other").is_dir()
