"""Pictures that are in a data set twice, and crops that are very much alike.

Copies are looked for among photos with a similar perceptual hash and among crops with a similar
embedding; the pictures themselves decide. On pictures of a shop's catalogue neither hash nor
embedding is enough: all black shoes from one angle are alike.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from curate.thumbnails import Thumbnails
from curate.vectors import CropVectors, Nearest, crop_vectors, nearest

if TYPE_CHECKING:
    from garments.dataset import Dataset

HASH_BITS = 10
"""Photos whose perceptual hashes differ in at most so many of 64 bits may be copies."""

CROP_COSINE = 0.97
"""Crops whose embeddings are at least so similar may be copies."""

NEIGHBOURS = 4
"""How many of a crop's nearest others are looked at."""

NEAR_SHARE = 0.4
"""Of the distance at which garments usually have their nearest neighbour: nearer is very alike."""

_SAMPLE = 1000
"""Garments from which that usual distance is taken."""

_HASHES_AT_ONCE = 64

_EMPTY_HASH = "0" * 16
"""Perceptual hash of every blank picture: no sign that two photos are copies."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Alike:
    """The garment of another photo that is nearest; `similarity` is the cosine."""

    garment_id: str
    similarity: float


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Active garments with their photo and crop, and which crops are near to which.

    `near` has a row for each of `rows`, which are rows of `vectors`: those that were asked for.
    """

    garments: Mapping[str, tuple[str, str]]
    vectors: CropVectors
    rows: NDArray[np.int64]
    near: Nearest

    def nearest_elsewhere(self) -> Iterator[tuple[str, Alike]]:
        """Each garment that was asked for, with the most similar ones of other photos in order."""
        ids = self.vectors.garment_ids
        cosines = self.near.cosine.tolist()
        for row, index, cosine in zip(
            self.rows.tolist(), self.near.index.tolist(), cosines, strict=True
        ):
            photo = self.garments[ids[row]][0]
            for place, similarity in zip(index, cosine, strict=True):
                if place >= 0 and self.garments[ids[place]][0] != photo:
                    yield ids[row], Alike(ids[place], similarity)


def neighbourhood(dataset: "Dataset", touched: Collection[str] | None = None) -> Neighbourhood:
    """Who is near to the garments in `touched`, to all where that is None."""
    columns = ["garment_id", "photo_id", "crop_sha"]
    rows = dataset.catalog.active_garments(columns=columns)
    ids, photos, shas = (rows.column(name).to_pylist() for name in columns)
    vectors = crop_vectors(dataset)
    asked: NDArray[np.int64] = np.arange(len(vectors.garment_ids))
    if touched is not None:
        asked = np.flatnonzero(np.isin(vectors.garment_ids, list(touched)))
    garments = dict(zip(ids, zip(photos, shas, strict=True), strict=True))
    return Neighbourhood(garments, vectors, asked, nearest(vectors.vectors, NEIGHBOURS, asked))


def duplicate_groups(dataset: "Dataset") -> dict[str, str]:
    """The group of each active garment whose picture is there more than once; others are absent.

    All garments of photos that are copies of each other are one group, and so are garments whose
    crops are copies. A group has the name of its first garment in alphabetical order.
    """
    return joined(duplicate_pairs(dataset, neighbourhood(dataset)))


def duplicate_pairs(
    dataset: "Dataset", near: Neighbourhood, touched: Collection[str] | None = None
) -> list[Pair]:
    """Pairs of active garments that are copies: of copied photos each with each, and copied crops.

    With `touched` only pairs with one of these garments, for which `near` was made.
    """
    by_photo: dict[str, list[str]] = defaultdict(list)
    for garment, (photo, _) in near.garments.items():
        by_photo[photo].append(garment)
    photos = None
    if touched is not None:
        photos = {near.garments[garment][0] for garment in touched if garment in near.garments}
    copies = [
        (one, other)
        for first, second in copied_photos(dataset, photos)
        for one in by_photo.get(first, ())
        for other in by_photo.get(second, ())
    ]
    return copies + _copied_crops(dataset, near)


def copied_photos(dataset: "Dataset", touched: Collection[str] | None = None) -> list[Pair]:
    """Pairs of photos that show the same picture; with `touched` only those with one of these."""
    rows = dataset.catalog.rows("photos", ["photo_id", "phash"], "phash IS NOT NULL")
    ids, hashes = (rows.column(name).to_pylist() for name in ("photo_id", "phash"))
    usable = sorted(
        (photo, int(phash, 16))
        for photo, phash in zip(ids, hashes, strict=True)
        if phash and phash != _EMPTY_HASH
    )
    names = [photo for photo, _ in usable]
    asked = np.isin(names, list(touched)) if touched is not None else np.ones(len(names), bool)
    numbers = np.array([number for _, number in usable], np.uint64)
    pairs = ((names[a], names[b]) for a, b in _close(numbers, np.flatnonzero(asked)))
    return list(Thumbnails(dataset.preview_path).same(pairs))


def near_duplicates(dataset: "Dataset", near: Neighbourhood | None = None) -> dict[str, Alike]:
    """Active garments that have a very similar one in another photo, with the most similar.

    Very similar is what is much nearer (`NEAR_SHARE`) than garments usually are to their nearest,
    so that it means the same for every model.
    """
    near = near or neighbourhood(dataset)
    limit = usual_distance(near.vectors.vectors) * NEAR_SHARE
    found: dict[str, Alike] = {}
    for garment, alike in near.nearest_elsewhere():
        if 1 - alike.similarity <= limit:
            found.setdefault(garment, alike)
    return found


def usual_distance(vectors: NDArray[np.float32]) -> float:
    """Median of 1 - cosine between a vector and its nearest, 0 where there are fewer than two."""
    if len(vectors) < 2:
        return 0.0
    rows = np.unique(np.linspace(0, len(vectors) - 1, _SAMPLE).astype(int))
    return float(np.median(1 - nearest(vectors, 1, rows).cosine))


def joined(pairs: Iterable[Pair]) -> dict[str, str]:
    """For each name in `pairs` the first, in alphabetical order, of all that hangs together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = list(pairs)
    names = sorted({name for pair in pairs for name in pair})
    place = {name: at for at, name in enumerate(names)}
    ones, others = ([place[pair[side]] for pair in pairs] for side in (0, 1))
    size = (len(names), len(names))
    _, labels = connected_components(coo_array((np.ones(len(pairs)), (ones, others)), size))
    first: dict[int, str] = {}
    return {name: first.setdefault(label, name) for name, label in zip(names, labels, strict=True)}


def _copied_crops(dataset: "Dataset", near: Neighbourhood) -> list[Pair]:
    """Pairs of garments of different photos whose crops are near and show the same."""
    crops = {garment: sha for garment, (_, sha) in near.garments.items() if sha}
    pairs = dict.fromkeys(
        (min(garment, alike.garment_id), max(garment, alike.garment_id))
        for garment, alike in near.nearest_elsewhere()
        if alike.similarity >= CROP_COSINE
    )
    known = (pair for pair in pairs if pair[0] in crops and pair[1] in crops)
    return list(Thumbnails(lambda name: dataset.crop_path(crops[name])).same(known))


def _close(hashes: NDArray[np.uint64], asked: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Pairs of places whose hashes differ in few bits, one of the two being among `asked`."""
    everyone = len(asked) == len(hashes)
    for start in range(0, len(asked), _HASHES_AT_ONCE):
        mine = asked[start : start + _HASHES_AT_ONCE]
        since = int(mine[0]) if everyone else 0
        bits = np.bitwise_count(hashes[mine, None] ^ hashes[None, since:])
        for row, column in np.argwhere(bits <= HASH_BITS).tolist():
            one, other = int(mine[row]), column + since
            if one < other or (one > other and not everyone):
                yield one, other
