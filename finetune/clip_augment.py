"""How the image-text model is shown a picture: surroundings, place, light, never another hue."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.finetuned.picture import fitted
from annotate.preparation import GREY, prepared
from finetune.augment import Affine, erase
from finetune.clip_data import Shown
from finetune.clip_net import IMAGE_SIDE
from garments.images import Pixels
from garments.parts import Region
from garments.tagger import Crop

SURROUNDINGS = ("keep", "grey", "white", "blur", "color", "noise", "photo")
ODDS_OF_PRODUCT = (0.6, 0.08, 0.02, 0.02, 0.04, 0.04, 0.2)
ODDS_OF_WORN = (0.2, 0.55, 0.05, 0.05, 0.05, 0.04, 0.06)
"""How often each is shown: mostly what a tagger sees too, a product as it is, a garment that is
cut out of a photo on grey; and a product where it may lie or hang in other people's photos."""

NOTHING: Sequence[Pixels] = ()


def augmented(
    shown: Shown, rng: np.random.Generator, behind: Sequence[Pixels] = NOTHING
) -> NDArray[np.uint8]:
    """The picture as (96, 96, 3), differently each time; at times with a photo `behind` it."""
    pixels = lit(placed(_surrounded(shown, rng, behind), IMAGE_SIDE, rng), rng)
    if rng.random() < 0.08:
        erase(pixels, rng)
    return pixels


def plain(pixels: Pixels) -> NDArray[np.uint8]:
    """The picture fitted into (96, 96, 3) as at inference, up to the interpolation's details."""
    return fitted(pixels, IMAGE_SIDE)


def _surrounded(shown: Shown, rng: np.random.Generator, photos: Sequence[Pixels]) -> Pixels:
    """The garment on its own surroundings or on others."""
    if shown.mask is None:
        return shown.pixels
    product = shown.region is Region.UNKNOWN
    kind = str(rng.choice(SURROUNDINGS, p=ODDS_OF_PRODUCT if product else ODDS_OF_WORN))
    crop = Crop(shown.pixels, shown.mask.decode())
    if kind in ("keep", "grey", "white", "blur"):
        return prepared(crop, kind)  # type: ignore[arg-type]
    assert crop.mask is not None
    behind = _behind(kind, crop.mask.shape, rng, photos)
    mixed = np.where(crop.mask[:, :, None], shown.pixels, behind)
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def _behind(
    kind: str, size: tuple[int, ...], rng: np.random.Generator, photos: Sequence[Pixels]
) -> NDArray[np.float32]:
    """Surroundings (H, W, 3): a part of a photo, noise, or one color (also without photos)."""
    height, width = size[0], size[1]
    if kind == "photo" and photos:
        photo = photos[int(rng.integers(len(photos)))]
        tall, wide = photo.shape[:2]
        share = rng.uniform(0.4, 1.0)
        h, w = max(1, int(share * tall)), max(1, int(share * wide))
        y, x = int(rng.integers(tall - h + 1)), int(rng.integers(wide - w + 1))
        part = cv2.resize(photo[y : y + h, x : x + w], (width, height))
        return np.asarray(part[:, :: rng.choice((-1, 1))], np.float32)
    plain_color = np.full((height, width, 3), rng.integers(0, 256, 3), np.float32)
    if kind != "noise":
        return plain_color
    cells = rng.normal(0, 50, (rng.integers(2, 9), rng.integers(2, 9), 3)).astype(np.float32)
    cloud = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(plain_color + cloud, np.float32)


def placed(pixels: Pixels, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Somewhere in a frame (side, side, 3): turned, flipped, stretched, at times coarse."""
    height, width = pixels.shape[:2]
    if rng.random() < 0.1:
        coarse = rng.uniform(0.3, 0.8)
        small = cv2.resize(pixels, None, fx=coarse, fy=coarse, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(small, np.uint8)
        height, width = pixels.shape[:2]
    fitted = side / max(height, width)
    zoom = fitted * np.exp(rng.uniform(-0.12, 0.15))
    aspect = np.exp(rng.normal(0, 0.04))
    shift = rng.normal(0, 0.025, 2) * side
    move = Affine(
        scale=(float(zoom * aspect), float(zoom / aspect)),
        degrees=float(rng.normal(0, 5)) if rng.random() < 0.25 else 0.0,
        flip=bool(rng.random() < 0.5),
        source=(width / 2, height / 2),
        target=(side / 2 + float(shift[0]), side / 2 + float(shift[1])),
    )
    fill = (GREY,) * 3 if rng.random() < 0.9 else (255,) * 3
    return np.asarray(
        cv2.warpAffine(
            pixels,
            move.matrix(),
            (side, side),
            flags=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=fill,
        ),
        np.uint8,
    )


def lit(
    pixels: NDArray[np.uint8], rng: np.random.Generator, strength: float = 1.0
) -> NDArray[np.uint8]:
    """Exposure, contrast and a slight cast of light; the hue is what color is learned from."""
    gain = np.exp(rng.normal(0, 0.1 * strength)) * np.exp(rng.normal(0, 0.025 * strength, 3))
    contrast = np.exp(rng.normal(0, 0.1 * strength))
    image = pixels.astype(np.float32)
    image = (image - 128) * np.float32(contrast) + 128
    image *= gain.astype(np.float32)
    if rng.random() < 0.05:
        image += rng.normal(0, rng.uniform(2, 8), image.shape).astype(np.float32)
    return np.asarray(np.clip(image, 0, 255), np.uint8)
