"""A small data set whose pictures and embeddings a test chooses."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from garments.boxes import Box
from garments.catalog.rows import garment_row, photo_row
from garments.dataset import Dataset
from garments.ids import content_id
from garments.images import Pixels, encode_jpeg, phash
from garments.parts import Region
from garments.records import Garment, Photo

MODEL = "starter@1+grey"


def scene(seed: int, width: int = 160, height: int = 240) -> Pixels:
    """A picture with large and small shapes, another one for every seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 4, 3), np.uint8)
    fine = rng.integers(-30, 30, (24, 16, 3))
    grown = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    detail = np.kron(fine, np.ones((height // 24, width // 16, 1)))
    return np.clip(grown + detail, 0, 255).astype(np.uint8)


def altered(pixels: Pixels, kind: str) -> Pixels:
    """The same picture as somebody else posted it."""
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    if kind == "smaller":
        image = image.resize((width * 6 // 10, height * 6 // 10))
    if kind == "trimmed":
        across, down = width * 3 // 100, height * 3 // 100
        image = image.crop((across, down, width - across, height - down))
    if kind == "brighter":
        image = image.point(lambda value: min(255, int(value * 1.1 + 5)))
    file = BytesIO()
    image.save(file, "JPEG", quality=50 if kind == "compressed" else 90)
    return np.asarray(Image.open(file).convert("RGB"))


def wear(dataset: Dataset, photo: str, pixels: Pixels, crops: Mapping[str, Pixels]) -> None:
    """Add a photo with a preview and garments (id -> crop); ids end in their region's letter."""
    height, width = pixels.shape[:2]
    dataset.catalog.add("photos", [photo_row(Photo(photo, width, height, phash=phash(pixels)))])
    save(dataset.preview_path(photo), pixels)
    found = []
    for name, crop in crops.items():
        data = encode_jpeg(crop)
        sha = content_id(data)
        path = dataset.crop_path(sha)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        region = Region.LOWER if name.endswith("low") else Region.UPPER
        found.append(Garment(name, photo, None, region, Box(0, 0, 9, 9), None, 9, sha))
    dataset.catalog.add("garments", [garment_row(garment) for garment in found])


def embed(dataset: Dataset, vectors: Mapping[str, np.ndarray], model: str = MODEL) -> None:
    """Keep a vector, made one long, for each garment's present crop."""
    rows = dataset.catalog.active_garments(columns=["garment_id", "crop_sha"]).to_pylist()
    shas = {row["garment_id"]: row["crop_sha"] for row in rows}
    found = np.array(list(vectors.values()), np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    dataset.catalog.add_embeddings(model, list(vectors), [shas[n] for n in vectors], found)


def save(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(pixels))
