"""Single prints for a chest: RGBA float32 (128, 128, 4), RGB in [0, 255], alpha in [0, 1]."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from garments.synthetic.fabric import Cloth
from garments.synthetic.palette import Color, mix
from garments.synthetic.shapes import Points, ellipse, fill, points, smooth

Art = NDArray[np.float32]
SIDE = 128


def _blank(color: Color) -> Art:
    art = np.zeros((SIDE, SIDE, 4), np.float32)
    art[..., :3] = color
    return art


def _add(art: Art, outline: Points, color: Color) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    fill(mask, [outline], (0, 0))
    a = mask.astype(np.float32)[..., None] / 255
    art[..., :3] += (np.asarray(color, np.float32) - art[..., :3]) * a
    art[..., 3:] = np.maximum(art[..., 3:], a)


def _tones(cloth: Cloth, rng: np.random.Generator) -> tuple[Color, Color]:
    loud = ((214, 62, 54), (238, 190, 60), (70, 120, 190), (60, 150, 110))
    accent = loud[int(rng.integers(len(loud)))]
    return cloth.second, mix(accent, cloth.second, 0.15)


def badge(rng: np.random.Generator, cloth: Cloth) -> Art:
    """A disc with a simple picture in it."""
    first, second = _tones(cloth, rng)
    art = _blank(first)
    _add(art, ellipse((64, 60), 52, 50), first)
    _add(art, ellipse((64, 60), 43, 41), second)
    hill = [(22, 70), (46, 42), (62, 62), (82, 34), (106, 72), (64, 100)]
    _add(art, smooth(points(hill), steps=4), mix(first, cloth.base, 0.4))
    _add(art, ellipse((50, 34), 8, 8), first)
    return art


def slogan(rng: np.random.Generator, cloth: Cloth) -> Art:
    """Lines of large letters."""
    first, second = _tones(cloth, rng)
    art = _blank(first)
    words = ("CITY", "NORTH", "WAVE", "LOUD", "1987", "HELLO", "PARIS", "OCEAN", "CLUB")
    for k in range(int(rng.integers(1, 4))):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        word = words[int(rng.integers(len(words)))]
        scale, thick = (1.35, 5) if k == 0 else (0.9, 3)
        (w, _), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_DUPLEX, scale, thick)
        at = ((SIDE - w) // 2, 52 + 36 * k)
        cv2.putText(mask, word, at, cv2.FONT_HERSHEY_DUPLEX, scale, (255,), thick, cv2.LINE_AA)
        a = mask.astype(np.float32)[..., None] / 255
        art[..., :3] += (np.asarray(first if k == 0 else second) - art[..., :3]) * a
        art[..., 3:] = np.maximum(art[..., 3:], a)
    return art


def sunburst(rng: np.random.Generator, cloth: Cloth) -> Art:
    """Rays round a half disc."""
    first, second = _tones(cloth, rng)
    art = _blank(first)
    for k in range(9):
        a = np.pi + np.pi * k / 8
        tip = (64 + 58 * np.cos(a), 84 + 58 * np.sin(a))
        for s in (-0.09, 0.09):
            base = (64 + 30 * np.cos(a + s), 84 + 30 * np.sin(a + s))
            _add(art, points([tip, base, (64 + 30 * np.cos(a), 84 + 30 * np.sin(a))]), first)
    _add(art, points(ellipse((64, 84), 27, 27, np.pi)[:13]), second)
    _add(art, points([(20, 92), (108, 92), (108, 98), (20, 98)]), first)
    return art


def monogram(rng: np.random.Generator, cloth: Cloth) -> Art:
    """One very large letter in a frame."""
    first, second = _tones(cloth, rng)
    art = _blank(first)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    letter = chr(65 + int(rng.integers(26)))
    cv2.rectangle(mask, (18, 12), (110, 112), (255,), 4, cv2.LINE_AA)
    art[..., 3] = mask.astype(np.float32) / 255
    big = np.zeros((SIDE, SIDE), np.uint8)
    cv2.putText(big, letter, (32, 92), cv2.FONT_HERSHEY_TRIPLEX, 3, (255,), 8, cv2.LINE_AA)
    a = big.astype(np.float32)[..., None] / 255
    art[..., :3] += (np.asarray(second) - art[..., :3]) * a
    art[..., 3:] = np.maximum(art[..., 3:], a)
    return art


MOTIFS: dict[str, Callable[[np.random.Generator, Cloth], Art]] = {
    f.__name__: f for f in (badge, slogan, sunburst, monogram)
}
"""Every chest print by name."""
