"""A folder of street pictures with their truth, laid out like the public sets."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from garments.parts import PARTS
from garments.synthetic.looks import find_look
from garments.synthetic.scene import draw_street
from garments.synthetic.truth import Street

TABLES = {
    "splits.csv": ("photo", "label", "split"),
    "images.csv": ("file", "width", "height", "n_persons", "framing", "split"),
    "boxes.csv": ("file", "x", "y", "w", "h", "iscrowd"),
    "garments.csv": (
        "file", "person", "framing", "region", "category", "color", "pattern",
        "x1", "y1", "x2", "y2",
    ),
}  # fmt: skip
"""Tables by file name, with their columns."""

PALETTE = (
    (0, 0, 0), (120, 72, 30), (240, 190, 150), (220, 60, 60), (60, 90, 220), (150, 60, 190),
    (240, 200, 40), (60, 190, 120),
)  # fmt: skip
"""Viewing colors of PARTS in label maps."""


def write_street(folder: Path | str, count: int, seed: int, look: str) -> Iterator[int]:
    """Write `count` pictures of a look, seeds `seed`, `seed + 1` ...; yields how many are done.

    Photos go to `photos/NNNN.jpg`, label maps (PARTS) to `labels/NNNN.png`. Every tenth picture is
    in split val, and every one of the look `unseen`, which no training may use. Boxes are in
    pixels: x, y, w, h in `boxes.csv`, xyxy in `garments.csv`. `person` counts from 0 in the order
    of `boxes.csv`; `framing` is given for single people.
    """
    find_look(look)
    root = Path(folder)
    for name in ("photos", "labels"):
        (root / name).mkdir(parents=True, exist_ok=True)
    _write_rows(root / "labels.csv", ("id", "name"), list(enumerate(PARTS)))
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
    for k in range(count):
        split = "val" if look == "unseen" or k % 10 == 9 else "train"
        _one(root, k + 1, draw_street(seed + k, look), split, rows)
        yield k + 1
    for name, header in TABLES.items():
        _write_rows(root / name, header, rows[name])
    note = {"name": "synthetic street", "look": look, "first_seed": seed, "photos": count}
    note["licence"] = "Apache-2.0"
    (root / "dataset.json").write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


def _one(
    root: Path, number: int, street: Street, split: str, rows: dict[str, list[tuple[Any, ...]]]
) -> None:
    photo, label = f"photos/{number:04d}.jpg", f"labels/{number:04d}.png"
    bgr = cv2.cvtColor(street.pixels, cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(root / photo), bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
    _write_labels(root / label, street.labels)
    height, width = street.labels.shape
    people = street.people
    framing = people[0].framing if len(people) == 1 else ""
    rows["splits.csv"].append((photo, label, split))
    rows["images.csv"].append((photo, width, height, len(people), framing, split))
    for k, person in enumerate(people):
        b = person.box
        rows["boxes.csv"].append((photo, b.x1, b.y1, b.width, b.height, 0))
        for g in person.garments:
            names = (person.framing, g.region.value, g.category, g.color, g.pattern)
            rows["garments.csv"].append((photo, k, *names, *g.box))


def _write_labels(path: Path, labels: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    """An 8-bit palette PNG whose pixel values are PARTS indices."""
    from PIL import Image

    image = Image.fromarray(labels)
    image.putpalette([c for color in PALETTE for c in color])
    image.save(path)


def _write_rows(path: Path, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
