"""The annotated picture: people in a thin box, garments in their region's color, with a label."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from garmentloop.tag.photo import Tag, TaggedGarment, TaggedPhoto
from garmentloop.tag.placing import Place, Wanted, places
from garmentloop.tag.words import UNSURE, label_tags, verdict_words
from garments.boxes import Box
from garments.errors import BadInput
from garments.images import Pixels
from garments.parts import Region
from garments.records import Doubt

COLORS = {
    Region.UPPER: "#2f6fed",
    Region.LOWER: "#e8a100",
    Region.WHOLE: "#c026d3",
    Region.FEET: "#0d9f7a",
    Region.ACCESSORIES: "#e5484d",
    Region.UNKNOWN: "#5c6b7a",
}
"""One color a region, those of the contact sheet."""

TINT = 0.2
"""How much of a region's color lies on a garment."""

SMALLEST, SHARE = 11, 0.017
"""Size of the text: pixels at least, and as a share of the picture's longer side."""

WIDEST = 0.62
"""Share of the picture's width that a label takes at most, unless its first word is longer."""

HEAD = 0.18
"""Share of a person's box, from its top, that labels shall not cover."""

GROUND, INK, PALE = (17, 20, 26, 215), (255, 255, 255, 255), (190, 198, 208, 255)
THIN, TURNED_DOWN = (255, 255, 255, 190), (170, 176, 186, 230)

Piece = tuple[str, tuple[int, int, int, int]]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class _Label:
    """Text in pieces of a color each, for a box with its own color."""

    box: Box
    color: str
    pieces: tuple[Piece, ...]


def annotated(photo: TaggedPhoto) -> Pixels:
    """The photo's pixels with everybody and everything drawn that `photo` has.

    Large photos come as reduced as their `pixels`. Raises `BadInput` for a photo without these.
    """
    if photo.pixels is None:
        raise BadInput(
            "expected a photo with its pixels, but it has none; tag it with `pixels` and draw what "
            "could be read"
        )
    image = Image.fromarray(_tinted(photo, photo.pixels))
    scale = image.width / photo.width
    size = max(SMALLEST, round(SHARE * max(image.size)))
    draw = ImageDraw.Draw(image, "RGBA")
    for person in photo.people:
        _draw_person(draw, _scaled(person.box, scale), person.accepted, max(1, size // 14))
    for garment in photo.garments:
        box = _scaled(garment.box, scale)
        ends = (box.x1, box.y1, box.x2 - 1, box.y2 - 1)
        draw.rectangle(ends, outline=COLORS[garment.region], width=max(2, size // 7))
    heads = [_head(_scaled(one.box, scale)) for one in photo.people if one.accepted]
    _draw_labels(draw, image.size, _labels(photo, scale, image.width, size), heads, size)
    return np.asarray(image, np.uint8)


def _tinted(photo: TaggedPhoto, pixels: Pixels) -> Pixels:
    """A copy of the pixels with each garment's mask in a hint of its color."""
    tinted = pixels.copy()
    height, width = pixels.shape[:2]
    for garment in photo.garments:
        if garment.mask is None or Doubt.SECOND_GUESS in garment.flags:
            continue  # a second guess lies on what won, and two tints tell nothing
        mask = garment.mask.decode().astype(np.uint8)
        if mask.shape != (height, width):
            mask = np.asarray(
                cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8
            )
        on = mask > 0
        color = np.array(ImageColor.getrgb(COLORS[garment.region])[:3])
        tinted[on] = np.rint(tinted[on] * (1 - TINT) + color * TINT).astype(np.uint8)
    return tinted


def _draw_person(draw: ImageDraw.ImageDraw, box: Box, accepted: bool, width: int) -> None:
    """A thin box, dashed around somebody who was turned down."""
    x1, y1, x2, y2 = box.x1, box.y1, box.x2 - 1, box.y2 - 1
    if accepted:
        draw.rectangle((x1, y1, x2, y2), outline=THIN, width=width)
        return
    dash = 6 * width
    for start in range(round(x1), round(x2), 2 * dash):
        for y in (y1, y2):
            draw.line((start, y, min(start + dash, x2), y), fill=TURNED_DOWN, width=width)
    for start in range(round(y1), round(y2), 2 * dash):
        for x in (x1, x2):
            draw.line((x, start, x, min(start + dash, y2)), fill=TURNED_DOWN, width=width)


def _labels(photo: TaggedPhoto, scale: float, width: int, size: int) -> list[_Label]:
    """Labels of garments, and of people who were turned down."""
    font = _font(size)
    room = width - 2 * _pad(size)
    found = [
        _Label(_scaled(g.box, scale), COLORS[g.region], _fitting(_versions(g), font, room))
        for g in photo.garments
        if g.tags
    ]
    for person in photo.people:
        if not person.accepted:
            said: list[tuple[Piece, ...]] = [((verdict_words(person.verdict), PALE),)]
            box = _scaled(person.box, scale)
            found.append(_Label(box, "#aab0ba", _fitting(said, font, room)))
    return found


def _versions(garment: TaggedGarment) -> list[tuple[Piece, ...]]:
    """What a label may say, the fullest first: all values, then fewer of them."""
    tags = label_tags(garment)
    full = [(_text(tag, first), f" {tag.confidence:.0%}") for first, tag in _firsts(tags)]
    dot: Piece = ("  ·  ", PALE)
    versions: list[tuple[Piece, ...]] = []
    for sure, count in ((3, 3), (1, 3), (1, 2), (1, 1)):
        pieces: list[Piece] = []
        for at, (text, confidence) in enumerate(full[:count]):
            pieces += [dot] if at else []
            pieces.append((text, INK if not tags[at].abstained else PALE))
            pieces += [(confidence, PALE)] if at < sure else []
        versions.append(tuple(pieces))
    return versions


def _firsts(tags: Sequence[Tag]) -> list[tuple[bool, Tag]]:
    return [(at == 0, tag) for at, tag in enumerate(tags)]


def _text(tag: Tag, first: bool) -> str:
    pairs = zip(tag.titles, tag.values, strict=True)
    text = "/".join(drawable(title) or value for title, value in pairs)
    return (text if first else text.lower()) + (UNSURE if tag.abstained else "")


@lru_cache(maxsize=4096)
def drawable(text: str) -> str:
    """`text` in letters that the font has, without accents; empty where that leaves too little."""
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(letter for letter in plain if letter.isascii() and letter.isprintable())
    letters = [letter for letter in plain if not unicodedata.combining(letter)]
    return kept if len(kept) == len(letters) else ""


def _fitting(versions: Sequence[tuple[Piece, ...]], font: Font, room: float) -> tuple[Piece, ...]:
    """The fullest version that fits; the shortest cut to `room` pixels where none does."""
    for pieces in versions:
        if _length(pieces, font) <= WIDEST * room:
            return pieces
    pieces = versions[-1]
    if _length(pieces, font) <= room:
        return pieces
    text, color = "".join(text for text, _ in pieces), pieces[0][1]
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return ((text + "…", color),)


def _draw_labels(
    draw: ImageDraw.ImageDraw,
    picture: tuple[int, int],
    labels: Sequence[_Label],
    heads: Sequence[Box],
    size: int,
) -> None:
    font, pad = _font(size), _pad(size)
    height = round(1.5 * size)
    wanted = [Wanted(one.box, _length(one.pieces, font) + 2 * pad, height) for one in labels]
    if any(one.width > picture[0] or one.height > picture[1] for one in wanted):
        return  # no word fits into a picture that small
    found = places(wanted, heads, *picture)
    for label, place in zip(labels, found, strict=True):
        if place.line:
            draw.line(place.line, fill=label.color, width=max(1, size // 10))
    for label, place in zip(labels, found, strict=True):
        _draw_label(draw, label, place, font, pad)


def _draw_label(
    draw: ImageDraw.ImageDraw, label: _Label, place: Place, font: Font, pad: float
) -> None:
    x1, y1, x2, y2 = (round(side) for side in place.box)
    draw.rectangle((x1, y1, x2 - 1, y2 - 1), fill=GROUND)
    draw.rectangle((x1, y1, x1 + max(2, round(pad / 3)), y2 - 1), fill=label.color)
    x, middle = x1 + pad, (y1 + y2) / 2
    for text, color in label.pieces:
        draw.text((x, middle), text, font=font, fill=color, anchor="lm")
        x += font.getlength(text)


def _length(pieces: Sequence[Piece], font: Font) -> float:
    return sum(font.getlength(text) for text, _ in pieces)


def _pad(size: int) -> float:
    return 0.6 * size


@lru_cache(maxsize=16)
def _font(size: int) -> Font:
    return ImageFont.load_default(size=size)


def _scaled(box: Box, scale: float) -> Box:
    return Box(*(side * scale for side in box))


def _head(box: Box) -> Box:
    return Box(box.x1, box.y1, box.x2, box.y1 + HEAD * box.height)
