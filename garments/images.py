"""Pictures in memory: bytes in, upright RGB out, and the few things that are done with them.

Everywhere in garmentloop an image is an array (height, width, 3), uint8 in [0, 255], RGB (sRGB
where the file has a colour profile), turned as its EXIF orientation says.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from garments.colorspace import rgb_pixels, to_srgb
from garments.errors import BadImage
from garments.files import MAX_FILE_BYTES, read_bytes
from garments.jpeg import decode_rgb, encode_jpeg, is_whole

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "Picture",
    "Pixels",
    "decode",
    "encode_jpeg",
    "fit",
    "phash",
    "read_bytes",
]

Pixels = NDArray[np.uint8]
"""An image (height, width, 3), uint8, RGB."""

MAX_PIXELS = 120_000_000
"""Largest picture that is decoded: 120 megapixels, 360 MB of RGB."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "TIFF", "BMP", "JPEG2000", "PPM")
"""What is tried. Formats that start other programs (EPS) or are never photos are left out."""

HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
ORIENTATION = 0x0112

# Pillow's guard is one number for the process; it raises at twice that number and warns before,
# where `decode` already refuses.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    `pixels` is (h, w, 3), uint8, RGB, upright. `width` and `height` are those of the ORIGINAL,
    upright; `scale` is decoded size / original size (1.0 when nothing was reduced), so that
    photo pixels = decoded pixels / scale.
    """

    pixels: Pixels
    width: int
    height: int
    scale: float = 1.0


def decode(data: bytes, *, longest: int | None = None, max_pixels: int = MAX_PIXELS) -> Picture:
    """The picture in `data`, its longer side at most `longest` pixels where that is given.

    A big JPEG is already reduced while it is decoded. The size is read from the header and held
    against `max_pixels` (at most twice `MAX_PIXELS`) before anything is decoded. Of an animation
    the first frame is taken; what is transparent becomes white. Raises `BadImage`.
    """
    if longest is not None and longest < 1:
        raise ValueError(f"expected longest >= 1 pixel, but got {longest}")
    image = _open(data, max_pixels)
    pixels, (width, height), orientation = _decode_image(image, data, longest)
    pixels = _upright(pixels, orientation)
    if orientation >= 5:
        width, height = height, width
    if longest is not None:
        pixels = fit(pixels, longest)
    pixels = to_srgb(pixels, image.info.get("icc_profile"))
    return Picture(pixels, width, height, max(pixels.shape[:2]) / max(width, height))


def size_of(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of the picture in `data` as stored, from its header. Raises `BadImage`."""
    return _open(data, max_pixels).size


def fit(pixels: Pixels, longest: int) -> Pixels:
    """`pixels` reduced by area averaging so that its longer side is at most `longest`."""
    import cv2

    height, width = pixels.shape[:2]
    if max(height, width) <= longest:
        return pixels
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def phash(pixels: Pixels) -> str:
    """Perceptual hash, 64 bits as 16 hex digits; near-duplicates differ in few bits.

    The 8x8 lowest frequencies of the cosine transform of the 32x32 grey picture, each above their
    median or not (Zauner 2010, "Implementation and benchmarking of perceptual image hash
    functions").
    """
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    # A flat picture has only rounding noise beside its mean: keep that from becoming bits.
    low = np.round(np.asarray(cv2.dct(small), np.float32)[:8, :8], 1)
    return np.packbits(low > np.median(low)).tobytes().hex()


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """The picture with its header read and its pixels not yet decoded."""
    if not data:
        raise BadImage("expected a picture, but the file is empty (0 bytes); copy it again")
    if _is_heif(data):
        _register_heif()
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        image = Image.open(BytesIO(data), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(str(error), max_pixels) from None
    except Exception as error:  # plugins raise anything from SyntaxError to struct.error
        raise BadImage(
            "expected a picture (JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF, BMP), but got "
            f"{len(data):,} bytes that begin with {data[:12]!r}"
        ) from error
    if image.width * image.height > max_pixels:
        raise _too_large(f"{image.width} x {image.height}", max_pixels)
    return image


def _decode_image(
    image: Image.Image, data: bytes, longest: int | None
) -> tuple[Pixels, tuple[int, int], int]:
    """Pixels as stored, the original size (width, height) as stored, and the EXIF orientation."""
    try:
        if image.format in ("JPEG", "MPO"):
            size = image.size
            if not is_whole(data):
                raise BadImage("the JPEG ends before its picture does (truncated); copy it again")
            orientation = _orientation(image)
            target = _target(size, longest)
            pixels = decode_rgb(image, data, target)
        else:
            image.seek(0)
            image.load()
            # Only now: a TIFF was turned while loading, a PNG may have its EXIF at the end.
            orientation, size = _orientation(image), image.size
            pixels = rgb_pixels(image)
    except BadImage:
        raise
    except Exception as error:  # as above
        raise BadImage(
            f"the {image.format} picture of {image.width} x {image.height} pixels cannot be "
            f"decoded ({error}); it is probably truncated or damaged, copy it again"
        ) from error
    return pixels, size, orientation


def _target(size: tuple[int, int], longest: int | None) -> tuple[int, int] | None:
    """Least size (width, height) to decode to so that the longer side still has `longest`."""
    if longest is None or max(size) <= longest:
        return None
    scale = longest / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8; 1 where there is none or it cannot be read."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF is common and no reason to lose the photo
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """`pixels` turned and mirrored as EXIF orientation 1 to 8 says."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _too_large(size: str, max_pixels: int) -> BadImage:
    return BadImage(
        f"expected a picture of at most {max_pixels:,} pixels, but its header says {size}; "
        "make it smaller, or leave it out"
    )


def _is_heif(data: bytes) -> bool:
    """Whether `data` is HEIC/HEIF (and not AVIF, which has the same container)."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), 128)
    brands = {data[at : at + 4] for at in (8, *range(16, end, 4))}
    return bool(brands & HEIF_BRANDS) and not brands & {b"avif", b"avis"}


def _register_heif() -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise BadImage(
            "this is a HEIC picture, and reading those needs one more package: "
            "pip install pillow-heif"
        ) from error
    register_heif_opener(thumbnails=False)
