"""Small sets in the layouts of the published ones, and imports in a process of their own."""

import csv
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "extract"))

import standins

from curate.imports.names import open_set
from curate.imports.options import ImportOptions, ImportProgress
from curate.imports.run import run
from garments.catalog import TABLES
from garments.dataset import Dataset
from garments.said import people_say_in

IDS = {"null": 0, "hair": 1, "skin": 2, "jacket": 3, "jeans": 4, "dress": 5, "boots": 6, "bag": 7}
"""Ids of labels in a small CCP, by the parts of `standins` in their order."""

Cells = Mapping[str, object]


def write_table(path: Path, rows: Sequence[Cells]) -> None:
    """A CSV table with the columns of its first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def noise(path: Path, seed: int, size: tuple[int, int] = (60, 80)) -> Path:
    """A picture of (width, height) pixels that differs from all others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def clothing(root: Path, words: Iterable[str] = ("dress", "pants", "hat", "shirt")) -> Path:
    """A small clothing set: a photo a word, the last one held out."""
    words = list(words)
    rows = []
    for number, word in enumerate(words):
        name = f"images/{number:04d}.png"
        noise(root / name, number)
        split = "validation" if number == len(words) - 1 else "train"
        rows.append({"file": name, "category": word, "split": split})
    write_table(root / "labels.csv", rows)
    return root


def product(number: int, **cells: str) -> dict[str, str]:
    """A row of Fashion Product Images."""
    row = {"file": f"images/{number}.png", "id": str(number), "split": "train", "gender": "Women"}
    row |= {"masterCategory": "Apparel", "subCategory": "Topwear", "articleType": "Shirts"}
    row |= {"baseColour": "Navy Blue", "usage": "Casual", "name_pattern_weak": ""}
    return row | cells


def products(root: Path, rows: Sequence[Cells]) -> Path:
    """A small Fashion Product Images."""
    for number, row in enumerate(rows):
        noise(root / str(row["file"]), number)
    write_table(root / "labels.csv", rows)
    return root


def outfit(dress: bool = False) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A photo of one person (320 x 240), and which part each pixel is."""
    pixels = standins.canvas(240, 320)
    standins.paint_person(pixels, 60, 20, 280, dress=dress)
    near = ((pixels[:, :, None].astype(int) - standins.PAINT.astype(int)) ** 2).sum(axis=-1)
    return pixels, near.argmin(axis=-1).astype(np.uint8)


def ccp(root: Path, count: int = 4) -> Path:
    """A small CCP: people in jacket and jeans, every second one in a dress."""
    rows = []
    for number in range(count):
        pixels, parts = outfit(dress=number % 2 == 1)
        pixels[0, :8, 0] += np.array([number >> bit & 1 for bit in range(8)], np.uint8)
        rows.append(save_parsed(root, number, pixels, parts))
    write_table(root / "splits.csv", rows)
    write_table(root / "labels.csv", [{"id": i, "name": name} for name, i in IDS.items()])
    return root


def save_parsed(root: Path, number: int, pixels: Any, labels: Any) -> dict[str, str]:
    """Save a photo with its label map; its row of the table."""
    names = {"photo": f"photos/{number:04d}.png", "label": f"labels/{number:04d}.png"}
    for name, picture in zip(names.values(), (pixels, labels), strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(root / name)
    return names | {"split": "val" if number == 0 else "train"}


def ccp_tags(root: Path, tags: Sequence[str]) -> Path:
    """Photos with tags alone; a row without a picture comes last."""
    rows = []
    for number, words in enumerate(tags):
        pixels, _ = outfit(dress="dress" in words)
        pixels[0, :8, 0] += np.array([number >> bit & 1 for bit in range(8)], np.uint8)
        name = f"photos_tagged/{number}.png"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / name)
        rows.append({"image": name, "tags": words, "photo_included": 1})
    rows.append({"image": "photos_tagged/gone.jpg", "tags": "hat", "photo_included": 0})
    write_table(root / "image_tags.csv", rows)
    return root


def coco(root: Path, kind: str = "instances", split: str = "val2017") -> Path:
    """Two photos of COCO: one of a person and a crowd, one of a dog."""
    noise(root / split / "000000000001.png", 1, (200, 100))
    noise(root / split / "000000000002.png", 2, (200, 100))
    image = {"height": 100, "width": 200, "license": 4}
    person = {"category_id": 1, "iscrowd": 0}
    data = {
        "licenses": [{"id": 4, "url": "http://creativecommons.org/licenses/by/2.0/"}],
        "images": [image | {"id": n, "file_name": f"{n:012d}.png"} for n in (1, 2)],
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
        "annotations": [
            person | {"id": 1, "image_id": 1, "bbox": [50.5, 2.0, 40.0, 96.0]},
            person | {"id": 2, "image_id": 1, "bbox": [0, 0, 200, 50], "iscrowd": 1},
            {"id": 3, "image_id": 2, "bbox": [1, 1, 9, 9], "category_id": 18, "iscrowd": 0},
        ],
    }
    path = root / "annotations" / f"{kind}_{split}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")
    return root


def encoded(mask: NDArray[np.bool_]) -> str:
    """EncodedPixels as iMaterialist publishes them, pixel by pixel: the plain definition."""
    height, _ = mask.shape
    columns, rows = np.nonzero(mask.T)
    numbers = (columns * height + rows + 1).tolist()
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == sum(runs[-1]):
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return " ".join(f"{start} {length}" for start, length in runs)


CLASSES = {0: "shirt, blouse", 4: "jacket", 6: "pants", 10: "dress", 23: "shoe", 31: "sleeve"}
DETAILS = {17: ("blazer", "nickname"), 317: ("plain (pattern)", "textile pattern")}
DETAILS |= {325: ("floral", "textile pattern"), 156: ("sleeveless", "length")}


def imaterialist(root: Path, instances: Sequence[tuple[str, int, str, NDArray[np.bool_]]]) -> Path:
    """Photos of iMaterialist 2020 from (ImageId, ClassId, AttributesIds, mask) of garments."""
    rows = []
    for number, (name, kind, attributes, mask) in enumerate(instances):
        height, width = mask.shape
        path = root / "train" / f"{name}.jpg"
        if not path.exists():
            noise(path, number, (width, height))
        row = {"ImageId": name, "EncodedPixels": encoded(mask), "Height": height, "Width": width}
        rows.append(row | {"ClassId": kind, "AttributesIds": attributes})
    write_table(root / "train.csv", rows)
    names = {
        "categories": [{"id": i, "name": n, "supercategory": "x"} for i, n in CLASSES.items()],
        "attributes": [
            {"id": i, "name": name, "supercategory": group} for i, (name, group) in DETAILS.items()
        ],
    }
    (root / "label_descriptions.json").write_text(json.dumps(names), encoding="utf-8")
    return root


def block(height: int, width: int, y1: int, y2: int, x1: int, x2: int) -> NDArray[np.bool_]:
    """A mask with one rectangle."""
    mask = np.zeros((height, width), bool)
    mask[y1:y2, x1:x2] = True
    return mask


def take(dataset: Dataset, name: str, root: Path, **options: object) -> ImportProgress:
    """Import a set; what was told last."""
    asked = ImportOptions(workers=2, **options)  # type: ignore[arg-type]
    *_, end = run(dataset, open_set(name, root, dataset, asked), asked)
    return end


def everything(dataset: Dataset) -> dict[str, list[str]]:
    """Every row of every table, with its place in the order of things."""
    return {name: sorted(map(str, dataset.catalog.rows(name).to_pylist())) for name in TABLES}


def said(dataset: Dataset) -> dict[str, dict[str, str]]:
    """What holds, by the origin's file name and region, then by attribute."""
    catalog = dataset.catalog
    origins = catalog.rows("sources", ["photo_id", "origin", "seq"]).sort_by("seq").to_pylist()
    files = {row["photo_id"]: Path(row["origin"]).name for row in reversed(origins)}
    found: dict[str, dict[str, str]] = {}
    held = people_say_in(dataset)
    for row in catalog.active_garments(columns=["garment_id", "photo_id", "region"]).to_pylist():
        own = {
            k[1]: h.value[2:-2] for k, h in held.items() if k[0] == row["garment_id"] and h.value
        }
        found[f"{files[row['photo_id']]} {row['region']}"] = own
    return found


def import_all(name: str, root: str, folder: str) -> None:
    """Import with many small commits, telling how far it has come."""
    dataset = Dataset.open_or_create(folder)
    options = ImportOptions(workers=2, commit_photos=2, commit_seconds=0.2)
    for progress in run(dataset, open_set(name, Path(root), dataset, options), options):
        print(progress.done, flush=True)
        if progress.done == int(os.environ.get("FULL_AFTER", "-1")):
            standins.resource.setrlimit(
                standins.resource.RLIMIT_FSIZE, (200, standins.resource.RLIM_INFINITY)
            )


if __name__ == "__main__":
    from garments.errors import GarmentLoopError

    if "DIE_AT" in os.environ:
        standins.die_at_write(int(os.environ["DIE_AT"]))
    try:
        import_all(*sys.argv[1:4])
    except GarmentLoopError as error:
        sys.exit(f"{type(error).__name__}: {error}")
