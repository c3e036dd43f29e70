"""Pictures of garments that anybody could tell apart, in a folder laid out like a public set."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SHAPES = {"dress": (20, 4, 44, 60), "t-shirt": (6, 20, 58, 42), "pants": (26, 4, 38, 60)}
COLORS = {"dress": (190, 40, 60), "t-shirt": (40, 90, 200), "pants": (60, 150, 60)}


def draw(word: str, number: int) -> Image.Image:
    """One garment of 64 x 64 pixels, a little different by its number."""
    rng = np.random.default_rng([number, len(word)])
    image = Image.new("RGB", (64, 64), (235, 235, 235))
    shift = rng.integers(-3, 4, 4)
    box = [int(side + move) for side, move in zip(SHAPES[word], shift, strict=True)]
    color = tuple(int(c + rng.integers(-20, 21)) for c in COLORS[word])
    ImageDraw.Draw(image).rectangle(box, fill=color)
    return image


def clothing_folder(root: Path, each: int = 8, validation: int = 4, words=tuple(SHAPES)) -> Path:
    """`each` pictures of every word to train on and `validation` beside, laid out like clothing."""
    (root / "images").mkdir(parents=True)
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "category", "split"))
        for word in words:
            for number in range(each + validation):
                name = f"images/{word}-{number}.jpg"
                draw(word, number).save(root / name, quality=95)
                split = "train" if number < each else "validation"
                table.writerow((name, word, split))
    return root
