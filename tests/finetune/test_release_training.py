"""Training on a release of a data set: names, leaks, disagreement, two at once, what is refused."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examined import divide, label, make, name_of, photo_of, split_of, truth_of

from annotate.finetuned.backbones import sets_seen
from annotate.in_force import promoted_references, trained_models
from annotate.taggers import load_tagger, trained_names
from curate.release.manifest import file_entry, read_manifest
from curate.release.names import MANIFEST
from curate.release.write import release
from finetune.tagger.claim import RECIPE, claimed, recipe_key
from finetune.tagger.options import Recipe, TaggerOptions
from finetune.tagger.release import from_release
from finetune.tagger.targets import targets_of
from finetune.tagger.train import finetune_tagger
from garments.dataset import Dataset
from garments.errors import BadInput, BadSetting, DatasetError

COUNT = 120
QUICK = Recipe(side=32)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make(tmp_path_factory.mktemp("release") / "set", COUNT)


def trained(dataset: Dataset, **options: object):
    *_, last = finetune_tagger(
        dataset, TaggerOptions(**{"release": "v1", "recipe": QUICK, **options})
    )
    return last


def test_only_the_rows_of_its_splits_are_learnt(dataset: Dataset):
    found = from_release(dataset, "v1")
    learn = {name_of(n) for n in range(COUNT) if split_of(n) == "train"}
    assert {one.name.partition("/")[0] for one in found.learn} == learn
    assert len(found.held_out) == sum(split_of(n) == "val" for n in range(COUNT))
    one = next(e for e in found.learn if e.name.startswith(name_of(0)))
    assert one.truth["color"] == {"red": 1.0, "white": 1.0} and one.group == photo_of(0)
    assert one.load().pixels.shape == (16, 16, 3)


def test_a_model_gets_the_next_name_and_says_what_it_learnt_from(dataset: Dataset):
    before = trained_names(trained_models(dataset))
    last = trained(dataset)
    assert last.reference == f"model:v{len(before) + 1}" and last.folder.is_dir()
    seen = sorted(sets_seen("starter") or ())
    origin = json.loads((last.folder / "config.json").read_text())["settings"]["trained_on"]
    assert origin["release"] == "v1" and len(origin["hash"]) > 10 and origin["sets"] == list(seen)
    assert "splits train and validation" in (last.folder / "README.md").read_text()
    again = trained(dataset)
    assert again.reference != last.reference
    models = trained_models(dataset)
    one, other = (
        load_tagger(ref, dataset.taxonomy, models=models)
        for ref in (last.reference, again.reference)
    )
    assert one.weights_hash == other.weights_hash  # the same recipe on the same release
    assert not promoted_references(dataset)


def test_a_name_is_given_once(dataset: Dataset):
    trained(dataset, name="mine")
    with pytest.raises(BadSetting, match="never changed"):
        trained(dataset, name="mine")
    with pytest.raises(BadSetting, match="letters and digits"):
        trained(dataset, name="../else")


def test_two_trainings_at_once_get_names_of_their_own(dataset: Dataset):
    options = TaggerOptions("v1", recipe=QUICK)
    key = recipe_key(options, "hash")
    with claimed(dataset, options, key) as (one, _), claimed(dataset, options, key) as (two, _):
        assert one != two
        with (
            pytest.raises(BadSetting, match="being trained right now"),
            claimed(dataset, TaggerOptions("v1", name=one), key),
        ):
            pass
    with claimed(dataset, options, key) as (after, folder):
        assert after == one and (folder / RECIPE).is_file()  # the one that was killed goes on


def test_trainings_side_by_side_end_with_two_models(dataset: Dataset):
    before = set(trained_names(trained_models(dataset)))
    errors: list[BaseException] = []

    def run(seed: int) -> None:
        try:
            trained(dataset, recipe=Recipe(side=32, seed=seed))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(trained_names(trained_models(dataset))) - before) == 2


def test_a_leak_planted_in_a_release_is_caught(tmp_path: Path):
    leaky = make(tmp_path / "set", 60)
    folder = leaky.releases / "v1" / "data"
    (test,) = folder.glob("test-*.parquet")
    (train,) = folder.glob("train-*.parquet")
    test.write_bytes(train.read_bytes())
    with pytest.raises(DatasetError, match="its content is another"):
        trained(leaky)
    seal(leaky.releases / "v1", test)
    with pytest.raises(BadInput, match="share nothing"):
        trained(leaky)
    assert not trained_names(trained_models(leaky))


def seal(folder: Path, changed: Path) -> None:
    """Let the manifest vouch for a file that was changed."""
    manifest = read_manifest(folder)
    files = {**manifest.files, changed.relative_to(folder).as_posix(): file_entry(changed)}
    text = manifest.model_copy(update={"files": files}).dumps()
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def test_the_curves_of_a_training_stay(dataset: Dataset):
    recipe = replace(QUICK, backbone="timm:test_resnet", from_scratch=True, mode="full", epochs=1)
    trained(dataset, recipe=recipe, name="curved")
    run = dataset.run / "training" / "curved"
    assert {path.name for path in run.iterdir()} <= {".lock", "tensorboard"}
    assert list((run / "tensorboard").glob("events.*"))


def test_disagreement_of_annotators_is_learnt_softly(tmp_path: Path):
    torn = make(tmp_path / "set", 40)
    label(torn, {0: {"category": ("coat",)}}, who="bert")
    label(torn, {0: {"category": ("coat",)}}, who="cleo")
    list(release(torn, "v2"))
    plain, soft = (
        next(e for e in from_release(torn, "v2", soft).learn if e.name.startswith(name_of(0)))
        for soft in (False, True)
    )
    assert plain.truth["category"] == {"coat": 1.0}
    assert soft.truth["category"] == {"shirt": pytest.approx(1 / 3), "coat": pytest.approx(2 / 3)}
    from annotate.finetuned.layout import Layout

    layout = Layout.of(torn.taxonomy, ["category"])
    shares = targets_of(torn.taxonomy, layout, [soft.truth]).values[0]
    np.testing.assert_allclose(shares, [1 / 3, 2 / 3, 0, 0], rtol=1e-5)
    label(torn, {0: {"category": ("shirt",)}}, who="judge", kind="adjudicated")
    list(release(torn, "v3"))
    [settled] = [e for e in from_release(torn, "v3", True).learn if e.name.startswith(name_of(0))]
    assert settled.truth["category"] == {"shirt": 1.0}, "a verdict holds, whoever had voted"


def test_without_labels_there_is_nothing_to_learn(tmp_path: Path):
    empty = Dataset.create(tmp_path / "set")
    with pytest.raises(DatasetError, match="curate release"):
        trained(empty)


def test_a_release_that_only_tests_cannot_be_learnt_from(tmp_path: Path):
    only = make(tmp_path / "set", 20)
    divide(only, range(20), lambda number: "test", "split-2")
    list(release(only, "v2"))
    with pytest.raises(BadInput, match="train split is empty"):
        trained(only, release="v2")


def test_attributes_that_cannot_be_learnt_are_named(dataset: Dataset, tmp_path: Path):
    same = make(tmp_path / "set", 40)
    label(same, {n: {**truth_of(n), "color": ("red",)} for n in range(40)}, who="anna")
    list(release(same, "v2"))
    last = trained(same, release="v2")
    assert "color: not learnt" in (last.folder / "README.md").read_text()
    with pytest.raises(BadInput, match=r"all \d+ labels say red"):
        trained(same, release="v2", attributes=("color",))


def test_the_command_trains_and_tells(dataset: Dataset, garmentloop_command):
    told = garmentloop_command(
        "finetune", "tagger", "-d", dataset.folder, "--release", "v1", "--side", "32", "--name",
        "told", timeout=300,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "category: accuracy" in told.stdout and "model:told" in told.stdout
    wrong = garmentloop_command("finetune", "tagger", "--data", dataset.folder)
    assert wrong.returncode == 1 and "--data DIR --out DIR" in wrong.stderr
