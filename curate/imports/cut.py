"""One photo of a set: decoded, its labelled garments cut out as `extract` cuts what it finds."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.imports.entries import Entry, Figure, Look, Piece
from curate.imports.record import Imported
from extract.crops import doubts, garment_crop, photo_mask
from extract.finish import Bench
from extract.outcome import Fate, Outcome
from extract.prepare import Prepared
from extract.regions import GarmentMask
from garments.boxes import Box
from garments.errors import BadInput
from garments.ids import garment_id, person_id
from garments.images import decode, fit, phash
from garments.parts import Region
from garments.records import Garment, Person, Photo, PhotoState, Source


@dataclass(frozen=True, eq=False)
class Claimed:
    """An entry whose photo was read: `data` are the file's bytes."""

    entry: Entry
    source: Source
    data: bytes


@dataclass(frozen=True, eq=False)
class Done:
    """What became of an entry; `look` is None where its labels were not read."""

    outcome: Outcome
    look: Look | None = None


def foretell(item: Claimed | Outcome) -> Done:
    """What `cut` would find, without decoding the photo or writing anything."""
    if isinstance(item, Outcome):
        return Done(item)
    try:
        look = item.entry.look()
    except BadInput as error:
        return Done(_unusable(item, str(error)))
    return Done(Outcome(Fate.EXTRACTED, item.source), look)


def cut(item: Claimed | Outcome, bench: Bench) -> Done:
    """Decode, check, cut, write crops and preview; safe to call from several threads."""
    done = foretell(item)
    if done.look is None or done.look.outside or isinstance(item, Outcome):
        return done
    try:
        prepared = _prepared(item, bench.settings.extract.working_longest)
    except BadInput as error:
        photo = Photo(item.source.photo_id or "", 0, 0, PhotoState.UNREADABLE, str(error))
        unreadable = replace(item.source, state=PhotoState.UNREADABLE, reason=str(error))
        return Done(Outcome(Fate.UNREADABLE, unreadable, photo), done.look)
    size = (prepared.photo.width, prepared.photo.height)
    if done.look.size not in (None, size):
        return Done(_unusable(item, _other_size(done.look.size, size)))
    try:
        return Done(_imported(prepared, item.entry, done.look, bench), done.look)
    except BadInput as error:
        return Done(_unusable(item, str(error)))


def _prepared(item: Claimed, longest: int) -> Prepared:
    picture = decode(item.data, longest=longest)
    photo = Photo(
        item.source.photo_id or "", picture.width, picture.height, phash=phash(picture.pixels)
    )
    return Prepared(item.source, photo, picture.pixels, picture.scale)


def _unusable(item: Claimed, reason: str) -> Outcome:
    """A photo that may be fine, but whose labels cannot be used; it counts as none."""
    source = replace(item.source, photo_id=None, state=PhotoState.UNREADABLE, reason=reason)
    return Outcome(Fate.UNREADABLE, source)


def _other_size(said: tuple[int, int] | None, size: tuple[int, int]) -> str:
    width, height = said or (0, 0)
    return (
        f"expected a photo of {width} x {height} pixels, as its labels are, but it has "
        f"{size[0]} x {size[1]}; use the photos that the labels were made for"
    )


def _imported(prepared: Prepared, entry: Entry, look: Look, bench: Bench) -> Imported:
    people = [_person(figure, prepared.photo) for figure in look.figures]
    garments = [
        _garment(piece, people[piece.figure] if piece.figure is not None else None, prepared, bench)
        for piece in look.pieces
    ]
    bench.write_preview(prepared)
    return Imported(
        Fate.EXTRACTED,
        prepared.source,
        prepared.photo,
        tuple({person.person_id: person for person in people}.values()),
        tuple(garments),
        tuple((f"{entry.key}#{piece.key}", piece.values) for piece in look.pieces),
    )


def _person(figure: Figure, photo: Photo) -> Person:
    name = person_id(photo.photo_id, figure.box)
    return Person(name, photo.photo_id, figure.box, 1.0, figure.verdict, figure.reason)


def _garment(piece: Piece, person: Person | None, prepared: Prepared, bench: Bench) -> Garment:
    photo, settings = prepared.photo, bench.settings.crops
    wearer = person.person_id if person else None
    if piece.mask is None:
        box = Box(0.0, 0.0, float(photo.width), float(photo.height))
        return Garment(
            garment_id(photo.photo_id, wearer, piece.region, box),
            photo.photo_id,
            wearer,
            piece.region,
            box,
            mask=None,
            area=photo.width * photo.height,
            crop_sha=bench.write_crop(fit(prepared.pixels, settings.longest)),
        )
    mask = _garment_mask(piece.region, piece.left, piece.top, piece.mask)
    run_lengths = photo_mask(mask, 1, photo.width, photo.height)
    crop = garment_crop(prepared.pixels, _scaled(mask, prepared), settings)
    return Garment(
        garment_id(photo.photo_id, wearer, piece.region, mask.box),
        photo.photo_id,
        wearer,
        piece.region,
        Box(*map(float, mask.box)),
        run_lengths,
        run_lengths.area,
        crop_sha=bench.write_crop(crop),
        flags=doubts(mask, mask.box, photo.width, photo.height),
    )


def _garment_mask(region: Region, left: int, top: int, mask: NDArray[np.bool_]) -> GarmentMask:
    """A true mask in the terms of `extract`; for feet two components are whole."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = np.sort(stats[1:, cv2.CC_STAT_AREA])
    main = float(areas[-2 if region is Region.FEET else -1 :].sum() / areas.sum())
    return GarmentMask(region, left, top, mask, 1.0, main, lost_share=0.0)


def _scaled(garment: GarmentMask, prepared: Prepared) -> GarmentMask:
    """The mask over `prepared.pixels`, which are smaller than the photo where that is huge."""
    if prepared.scale == 1:
        return garment
    height, width = prepared.pixels.shape[:2]
    x1, y1, x2, y2 = (round(side * prepared.scale) for side in garment.box)
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    size = (max(1, min(x2, width) - x1), max(1, min(y2, height) - y1))
    small = cv2.resize(garment.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return replace(garment, left=x1, top=y1, mask=small.astype(bool))
