"""What a camera does to a picture: grain, blur, white balance, exposure, compression."""

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.synthetic import noise

Image = NDArray[np.float32]


def expose(rng: np.random.Generator, pixels: Image) -> NDArray[np.uint8]:
    """`pixels` (H, W, 3) float32 RGB in [0, 255] as a photograph of the same size, uint8 RGB."""
    pixels = _vignette(rng, pixels) if rng.random() < 0.3 else pixels
    if rng.random() < 0.35:
        soft = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.3, 1.1)))
        pixels = np.asarray(soft, np.float32)
    pixels = pixels + _grain(rng, pixels.shape[:2], float(rng.uniform(0.5, 6.0)))
    flat = np.clip(pixels, 0, 255).astype(np.uint8)
    flat = cv2.LUT(flat, _curves(rng)).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(45, 92))
        _, data = cv2.imencode(".jpg", flat, [cv2.IMWRITE_JPEG_QUALITY, quality])
        flat = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(flat)


def _grain(rng: np.random.Generator, shape: tuple[int, ...], amount: float) -> Image:
    height, width = shape[:2]
    bank = noise.grain()
    x, y = (int(v) for v in rng.integers(0, noise.BANK, 2))
    rolled = np.roll(bank, (y, x), (0, 1))
    tiles = (height // noise.BANK + 1, width // noise.BANK + 1)
    field = np.tile(rolled, tiles)[:height, :width]
    return np.asarray((field * np.float32(amount))[..., None], np.float32)


def _curves(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Tone curve a channel, (1, 256, 3): exposure, contrast, gamma, white balance."""
    x = np.arange(256, dtype=np.float32) / 255
    gamma, gain = float(rng.uniform(0.8, 1.25)), float(rng.uniform(0.85, 1.12))
    contrast, lift = float(rng.uniform(0.85, 1.15)), float(rng.uniform(0, 0.05))
    tone = np.clip((x**gamma - 0.5) * contrast + 0.5, 0, 1) * gain
    tone = lift + tone * (1 - lift)
    warmth, tint = float(rng.normal(0, 0.035)), float(rng.normal(0, 0.015))
    channels = np.stack([tone * (1 + warmth), tone * (1 + tint), tone * (1 - warmth)], -1)
    return np.clip(channels * 255, 0, 255).astype(np.uint8)[None]


def _vignette(rng: np.random.Generator, pixels: Image) -> Image:
    height, width = pixels.shape[:2]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    fall = 1 - np.float32(rng.uniform(0.08, 0.25)) * (x * x + y * y) / 2
    return np.asarray(pixels * fall[..., None], np.float32)
