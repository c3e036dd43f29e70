"""Finished inference: sources in, people, garments and tags out; nothing is recorded anywhere.

find sources -> read and decode (threads) -> detect, judge, parse (batches) -> masks and crops
(threads) -> tag (batches). The steps are those of `extract` and `prelabel`, so that a photo gets
the same people, garments and proposals here as in a data set.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path

from annotate.crops import resized_mask
from extract.ahead import ahead, in_batches
from extract.claims import Claims
from extract.crops import crop_window
from extract.files import Memory
from extract.finish import Bench, Seen, finish, finish_product
from extract.outcome import Outcome
from extract.pipeline import MOST
from extract.prepare import Prepared, prepare
from extract.sources import Found, find_sources
from extract.steps import is_prepared, see
from garmentloop.tag.models import Models, load_models
from garmentloop.tag.photo import Tag, TaggedGarment, TaggedPerson, TaggedPhoto, TagOptions
from garments.dataset import Dataset
from garments.errors import BadInput
from garments.files import printable
from garments.idset import IdSet
from garments.images import Pixels, decode
from garments.records import Garment, Person, Verdict
from garments.settings import Settings
from garments.tagger import Crop


@dataclass(frozen=True, eq=False)
class _Cut:
    """A photo whose garments are cut out: a crop for each of the outcome's garments."""

    outcome: Outcome
    crops: tuple[Crop, ...] = ()
    pixels: Pixels | None = None


def tag_photos(
    sources: Sequence[str],
    dataset: Dataset | None = None,
    options: TagOptions | None = None,
    *,
    models: Models | None = None,
) -> Iterator[TaggedPhoto]:
    """People, garments and tags of each photo that `sources` name (see `extract.sources`).

    Models are those in force in `dataset`, the defaults without one, or `models` that were loaded
    before; nothing is written to the data set. A source that cannot be read is told with its
    `problem`, and the rest goes on. Errors of models as `load_models`.
    """
    options = options or TagOptions()
    models = models or load_models(dataset, options)
    settings = models.settings
    pool = ThreadPoolExecutor(settings.extract.workers, "tag")
    try:
        founds = islice(find_each(sources), options.limit)
        depth = settings.extract.batch + settings.extract.workers
        work = partial(_prepared, longest=settings.extract.working_longest)
        prepared = ahead(pool, work, founds, depth)
        for batch in in_batches(_cut(prepared, models, options, pool), _read, depth, 4 * depth):
            yield from _tagged(batch, models)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def find_each(sources: Sequence[str]) -> Iterator[Found]:
    """The photos that `sources` name, each origin once; one that names nothing has a `problem`."""
    seen: set[str] = set()
    for source in sources:
        for found in _found(source):
            if found.origin not in seen:
                seen.add(found.origin)
                yield found


def _found(source: str) -> Iterator[Found]:
    try:
        yield from find_sources([source])
    except BadInput as error:
        yield Found(printable(source), problem=str(error))


def _prepared(found: Found, longest: int) -> Prepared | Outcome:
    # one photo under two names is tagged under both
    return prepare(found, Claims(IdSet()), longest)


def _read(cut: _Cut) -> bool:
    return cut.outcome.photo is not None


def _cut(
    prepared: Iterator[Prepared | Outcome],
    models: Models,
    options: TagOptions,
    pool: ThreadPoolExecutor,
) -> Iterator[_Cut]:
    """The chain of steps between preparation and tagging."""
    settings = models.settings
    size = settings.extract.batch
    if options.as_crops:
        work = partial(_cut_product, settings=settings, keep=options.pixels)
        yield from ahead(pool, work, prepared, size)
        return
    batches = in_batches(prepared, is_prepared, size, MOST * size)
    looked = (see(batch, models.roles, settings.framing) for batch in batches)
    seen = chain.from_iterable(looked)
    yield from ahead(pool, partial(_cut_seen, settings=settings, keep=options.pixels), seen, size)


def _cut_seen(item: Seen | Outcome, settings: Settings, keep: bool) -> _Cut:
    if isinstance(item, Outcome):
        return _Cut(item)
    bench = _Bench(settings)
    return bench.cut(finish(item, bench), item.prepared if keep else None)


def _cut_product(item: Prepared | Outcome, settings: Settings, keep: bool) -> _Cut:
    if isinstance(item, Outcome):
        return _Cut(item)
    bench = _Bench(settings)
    return bench.cut(finish_product(item, bench), item if keep else None)


class _Bench(Bench):
    """Where one photo is finished without a data set: crops stay in memory."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(Dataset(Path(), settings), settings, Memory())

    def write_preview(self, prepared: Prepared) -> None:
        """Nobody would look at it."""

    def cut(self, outcome: Outcome, prepared: Prepared | None) -> _Cut:
        """The outcome with its crops as a tagger of a data set would load them."""
        crops = tuple(self._crop(garment) for garment in outcome.garments)
        return _Cut(outcome, crops, prepared.pixels if prepared else None)

    def _crop(self, garment: Garment) -> Crop:
        assert isinstance(self.writer, Memory)
        pixels = decode(self.writer.kept[self.dataset.crop_path(garment.crop_sha)]).pixels
        if garment.mask is None:
            return Crop(pixels, None, garment.region)
        photo = garment.mask.width, garment.mask.height
        x1, y1, x2, y2 = crop_window(garment.box, self.settings.crops.margin, *photo)
        shape = pixels.shape[0], pixels.shape[1]
        mask = resized_mask(garment.mask.columns(x1, x2)[y1:y2], shape)
        return Crop(pixels, mask, garment.region)


def _tagged(batch: Sequence[_Cut], models: Models) -> Iterator[TaggedPhoto]:
    """The photos of one batch, their garments tagged together."""
    tags = iter(models.tags([crop for cut in batch for crop in cut.crops]))
    for cut in batch:
        yield _photo(cut, [next(tags) for _ in cut.crops])


def _photo(cut: _Cut, tags: Sequence[dict[str, Tag]]) -> TaggedPhoto:
    outcome = cut.outcome
    source, photo = outcome.source, outcome.photo
    if photo is None or source.reason:
        return TaggedPhoto(source.origin, source.photo_id or "", problem=source.reason)
    # Accepted people come first, so that leaving out the others leaves no gap.
    people = sorted(outcome.people, key=lambda person: person.verdict is not Verdict.ACCEPTED)
    numbers = {person.person_id: number for number, person in enumerate(people, start=1)}
    return TaggedPhoto(
        source.origin,
        photo.photo_id,
        photo.width,
        photo.height,
        tuple(_person(person, numbers[person.person_id]) for person in people),
        tuple(
            _garment(garment, numbers.get(garment.person_id or ""), said)
            for garment, said in zip(outcome.garments, tags, strict=True)
        ),
        pixels=cut.pixels,
    )


def _person(person: Person, number: int) -> TaggedPerson:
    return TaggedPerson(number, person.box, person.score, person.verdict, person.reason)


def _garment(garment: Garment, person: int | None, tags: dict[str, Tag]) -> TaggedGarment:
    return TaggedGarment(
        garment.garment_id,
        person,
        garment.region,
        garment.box,
        garment.mask,
        garment.area,
        garment.confidence,
        garment.flags,
        tags,
    )
