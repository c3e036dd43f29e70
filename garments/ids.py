"""Deterministic ids: the same thing gets the same id on every machine, for ever."""

import hashlib
import math

ID_LENGTH = 16
"""Hex digits of an id: 64 bits, one expected collision at about four billion items."""

BOX_GRID = 4
"""Pixels to which a garment's box is rounded before it is hashed, so that noise keeps the id."""


def content_id(data: bytes) -> str:
    """SHA-256 of a file's bytes, first 16 hex digits."""
    return hashlib.sha256(data).hexdigest()[:ID_LENGTH]


def stable_id(*parts: object) -> str:
    """Id of the thing that `parts` name, in order; parts are compared by their text."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


def person_id(photo_id: str, box: tuple[float, float, float, float]) -> str:
    """Id of one detection in one photo; `box` is xyxy in pixels of the upright photo."""
    return stable_id("person", photo_id, *_on_grid(box))


def garment_id(
    photo_id: str, person: str | None, region: str, box: tuple[float, float, float, float]
) -> str:
    """Id of a garment by photo, person, region and box (xyxy pixels, rounded to 4 px)."""
    return stable_id("garment", photo_id, person or "", region, *_on_grid(box))


def _on_grid(box: tuple[float, float, float, float]) -> tuple[int, ...]:
    return tuple(math.floor(value / BOX_GRID + 0.5) * BOX_GRID for value in box)
