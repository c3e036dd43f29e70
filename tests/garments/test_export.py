"""Exported tables: their columns, their formats, and texts that are hard to write."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from garments.boxes import Box
from garments.catalog.rows import garment_row, person_row, photo_row, retire_row, source_row
from garments.dataset import Dataset
from garments.errors import BadSetting, DatasetError
from garments.export import EXPORTS, export_table
from garments.parts import Region
from garments.records import Doubt, Garment, Person, Photo, PhotoState, Source, Verdict

ODD = 'a "quoted",\nnew line\r\tné 🧥;=1+1.jpg'

COLUMNS = {
    "photos": "photo_id source handle licence width height state reason",
    "people": "person_id photo_id x1 y1 x2 y2 score verdict",
    "garments": "garment_id photo_id person_id region x1 y1 x2 y2 area crop flags",
    "labels": "garment_id attribute value kind annotator created_at seconds",
    "proposals": "garment_id attribute tagger model activation logits",
    "truth": "garment_id attribute value source",
}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    made = Dataset.create(tmp_path / "d")
    catalog, box = made.catalog, Box(1, 2, 3.5, 4)
    torn = Photo("q", 0, 0, PhotoState.UNREADABLE, "truncated after 10 bytes")
    catalog.add("photos", [photo_row(Photo("p", 600, 800)), photo_row(torn)])
    sources = [
        Source("1", ODD, "p", "@me", "CC0", "yes", "2024-01-01"),
        Source("2", "copy.jpg", "p", "@you"),
        Source("3", "torn.jpg", "q", state=PhotoState.UNREADABLE, reason="truncated"),
        Source("4", "locked.jpg", None, state=PhotoState.UNREADABLE, reason="no permission"),
    ]
    catalog.add("sources", [source_row(source) for source in sources])
    catalog.add("people", [person_row(Person("a", "p", box, 0.5, Verdict.ACCEPTED, "fine"))])
    worn = Garment("g", "p", "a", Region.UPPER, box, None, 7, "abcd", 0.5, tuple(Doubt)[:2])
    shot = Garment("h", "p", None, Region.UNKNOWN, box, None, 9, "ef01")
    gone = Garment("i", "p", "a", Region.LOWER, box, None, 9, "ef01")
    catalog.add("garments", [garment_row(garment) for garment in (worn, shot, gone)])
    catalog.add("extractions", [retire_row(gone, "x")])
    label = {"garment_id": "g", "attribute": "color", "annotator": "ann", "seconds": 2.5}
    label |= {"kind": "annotator", "value": '["red", "dark blue"]'}
    catalog.add("labels", [label | {"label_id": "l"}])
    values = made.taxonomy.values("pattern")
    proposal = {
        "proposal_id": "x",
        "garment_id": "h",
        "attribute": "pattern",
        "tagger": "t",
        "vocabulary_hash": made.taxonomy.vocabulary_hash("pattern"),
        "activation": "softmax",
        "logits": [float(i == 1) for i in range(len(values))],
    }
    catalog.add("proposals", [proposal])
    return made


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _export(dataset: Dataset, table: str, ending: str) -> list[dict[str, Any]]:
    path = dataset.folder / "report" / f"{table}{ending}"
    count = export_table(dataset, table, path)
    read: dict[str, Any] = {
        ".csv": _csv,
        ".parquet": lambda file: pq.read_table(file).to_pylist(),
        ".jsonl": lambda file: [
            json.loads(line) for line in file.read_bytes().split(b"\n") if line
        ],
    }
    rows: list[dict[str, Any]] = read[ending](path)
    assert len(rows) == count
    return rows


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
@pytest.mark.parametrize("table", EXPORTS)
def test_the_promised_columns_come_first(dataset: Dataset, table: str, ending: str) -> None:
    promised = COLUMNS[table].split()
    rows = _export(dataset, table, ending)
    assert list(rows[0])[: len(promised)] == promised
    assert "seq" not in rows[0]


@pytest.mark.parametrize("table", EXPORTS)
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_an_empty_data_set_gives_a_header(tmp_path: Path, table: str, ending: str) -> None:
    assert _export(Dataset.create(tmp_path / "empty"), table, ending) == []


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_one_row_per_photo_and_per_lost_source(dataset: Dataset, ending: str) -> None:
    first, torn, lost = _export(dataset, "photos", ending)
    assert (first["photo_id"], first["source"], first["handle"]) == ("p", ODD, "@me")
    assert (int(first["width"]), int(first["height"]), first["state"]) == (600, 800, "ok")
    (more,) = json.loads(first["more_sources"])
    assert (more["source"], more["handle"]) == ("copy.jpg", "@you")
    assert (torn["photo_id"], torn["state"]) == ("q", "unreadable")
    assert torn["reason"] == "truncated after 10 bytes"
    assert torn["width"] in ("", None)
    assert lost["photo_id"] in ("", None)
    assert (lost["source"], lost["reason"]) == ("locked.jpg", "no permission")


def test_garments_are_the_active_ones(dataset: Dataset) -> None:
    worn, shot = _export(dataset, "garments", ".csv")
    assert (worn["crop"], worn["flags"]) == ("crops/ab/abcd.jpg", "tiny;fragmented")
    assert (shot["person_id"], shot["flags"]) == ("", "")
    assert [float(worn[name]) for name in ("x1", "y1", "x2", "y2")] == [1, 2, 3.5, 4]
    assert _export(dataset, "garments", ".jsonl")[0]["flags"] == ["tiny", "fragmented"]


def test_labels_are_as_stored(dataset: Dataset) -> None:
    for ending in (".csv", ".parquet", ".jsonl"):
        (row,) = _export(dataset, "labels", ending)
        assert row["value"] == '["red", "dark blue"]'
        assert float(row["seconds"]) == 2.5
    (row,) = _export(dataset, "labels", ".csv")
    assert row["created_at"].endswith("Z")
    assert "T" in row["created_at"]


def test_truth_says_where_it_comes_from(dataset: Dataset) -> None:
    label, proposal = _export(dataset, "truth", ".jsonl")
    assert (label["value"], label["source"], label["who"]) == (
        '["red", "dark blue"]',
        "annotator",
        "ann",
    )
    assert (proposal["source"], proposal["who"]) == ("proposal", "t")
    assert json.loads(proposal["value"]) == [dataset.taxonomy.values("pattern")[1]]


def test_logits_are_json_in_csv(dataset: Dataset) -> None:
    (row,) = _export(dataset, "proposals", ".csv")
    assert json.loads(row["logits"])[:3] == [0.0, 1.0, 0.0]


def test_mistakes_are_named(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"expected a table of photos, people.*'foto'"):
        export_table(dataset, "foto", tmp_path / "a.csv")
    with pytest.raises(BadSetting, match=r"ends in \.csv, \.parquet, \.jsonl, but got 'a\.xlsx'"):
        export_table(dataset, "photos", tmp_path / "a.xlsx")
    with pytest.raises(DatasetError, match="expected to write"):
        export_table(dataset, "photos", dataset.folder / "dataset.toml" / "a.csv")


def test_an_export_that_fails_leaves_the_old_file(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out" / "photos.CSV"
    export_table(dataset, "photos", out)
    before = out.read_bytes()
    export_table(dataset, "photos", out)
    assert out.read_bytes() == before
    blocked = tmp_path / "out" / "people.csv"
    blocked.mkdir()
    with pytest.raises(DatasetError):
        export_table(dataset, "people", blocked)
    assert sorted(path.name for path in out.parent.iterdir()) == ["people.csv", "photos.CSV"]
