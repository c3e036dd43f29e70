"""Records to catalogue rows and back."""

from collections.abc import Mapping
from typing import Any

from garments.boxes import Box
from garments.ids import stable_id
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.records import Doubt, Garment, Person, Photo, PhotoState, Source, Verdict

Row = dict[str, Any]


def photo_row(photo: Photo) -> Row:
    """Row of `photos`."""
    return {
        "photo_id": photo.photo_id,
        "width": photo.width,
        "height": photo.height,
        "state": str(photo.state),
        "reason": photo.reason,
        "phash": photo.phash,
    }


def photo_from_row(row: Mapping[str, Any]) -> Photo:
    """Inverse of `photo_row`."""
    return Photo(
        row["photo_id"],
        row["width"],
        row["height"],
        PhotoState(row["state"]),
        row["reason"] or "",
        row["phash"] or "",
    )


def source_row(source: Source) -> Row:
    """Row of `sources`."""
    return {
        "source_id": source.source_id,
        "origin": source.origin,
        "photo_id": source.photo_id,
        "handle": source.handle,
        "licence": source.licence,
        "consent": source.consent,
        "taken_at": source.taken_at,
        "state": str(source.state),
        "reason": source.reason,
        "split": source.split,
    }


def source_from_row(row: Mapping[str, Any]) -> Source:
    """Inverse of `source_row`."""
    return Source(
        source_id=row["source_id"],
        origin=row["origin"],
        photo_id=row["photo_id"],
        handle=row["handle"] or "",
        licence=row["licence"] or "",
        consent=row["consent"] or "",
        taken_at=row["taken_at"] or "",
        state=PhotoState(row["state"]),
        reason=row["reason"] or "",
        split=row["split"] or "",
    )


def person_row(person: Person, config_hash: str = "") -> Row:
    """Row of `people`, as seen by the extraction with this configuration."""
    return {
        "person_id": person.person_id,
        "photo_id": person.photo_id,
        **_box_columns(person.box),
        "score": float(person.score),
        "verdict": str(person.verdict),
        "reason": person.reason,
        "config_hash": config_hash or None,
    }


def person_from_row(row: Mapping[str, Any]) -> Person:
    """Inverse of `person_row`."""
    return Person(
        row["person_id"],
        row["photo_id"],
        _box(row),
        row["score"],
        Verdict(row["verdict"]),
        row["reason"] or "",
    )


def garment_row(garment: Garment, config_hash: str = "") -> Row:
    """Row of `garments`, as cut by the extraction with this configuration."""
    mask = garment.mask
    return {
        "garment_id": garment.garment_id,
        "photo_id": garment.photo_id,
        "person_id": garment.person_id,
        "region": str(garment.region),
        **_box_columns(garment.box),
        "area": int(garment.area),
        "crop_sha": garment.crop_sha,
        "confidence": float(garment.confidence),
        "flags": [str(flag) for flag in garment.flags],
        "mask": mask.to_bytes() if mask else None,
        "mask_height": mask.height if mask else None,
        "mask_width": mask.width if mask else None,
        "config_hash": config_hash or None,
    }


def garment_from_row(row: Mapping[str, Any]) -> Garment:
    """Inverse of `garment_row`."""
    data = row["mask"]
    shape = (row["mask_height"], row["mask_width"])
    return Garment(
        garment_id=row["garment_id"],
        photo_id=row["photo_id"],
        person_id=row["person_id"],
        region=Region(row["region"]),
        box=_box(row),
        mask=None if data is None else RunLengthMask.from_bytes(*shape, data),
        area=row["area"],
        crop_sha=row["crop_sha"],
        confidence=row["confidence"],
        flags=tuple(Doubt(flag) for flag in row["flags"] or ()),
    )


def run_row(photo_id: str, config_hash: str, people: int, garments: int, after: str = "") -> Row:
    """Row of `extractions` for a finished photo; write it last.

    `after` is the extraction_id of the photo's newest run before this one, so that going back to
    an earlier configuration is a new run, while a replay is the same one.
    """
    return {
        "extraction_id": stable_id("run", photo_id, config_hash, after),
        "photo_id": photo_id,
        "config_hash": config_hash,
        "kind": "run",
        "people": people,
        "garments": garments,
    }


def retire_row(garment: Garment, config_hash: str, after: str = "", revive: bool = False) -> Row:
    """Row of `extractions` that retires a garment, or revives it; `after` as in `run_row`."""
    kind = "revive" if revive else "retire"
    return {
        "extraction_id": stable_id(kind, garment.garment_id, config_hash, after),
        "photo_id": garment.photo_id,
        "config_hash": config_hash,
        "kind": kind,
        "garment_id": garment.garment_id,
    }


def _box_columns(box: Box) -> Row:
    return {name: float(value) for name, value in box._asdict().items()}


def _box(row: Mapping[str, Any]) -> Box:
    return Box(row["x1"], row["y1"], row["x2"], row["y2"])
