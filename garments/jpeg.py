"""JPEG in and out: the fast path of `garments.images`, with Pillow where simplejpeg is missing."""

from functools import cache
from importlib import import_module
from io import BytesIO
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from garments.colorspace import rgb_pixels

START_OF_SCAN = 0xDA
END_OF_IMAGE = b"\xff\xd9"


def decode_rgb(
    image: Image.Image, data: bytes, at_least: tuple[int, int] | None
) -> NDArray[np.uint8]:
    """RGB pixels (h, w, 3) of the JPEG `data`, not turned, whose header is open as `image`.

    `at_least` (width, height) allows a decode at n/8 of the size that is no smaller than this.
    """
    fast = _simplejpeg()
    if fast is not None and image.mode in ("RGB", "L"):
        width, height = at_least or (0, 0)
        try:
            pixels = fast.decode_jpeg(data, "RGB", min_width=width, min_height=height)
            return np.asarray(pixels, np.uint8)
        except ValueError:
            pass  # strict about small faults that Pillow reads over; Pillow has the last word
    if at_least is not None:
        image.draft(None, at_least)
    image.load()
    return rgb_pixels(image)


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """`pixels` (h, w, 3) RGB uint8 as a JPEG, quality 1 to 100, chroma at half resolution.

    Always by the same library, so that equal pixels give equal bytes: crops are named by them.
    """
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, subsampling="4:2:0")
    return out.getvalue()


def encode_quickly(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Like `encode_jpeg` in half the time, with bytes that depend on what is installed."""
    fast = _simplejpeg()
    if fast is None:
        return encode_jpeg(pixels, quality)
    done = fast.encode_jpeg(np.ascontiguousarray(pixels), quality, "RGB", "420")
    return bytes(done)


def is_whole(data: bytes) -> bool:
    """Whether the JPEG's first picture has its end marker.

    Decoders fill what is missing with grey. In the coded data every 0xFF is followed by 0 or a
    restart marker, so an end marker found after the start of the scan is a real one.
    """
    at = 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0x00, 0xFF):
            at += 1  # stray and fill bytes between segments: decoders skip them as well
        elif marker == START_OF_SCAN:
            return data.find(END_OF_IMAGE, at) >= 0
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


@cache
def _simplejpeg() -> ModuleType | None:
    try:
        return import_module("simplejpeg")
    except ImportError:
        return None
