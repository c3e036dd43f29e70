"""Proposals of a data set as arrays, one set an attribute, ready to be read all at once."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from garments.catalog import one_of
from garments.errors import CatalogError
from garments.inforce import Speaker
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pyarrow as pa

    from garments.dataset import Dataset

_FEW = 10_000
"""Up to this many garments are asked for by name, beyond it all proposals are loaded."""

_BLOCK = 16_384
"""Proposals that are read at once."""

_COLUMNS = ["proposal_id", "garment_id", "crop_sha", "attribute", "tagger", "model"]
_COLUMNS += ["vocabulary_hash", "activation", "logits", "seq"]


@dataclass(frozen=True, eq=False)
class Garments:
    """Active garments: their ids, regions and the crops that are theirs now."""

    ids: list[str]
    regions: list[str]
    crops: list[str]


@dataclass(frozen=True, eq=False)
class Spoken:
    """N proposals about one attribute over its present vocabulary, oldest first.

    `garment` (N,) are places in `Garments`; `current` (N,) whether it was made on the garment's
    present crop; `logits` (N, K) raw float32; the others (N,) texts.
    """

    garment: NDArray[np.int64]
    current: NDArray[np.bool_]
    tagger: NDArray[np.object_]
    model: NDArray[np.object_]
    activation: NDArray[np.object_]
    proposal_id: NDArray[np.object_]
    logits: NDArray[np.float32]

    def speakers(self) -> list[Speaker]:
        """Every tagger version that spoke, the one that spoke last at the end."""
        pairs = zip(self.model[::-1].tolist(), self.tagger[::-1].tolist(), strict=True)
        return [Speaker(*pair) for pair in dict.fromkeys(pairs)][::-1]

    def of(self, speaker: Speaker) -> "Spoken":
        """What counts of that tagger: one proposal a garment.

        Its named version goes before others of the model, then a proposal about the present crop,
        then the newest.
        """
        mine = np.flatnonzero(self.model == speaker.model)
        named = self.tagger[mine] == speaker.tagger
        order = np.lexsort((mine, self.current[mine], named, self.garment[mine]))
        garments = self.garment[mine][order]
        last = np.append(garments[1:] != garments[:-1], True)[: len(garments)]
        return self.at(mine[order[last]])

    def by_version(self) -> Iterator["Spoken"]:
        """The proposals of each tagger version by themselves, in blocks that fit into memory."""
        for tagger in dict.fromkeys(self.tagger.tolist()):
            rows = np.flatnonzero(self.tagger == tagger)
            for start in range(0, len(rows), _BLOCK):
                yield self.at(rows[start : start + _BLOCK])

    def at(self, rows: NDArray[np.integer]) -> "Spoken":
        """These rows, in this order."""
        return Spoken(*(column[rows] for column in vars(self).values()))


def active_garments(dataset: "Dataset", garment_ids: Collection[str] | None = None) -> Garments:
    """All active garments of a data set, or those of them that are in `garment_ids`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = ["garment_id", "region", "crop_sha"]
    found = dataset.catalog.active_garments(_where(garment_ids), columns)
    if garment_ids is not None:
        wanted = pa.array(list(garment_ids), pa.string())
        found = found.filter(pc.is_in(found.column("garment_id"), wanted))
    return Garments(*(found.column(name).to_pylist() for name in columns))


def spoken(
    dataset: "Dataset", garments: Garments, garment_ids: Collection[str] | None = None
) -> Iterator[tuple[str, Spoken]]:
    """Proposals about `garments` by attribute in taxonomy order, those without any left out.

    Left out too: proposals over another vocabulary than the present one, which cannot be read, and
    about attributes that are not asked in the garment's region.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    ids, crops = pa.array(garments.ids, pa.string()), pa.array(garments.crops, pa.string())
    for attribute, rows in _rows(dataset, _where(garment_ids)):
        places = pc.index_in(rows.column("garment_id"), ids)
        asked = pa.array(_asked(dataset.taxonomy, attribute, garments), pa.bool_())
        wanted = pc.fill_null(pc.take(asked, places), False)
        rows = rows.append_column("garment", places)
        if not pc.all(wanted).as_py():
            rows = rows.filter(wanted)
        if rows.num_rows:
            yield attribute, _as_arrays(rows, crops, len(dataset.taxonomy.values(attribute)))


def _rows(dataset: "Dataset", where: str | None) -> Iterator[tuple[str, "pa.Table"]]:
    """Proposals over the present vocabulary by attribute, oldest first.

    All of a data set are more than is held at once: then each attribute's are read by themselves.
    """
    import pyarrow.compute as pc

    named = dataset.catalog.rows("proposals", _COLUMNS, where) if where else None
    for attribute in dataset.taxonomy.attributes:
        vocabulary = dataset.taxonomy.vocabulary_hash(attribute.id)
        if named is None:
            mine = f"attribute = '{attribute.id}' AND vocabulary_hash = '{vocabulary}'"
            found = dataset.catalog.rows("proposals", _COLUMNS, mine)
        else:
            ours = pc.field("attribute") == attribute.id
            found = named.filter(ours & (pc.field("vocabulary_hash") == vocabulary))
        yield attribute.id, _in_order(found)


def _in_order(rows: "pa.Table") -> "pa.Table":
    """Rows by `seq`, as they mostly are already: sorting would copy all logits."""
    seq = rows.column("seq").to_numpy()
    return rows if bool(np.all(seq[1:] >= seq[:-1])) else rows.sort_by("seq")


def _where(garment_ids: Collection[str] | None) -> str | None:
    if garment_ids is None or len(garment_ids) > _FEW:
        return None
    return one_of("garment_id", garment_ids)


def _as_arrays(rows: "pa.Table", crops: "pa.Array", width: int) -> Spoken:
    import pyarrow.compute as pc

    place = rows.column("garment").to_numpy().astype(np.int64)
    logits = np.concatenate([c.flatten().to_numpy() for c in rows.column("logits").chunks])
    if len(logits) != rows.num_rows * width:
        raise CatalogError(
            f"expected {width} logits in each proposal for {rows.column('attribute')[0]}, but got "
            f"{len(logits):,} in {rows.num_rows:,} proposals; they were written by something else"
        )
    current = pc.equal(rows.column("crop_sha"), pc.take(crops, rows.column("garment")))
    few = {name: _few(rows.column(name)) for name in ("tagger", "model", "activation")}
    return Spoken(
        garment=place,
        current=pc.fill_null(current, False).to_numpy(zero_copy_only=False).astype(bool),
        proposal_id=rows.column("proposal_id").to_numpy(),
        logits=logits.reshape(rows.num_rows, width),
        **few,
    )


def _few(column: "pa.ChunkedArray") -> NDArray[np.object_]:
    """Texts of which there are few different ones, each kept once."""
    coded = column.combine_chunks().dictionary_encode()
    texts = np.array([*coded.dictionary.to_pylist(), None], object)
    return np.asarray(texts[coded.indices.fill_null(-1).to_numpy()])


def _asked(taxonomy: Taxonomy, attribute: str, garments: Garments) -> list[bool]:
    asked = {region: attribute in taxonomy.asked(region) for region in set(garments.regions)}
    return [asked[region] for region in garments.regions]
