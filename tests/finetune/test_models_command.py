"""Trained taggers of a data set: listed, shown, exported, published; backbones of every kind."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from drawn_garments import clothing_folder, draw
from huggingface_hub import HfApi
from safetensors.torch import save_file
from training_run import train

from annotate.finetuned.backbones import load_backbone
from annotate.finetuned.folder import load_net
from annotate.finetuned.picture import inputs
from annotate.finetuned.tagger import FineTunedTagger
from annotate.in_force import load_in_force, references_in_force, trained_models
from annotate.native import native_taxonomy
from annotate.prelabel import PrelabelOptions, load_taggers
from annotate.taggers import load_tagger
from finetune.export_model import export_model, hub_files, push_to_hub
from finetune.models import one_trained, trained
from finetune.tagger.options import Recipe
from garmentloop.migration.run import Request, migrate
from garments.dataset import Dataset
from garments.errors import BadInput, DatasetError, ModelError, UnfitModel, UnknownModel
from garments.extras import expect_installed
from garments.tagger import Crop
from garments.taxonomy import Taxonomy

CROPS = [Crop(np.asarray(draw(word, 7))) for word in ("dress", "pants")]
TAXONOMY = native_taxonomy("clothing")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A data set with the words of `clothing`, and a model v1 for them."""
    root = tmp_path_factory.mktemp("models")
    data = clothing_folder(root / "clothing")
    made = Dataset.create(root / "set")
    TAXONOMY.save(made.folder / "taxonomy.toml")
    train(data, root / "out", recipe=Recipe(side=64))
    models = trained_models(made)
    models.mkdir(parents=True)
    (root / "out" / "model").rename(models / "v1")
    return Dataset.open(made.folder)


def promote(dataset: Dataset, attribute: str, model: str) -> None:
    row = {"promotion_id": f"{attribute}/{model}", "kind": "tagger", "attribute": attribute}
    dataset.catalog.add("promotions", [row | {"model": model, "tagger": "", "who": "test"}])


def test_models_are_listed_and_shown(dataset, garmentloop_command):
    (found,) = trained(dataset)
    assert (found.reference, found.problem, found.learnt_from) == ("model:v1", "", "clothing")
    shown = garmentloop_command("models", "list", "-d", dataset.folder).stdout
    assert "model:v1" in shown and "probe" in shown and "starter" in shown
    rows = json.loads(garmentloop_command("models", "list", "-d", dataset.folder, "--json").stdout)
    assert rows[0]["model"] == "model:v1"
    card = garmentloop_command("models", "show", "model:v1", "-d", dataset.folder).stdout
    assert "Limits" in card and "In force for: nothing" in card
    gone = garmentloop_command("models", "show", "v9", "-d", dataset.folder)
    assert gone.returncode == 1 and "there: v1" in gone.stderr


def test_a_model_in_force_answers_in_the_words_of_a_migration(dataset: Dataset, tmp_path: Path):
    own = Dataset.open(shutil.copytree(dataset.folder, tmp_path / "set"))
    attribute = TAXONOMY.attributes[0].id
    promote(own, attribute, "model:v1")
    before = load_in_force(own).tag(CROPS).logits[attribute]
    at = {value: place for place, value in enumerate(TAXONOMY.values(attribute))}
    data = TAXONOMY.model_dump()
    (words,) = data["attributes"]
    words["id"] = "kind"
    words["values"] = [v for v in words["values"] if v["id"] not in ("shirt", "dress", "hat")]
    words["values"] += [{"id": name, "title": name.title()} for name in ("gown", "cap", "beret")]
    new, said = tmp_path / "new.toml", tmp_path / "map.toml"
    Taxonomy.model_validate(data).save(new)
    said.write_text(
        f'[attributes]\nrename = {{ {attribute} = "kind" }}\n[{attribute}]\n'
        'rename = { dress = "gown" }\nmerge = { longsleeve = ["longsleeve", "shirt"] }\n'
        'split = { hat = ["cap", "beret"] }\n'
    )
    foreseen = migrate(own, Request(new, said, dry_run=True))
    (note,) = foreseen.notes
    assert "model:v1 stays in force for kind and never proposes cap, beret" in note
    assert migrate(own, Request(new, said)).notes == foreseen.notes
    own = Dataset.open(own.folder)
    assert references_in_force(own) == {"kind": "model:v1"}
    (tagger,) = load_in_force(own).parts
    assert isinstance(tagger, FineTunedTagger)
    assert tagger.version("kind").prompt_version.startswith("migrated-")
    after = dict(zip(own.taxonomy.values("kind"), tagger.tag(CROPS).logits["kind"].T, strict=True))
    np.testing.assert_allclose(after["gown"], before[:, at["dress"]], rtol=1e-5)
    both = np.logaddexp(before[:, at["longsleeve"]], before[:, at["shirt"]])
    np.testing.assert_allclose(after["longsleeve"], both, rtol=1e-5)
    lowest = np.min([after[name] for name in after if name not in ("cap", "beret")], axis=0)
    assert (after["cap"] < lowest).all() and (after["beret"] < lowest).all()
    assert [t.reference for t in load_taggers(own, PrelabelOptions())][-1] == "model:v1"


def test_a_damaged_model_is_listed_as_such(tmp_path, dataset):
    other = Dataset.create(tmp_path / "set")
    folder = trained_models(other) / "v1"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (found,) = trained(other)
    assert found.made is None and "kind" in found.problem
    with pytest.raises(UnknownModel, match="none yet"):
        one_trained(Dataset.create(tmp_path / "empty"), "v1")


def test_what_is_said_does_not_hang_on_the_number_of_cores(dataset: Dataset):
    """However many there are, one thread does a batch: what is added up comes in one order."""
    folder, threads = trained_models(dataset) / "v1", torch.get_num_threads()
    said, used = [], set()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            tagger = FineTunedTagger.load(folder, "model:v1", TAXONOMY)
            tagger._net.register_forward_hook(lambda *_: used.add(torch.get_num_threads()))
            said.append(tagger.logits(CROPS * 9))
    finally:
        torch.set_num_threads(threads)
    assert used == {1}
    np.testing.assert_array_equal(*said)


@pytest.mark.parametrize("kind", ["onnx", "torch.export"])
def test_what_is_exported_says_the_same(dataset: Dataset, tmp_path: Path, kind: str):
    folder = trained_models(dataset) / "v1"
    made, notes = export_model(folder, tmp_path / "tagger", kind)
    side = json.loads(notes.read_text())["input"]["shape"][-1]
    pixels = inputs(CROPS + CROPS[:1], "grey", side).astype(np.float32)
    if kind == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
        (logits,) = session.run(None, {"pixels": pixels})
    else:
        logits = torch.export.load(made).module()(torch.from_numpy(pixels)).detach().numpy()
    expected = FineTunedTagger.load(folder, "model:v1", TAXONOMY).logits(CROPS + CROPS[:1])
    np.testing.assert_allclose(logits, expected, atol=2e-3)
    head = json.loads(notes.read_text())["heads"][0]
    assert head["values"] == list(TAXONOMY.values(head["attribute"]))


class Hub:
    """Keeps what is sent instead of sending it."""

    def __init__(self, refuses: bool = False) -> None:
        self.sent: dict[str, bytes] = {}
        self._refuses = refuses

    def create_repo(self, name: str, **_: object) -> str:
        if self._refuses:
            raise OSError("no route to host")
        return f"https://hub.test/{name}"

    def create_commit(self, name: str, operations: list, **_: object) -> None:
        self.sent = {one.path_in_repo: one.path_or_fileobj for one in operations}


def test_what_is_published_loads_again(dataset: Dataset, tmp_path: Path):
    folder, hub = trained_models(dataset) / "v1", Hub()
    assert push_to_hub(folder, "me/tagger", "apache-2.0", api=hub).endswith("me/tagger")
    assert hub.sent["README.md"].startswith(b"---\nlibrary_name: garmentloop")
    assert b"license: apache-2.0" in hub.sent["README.md"]
    for name, data in hub.sent.items():
        (tmp_path / name).write_bytes(data)
    one, other = (
        load_tagger(f"dir:{path}", TAXONOMY).tag(CROPS).logits for path in (folder, tmp_path)
    )
    for name, logits in one.items():
        np.testing.assert_array_equal(logits, other[name])
    with pytest.raises(BadInput, match="--licence"):
        hub_files(folder, " ")
    with pytest.raises(ModelError, match="no route to host"):
        push_to_hub(folder, "me/tagger", "other", api=Hub(refuses=True))


def test_a_hub_that_cannot_be_reached_is_told(dataset: Dataset):
    nowhere = HfApi(endpoint="http://127.0.0.1:9", token="nobody")
    with pytest.raises(ModelError, match="see that there is a network"):
        push_to_hub(trained_models(dataset) / "v1", "me/tagger", "other", api=nowhere)


@pytest.mark.parametrize("kind", ["onnx", "torch.export"])
def test_a_place_that_cannot_be_written_is_told(dataset: Dataset, tmp_path: Path, kind: str):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="make room there"):
        export_model(trained_models(dataset) / "v1", tmp_path / "file" / "tagger", kind)


def test_a_package_that_is_missing_is_named_with_its_extra():
    with pytest.raises(ModelError, match=r"nosuch, which is not.*garmentloop\[train\]"):
        expect_installed("training", "train", "torch", "nosuch")


def test_what_was_promoted_is_asked_next(dataset: Dataset, tmp_path: Path):
    attribute = TAXONOMY.attributes[0].id
    assert references_in_force(dataset) == {attribute: "starter"}
    promote(dataset, attribute, "model:v1")
    assert references_in_force(dataset) == {attribute: "model:v1"}
    assert [tagger.reference for tagger in load_taggers(dataset)] == ["starter", "model:v1"]
    in_force = PrelabelOptions(model="champion")
    assert [one.reference for one in load_taggers(dataset, in_force)] == ["starter", "model:v1"]
    whole = load_in_force(dataset)
    assert whole.attributes == (attribute,)
    assert whole.version(attribute).model == "model:v1"
    assert whole.tag(CROPS).activation_of(attribute) == "softmax"
    assert {one.values[0] for one in said(whole)} == {"dress", "pants"}


def said(tagger):
    from garments.reading import read_all

    tags = tagger.tag(CROPS)
    name = tagger.attributes[0]
    answers = read_all(TAXONOMY, tags.logits, tags.activation, {}, ["unknown"] * len(CROPS))
    return answers[name].readings([""] * len(CROPS), [""] * len(CROPS))


def test_without_a_data_set_the_starter_and_the_rule_answer():
    whole = load_in_force()
    assert whole.version("color").model == "rule:color"
    assert whole.version("category").model == "starter"


def test_a_backbone_saved_by_timm_is_learnt_on_and_built_again(tmp_path: Path):
    tower = timm.create_model("test_resnet", num_classes=0)
    folder = tmp_path / "tower"
    folder.mkdir()
    config = {"architecture": "test_resnet", "num_classes": 0, "pretrained_cfg": {}}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tower.state_dict(), folder / "model.safetensors")
    data = clothing_folder(tmp_path / "clothing", each=6)
    train(
        data,
        tmp_path / "out",
        recipe=Recipe(backbone=f"timm:local-dir:{folder}", side=32, features="pooled"),
    )
    net, made = load_net(tmp_path / "out" / "model")
    for name, value in tower.state_dict().items():
        torch.testing.assert_close(net.backbone.state_dict()[name], value, atol=1e-3, rtol=1e-2)
    assert made.backbone.weights_hash
    again, found = load_backbone(f"dir:{tmp_path / 'out' / 'model'}")
    assert found.library == "timm" and again.state_dict().keys() == tower.state_dict().keys()


@pytest.mark.parametrize(
    ("reference", "error", "says"),
    [
        ("timm:nonsense99", UnknownModel, "timm has no model"),
        ("timm:resnet18", UnknownModel, "--from-scratch"),
        ("timm:local-dir:/nowhere", ModelError, "copy it again"),
        ("rule:color", UnfitModel, "image tower"),
        ("champion", UnfitModel, "image tower"),
    ],
)
def test_backbones_that_cannot_be_had_are_told(reference: str, error: type, says: str):
    with pytest.raises(error, match=says):
        load_backbone(reference)


def test_a_backbone_knows_no_words():
    with pytest.raises(UnfitModel, match="finetune tagger"):
        load_tagger("timm:resnet18", TAXONOMY)
