"""Colour modes and profiles of picture files: everything becomes 8-bit sRGB."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageCms


def rgb_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """The loaded `image` of any Pillow mode as RGB (h, w, 3), uint8; transparent becomes white."""
    if image.mode == "CMYK":
        return np.array(_cmyk_to_rgb(image))
    if image.mode.startswith("I") or image.mode == "F":
        return np.repeat(_eight_bit(np.asarray(image))[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return np.array(Image.alpha_composite(paper, layer).convert("RGB"))
    return np.array(image.convert("RGB"))


def to_srgb(pixels: NDArray[np.uint8], profile: bytes | None) -> NDArray[np.uint8]:
    """RGB `pixels` (h, w, 3) from the colour space of an ICC `profile` to sRGB.

    Without a profile, or with sRGB's or one that is damaged or not for RGB, nothing is changed.
    """
    transform = _transform(profile, "RGB") if profile else None
    if transform is None:
        return pixels
    return np.array(ImageCms.applyTransform(Image.fromarray(pixels), transform))


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    """By its ink profile where the file has one, else by the plain formula."""
    profile = image.info.get("icc_profile")
    # Adobe's JPEGs hold inverted inks; Pillow turns round those of every JPEG, Adobe's or not.
    if image.format == "JPEG" and "adobe" not in image.info:
        image = ImageChops.invert(image)
    transform = _transform(profile, "CMYK") if profile else None
    if transform is None:
        return image.convert("RGB")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from `profile` to sRGB for pictures of `mode`; None where there is nothing to do."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        name = ImageCms.getProfileDescription(source)
        if source.profile.xcolor_space.strip() != mode or name.startswith("sRGB"):
            return None
        target = ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        return ImageCms.buildTransform(source, target, mode, "RGB", intent, flags)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _eight_bit(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey `values` (h, w) of 16 or 32 bits or float as 8 bits, by the range they seem to have.

    16-bit integers are taken to span 0 to 65535, floats 0 to 1 or 0 to 255; what fits none of these
    is stretched from its least to its greatest value.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return (values.astype(np.uint16) >> 8).astype(np.uint8)
    grey = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    if low < 0 or high > 65535 or (values.dtype.kind == "f" and high > 255):
        grey = (grey - low) / max(high - low, 1e-12) * 255
    elif high > 255:
        grey = grey / 257
    elif values.dtype.kind == "f" and high <= 1:
        grey = grey * 255
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)
