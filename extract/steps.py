"""The steps from a source to its outcome, each on a batch: they run in threads or on a cluster.

read and decode -> detect, judge, parse (models) -> masks, crops and preview.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from extract.claims import Settled
from extract.files import Memory
from extract.finish import Bench, Seen, finish, finish_product
from extract.look import look
from extract.outcome import Outcome
from extract.pipeline import Step
from extract.prepare import Prepared, prepare
from extract.roles import Roles
from extract.sources import Found
from garments.dataset import Dataset
from garments.settings import FramingLimits, Settings


@dataclass(frozen=True, eq=False)
class Finished:
    """An outcome, and the files to be written, by path within the data set's folder."""

    outcome: Outcome
    files: Mapping[Path, bytes]


def extraction(settings: Settings, roles: Roles, claims: Settled, as_crops: bool) -> list[Step]:
    """Steps from `Found`, or an `Outcome` that passes through, to `Finished`."""
    longest = settings.extract.working_longest
    reading = Step(partial(read, claims=claims, longest=longest))
    finishing = Step(partial(finish_all, settings=settings))
    if as_crops:
        return [reading, finishing]
    looking = partial(see, roles=roles, limits=settings.framing)
    return [reading, Step(looking, models=True, counts=is_prepared), finishing]


def is_prepared(item: object) -> bool:
    """Whether the models are to look at the item."""
    return isinstance(item, Prepared)


def read(
    batch: Sequence[Found | Outcome], claims: Settled, longest: int
) -> list[Prepared | Outcome]:
    """Read, identify and decode sources."""
    return [prepare(found, claims, longest) for found in batch]


def see(
    batch: Sequence[Prepared | Outcome], roles: Roles, limits: FramingLimits
) -> list[Seen | Outcome]:
    """Run the models on a batch; what is settled already passes through in its place."""
    photos = [item for item in batch if isinstance(item, Prepared)]
    if not photos:  # so that the models are not even loaded
        return [item for item in batch if isinstance(item, Outcome)]
    looked = look([photo.pixels for photo in photos], roles.detector, roles.parser, limits)
    seen = map(Seen, photos, looked)
    return [next(seen) if isinstance(item, Prepared) else item for item in batch]


def finish_all(batch: Sequence[Seen | Prepared | Outcome], settings: Settings) -> list[Finished]:
    """Masks, crops and previews of photos; what no model looked at is a product shot."""
    return [_finished(item, settings) for item in batch]


def _finished(item: Seen | Prepared | Outcome, settings: Settings) -> Finished:
    memory = Memory()
    bench = Bench(Dataset(Path(), settings), settings, memory)
    done = finish_product(item, bench) if isinstance(item, Prepared) else finish(item, bench)
    return Finished(done, memory.kept)
