"""A data set in which photos have left traces everywhere, and the search for such traces.

`python withdrawing.py DATASET PHOTO` takes a photo down, telling its steps; a test may kill it.
"""

import csv
import io
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "extract"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "annotate"))

import lance
import numpy as np
import pyarrow.parquet as pq
from PIL import Image
from standin_taggers import PixelTagger
from standins import PaintDetector, PaintParser, street
from typer.testing import CliRunner, Result

from annotate.guidelines import write_guidelines
from annotate.prelabel import PrelabelOptions, prelabel
from annotate.similar import similar
from annotate.similar_page import write_similar
from annotate.studio.context import ContextPictures
from curate.release.write import release
from extract.report import write_report
from extract.run import RunOptions, run
from garmentloop.cli import app
from garmentloop.takedown.find import find
from garmentloop.takedown.run import take_down
from garments.answers import value_of
from garments.dataset import Dataset
from garments.files import read_bytes
from garments.ids import content_id, stable_id

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = 6
HANDLES = ("@Anna", "anna", "ben", "ben", "cora", "cora")
PARTS = ("train", "train", "val", "val", "test", "test")


def write_photo(path: Path, seed: int) -> Path:
    """A street with grain of its own, so that no two crops of different photos are the same."""
    grain = np.random.default_rng(seed).integers(-3, 4, (240, 320, 3))
    pixels = np.clip(street(seed).astype(int) + grain, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def photo_file(folder: Path, number: int) -> Path:
    return folder / "photos" / f"{number:04d}.png"


def photo_id(folder: Path, number: int) -> str:
    return content_id(read_bytes(photo_file(folder, number)))


def world(folder: Path) -> Dataset:
    """Six photos of three handles beside `folder`/data, extracted, labelled, released, shown."""
    for number in range(PHOTOS):
        write_photo(photo_file(folder, number), number)
    manifest = folder / "photos.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "handle", "licence"))
        for number, handle in enumerate(HANDLES):
            rows.writerow((photo_file(folder, number), handle, "CC0"))
    dataset = Dataset.create(folder / "data", name="world")
    extract(dataset, manifest)
    tagger = PixelTagger(dataset.taxonomy)
    list(prelabel(dataset, PrelabelOptions(), [tagger]))
    say(dataset)
    list(release(dataset, "v1"))
    show(dataset, tagger, manifest)
    return dataset


def extract(dataset: Dataset, *inputs: Path, **options):
    asked = RunOptions(workers=1, **options)
    texts = [str(one) for one in inputs]
    return [*run(dataset, texts, asked, detector=PaintDetector(), parser=PaintParser())][-1]


def say(dataset: Dataset) -> None:
    """Labels, decisions, tasks and parts of all garments; a handle's photos are one group."""
    folder = dataset.folder.parent
    ids = [photo_id(folder, number) for number in range(PHOTOS)]
    labels, splits, tasks, decisions = [], [], [], []
    for row in dataset.catalog.rows("garments").to_pylist():
        number, name = ids.index(row["photo_id"]), row["garment_id"]
        own = {"garment_id": name, "crop_sha": row["crop_sha"]}
        for attribute, value in (("category", "shirt"), ("color", "red")):
            label = {"label_id": stable_id("l", name, attribute), "attribute": attribute}
            label |= {"value": value_of([value]), "kind": "annotator", "annotator": "ann"}
            labels.append({**own, **label})
        group = min(ids[number - number % 2 : number - number % 2 + 2])
        split = {"version": "split-1", "garment_id": name, "split": PARTS[number], "group": group}
        splits.append({"split_id": stable_id("s", name), **split})
        task = {"task_id": stable_id("t", name), "shown": "{}", "round": "round-1"}
        tasks.append({**own, **task, "audit": False, "state": "done"})
        decision = {"garment_id": name, "kind": "gold", "who": "cur"}
        decisions.append({"decision_id": stable_id("d", name), **decision})
    catalog = dataset.catalog
    catalog.add("labels", labels)
    catalog.add("splits", splits)
    catalog.put("tasks", tasks)
    catalog.add("decisions", decisions)


def show(dataset: Dataset, tagger: PixelTagger, manifest: Path) -> None:
    """Pages, pictures, lists, logs and caches that name or show garments."""
    rows = dataset.catalog.rows("garments").to_pylist()
    names, run_ = [row["garment_id"] for row in rows], dataset.run
    write_report(dataset)
    write_guidelines(dataset)
    for name in names[:3]:
        write_similar(dataset, similar(dataset, name, 3, tagger=tagger))
    for row in rows:
        ContextPictures(dataset, [row]).draw([row])
    lines = "".join(f"{name}\n" for name in names)
    for place in ("rounds/round-1.txt", "curate/send.txt", "prelabel.log"):
        (run_ / place).parent.mkdir(parents=True, exist_ok=True)
        (run_ / place).write_text(lines, encoding="utf-8")
    (run_ / "photos-train.csv").write_bytes(manifest.read_bytes())
    studio = run_ / "labelstudio"
    studio.mkdir()
    aside = (json.dumps({"id": name, "garment_id": name}) + "\n" for name in names)
    (studio / "set-aside.jsonl").write_text("".join(aside), encoding="utf-8")
    (studio / "push.json").write_text(json.dumps([stable_id("t", name) for name in names]))
    crops = "".join(f"GET /data/local-files/?d=crops/{row['crop_sha']}.jpg\n" for row in rows)
    (studio / "server.log").write_text(crops, encoding="utf-8")
    (run_ / "state.json").write_text(json.dumps({"last": names}), encoding="utf-8")
    (run_ / "huggingface").mkdir()
    (run_ / "huggingface" / "cache.arrow").write_text(lines)
    (run_ / "scratch" / "999999999-0").write_text(lines)
    features = run_ / "features" / "key"
    features.mkdir(parents=True)
    keys = np.array([f"{row['garment_id']}/{row['crop_sha']}.jpg" for row in rows])
    vectors = np.ones((len(keys), 4), np.float32)
    np.savez(features / "features-1.npz", names=keys, features=vectors)
    with closing(sqlite3.connect(run_ / "notes.sqlite3")) as database:
        database.execute("create table notes (text)")
        database.executemany("insert into notes values (?)", [(name,) for name in names])
        database.execute("delete from notes")
        database.commit()


def traces(dataset: Dataset, *numbers: int) -> set[str]:
    """Ids and file names that lead to some photos; ask before they are taken down."""
    folder, catalog = dataset.folder.parent, dataset.catalog
    found = {photo_file(folder, number).name for number in numbers}
    for number in numbers:
        photo = photo_id(folder, number)
        where = f"photo_id = '{photo}'"
        found.add(photo)
        for table, column in (
            ("people", "person_id"),
            ("garments", "garment_id"),
            ("garments", "crop_sha"),
            ("sources", "source_id"),
        ):
            found |= {*catalog.rows(table, [column], where).column(0).to_pylist()}
        for garment in catalog.rows("garments", ["garment_id"], where).column(0).to_pylist():
            mine = f"garment_id = '{garment}'"
            for table in ("proposals", "labels", "decisions", "tasks"):
                key = catalog.rows(table, where=mine).column(0).to_pylist()
                found |= set(key)
    return found


def held(folder: Path, terms: set[str]) -> list[str]:
    """Files below `folder` in whose name, bytes, rows or arrays any of these stands."""
    tables = [path for path in folder.rglob("*.lance") if path.is_dir()]
    found = [f"{table.name} {term}" for table in tables for term in _in(_rows(table), terms)]
    for path in folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            found += [f"{name} {term}" for term in _in(name + _content(path), terms)]
    return found


def _in(text: str, terms: set[str]) -> Iterator[str]:
    return (term for term in terms if term in text)


def _rows(table: Path) -> str:
    """All rows of all versions of a Lance table."""
    versions = lance.dataset(table).versions()
    every = (lance.dataset(table, version=found["version"]) for found in versions)
    return "".join(str(one.to_table().to_pylist()) for one in every)


def _content(path: Path) -> str:
    data = path.read_bytes()
    text = data.decode("latin-1")
    if path.suffix == ".parquet":
        text += str(pq.read_table(path).to_pylist())
    if path.suffix == ".npz":
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            text += "".join(str(arrays[name].tolist()) for name in arrays)
    return text


def here(dataset: Dataset, number: int) -> str:
    """Id of a photo of the world."""
    return photo_id(dataset.folder.parent, number)


def down(dataset: Dataset, what: str, **given: Any) -> list[str]:
    """Take it down; the notes."""
    told = list(take_down(dataset, find(dataset, what), **given))
    assert told[-1].entry is not None
    return [one.note for one in told if one.note]


def command(dataset: Dataset, *arguments: object, answer: str | None = None) -> Result:
    """What the command says."""
    asked = ["takedown", *map(str, arguments), "--dataset", str(dataset.folder)]
    return CliRunner().invoke(app, asked, input=answer)


if __name__ == "__main__":
    data = Dataset.open(sys.argv[1])
    for told in take_down(data, find(data, sys.argv[2])):
        print(told.step or told.note, flush=True)
