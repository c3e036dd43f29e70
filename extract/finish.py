"""From what was seen in a photo to its records, crops and preview."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from extract.base import Pixels
from extract.crops import cut_regions, doubts, garment_crop, photo_box, photo_mask
from extract.files import Writer
from extract.look import FoundPerson, Looked, dress
from extract.outcome import Fate, Outcome
from extract.prepare import Prepared
from extract.regions import GarmentMask
from garments.boxes import Box
from garments.dataset import Dataset
from garments.ids import content_id, garment_id, person_id
from garments.images import encode_jpeg, fit
from garments.parts import Region
from garments.records import Garment, Person, Photo
from garments.settings import Settings

CROP_QUALITY, PREVIEW_QUALITY = 92, 85


@dataclass(frozen=True, eq=False)
class Seen:
    """A photo and what the models said about it."""

    prepared: Prepared
    looked: Looked


@dataclass(frozen=True)
class Bench:
    """Where a photo is finished: the data set, its settings for this run, and the file writer."""

    dataset: Dataset
    settings: Settings
    writer: Writer

    def write_crop(self, crop: Pixels) -> str:
        """Write a garment crop; its `crop_sha`."""
        data = encode_jpeg(crop, CROP_QUALITY)
        sha = content_id(data)
        self.writer.write(self.dataset.crop_path(sha), data)
        return sha

    def write_preview(self, prepared: Prepared) -> None:
        """Write the small version of a photo."""
        small = fit(prepared.pixels, self.settings.extract.preview_longest)
        path = self.dataset.preview_path(prepared.photo.photo_id)
        self.writer.write(path, encode_jpeg(small, PREVIEW_QUALITY))


def finish(seen: Seen | Outcome, bench: Bench) -> Outcome:
    """Masks, crops and preview of one photo; safe to call from several threads.

    People and garments get the ids that their boxes give; an earlier extraction may know better.
    """
    if isinstance(seen, Outcome):
        return seen
    prepared = seen.prepared
    people: dict[str, Person] = {}
    garments: list[Garment] = []
    settings = bench.settings
    for found in dress(seen.looked, settings.framing, settings.crops.second_guess):
        person = _person(found, prepared)
        if person.person_id in people:  # two boxes within a few pixels are one person
            continue
        people[person.person_id] = person
        garments += _garments(found, person.person_id, prepared, bench)
    bench.write_preview(prepared)
    return Outcome(
        Fate.EXTRACTED,
        prepared.source,
        prepared.photo,
        tuple(people.values()),
        tuple(garments),
    )


def finish_product(item: Prepared | Outcome, bench: Bench) -> Outcome:
    """A product shot: the whole photo is the crop, its region unknown until a label tells it."""
    if isinstance(item, Outcome):
        return item
    photo = item.photo
    crop = fit(item.pixels, bench.settings.crops.longest)
    bench.write_preview(item)
    box = Box(0.0, 0.0, float(photo.width), float(photo.height))
    garment = Garment(
        garment_id(photo.photo_id, None, Region.UNKNOWN, box),
        photo.photo_id,
        None,
        Region.UNKNOWN,
        box,
        mask=None,
        area=photo.width * photo.height,
        crop_sha=bench.write_crop(crop),
    )
    return Outcome(Fate.EXTRACTED, item.source, photo, (), (garment,))


def _person(found: FoundPerson, prepared: Prepared) -> Person:
    photo = prepared.photo
    box = Box(*(side / prepared.scale for side in found.box)).clipped(photo.width, photo.height)
    name = person_id(photo.photo_id, box)
    return Person(name, photo.photo_id, box, found.score, found.verdict, found.reason)


def _garments(
    found: FoundPerson, person: str, prepared: Prepared, bench: Bench
) -> Iterator[Garment]:
    """Garments of one person in the regions that are wanted, each with its crop written."""
    wanted = cut_regions(bench.settings.crops)
    for mask in found.garments:
        if mask.region in wanted:
            garment = _garment(mask, person, prepared.photo, prepared.scale)
            crop = garment_crop(prepared.pixels, mask, bench.settings.crops)
            yield replace(garment, crop_sha=bench.write_crop(crop))


def _garment(mask: GarmentMask, person: str, photo: Photo, scale: float) -> Garment:
    box = photo_box(mask, scale, photo.width, photo.height)
    run_lengths = photo_mask(mask, scale, photo.width, photo.height)
    return Garment(
        garment_id(photo.photo_id, person, mask.region, box),
        photo.photo_id,
        person,
        mask.region,
        box,
        run_lengths,
        run_lengths.area,
        crop_sha="",
        confidence=min(1.0, mask.confidence),
        flags=doubts(mask, box, photo.width, photo.height),
    )
