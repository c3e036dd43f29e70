"""Which garments are still to be shown to which tagger, and for which attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from garments.catalog import one_of
from garments.dataset import Dataset
from garments.parts import Region
from garments.tagger import Tagger
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Pending:
    """What is left to do.

    `garment_ids` are all active garments, N, in the order in which they were cut out. `lacking`
    has for each tagger and attribute (N,) bool: the garment lacks that proposal. `chosen` are the
    positions of garments that lack any, in order; `complete` counts those that lack none.
    """

    garment_ids: list[str]
    lacking: Sequence[Mapping[str, NDArray[np.bool_]]]
    chosen: NDArray[np.int64]
    complete: int

    @property
    def proposals(self) -> int:
        """How many proposals the chosen garments lack."""
        masks = (mask for one in self.lacking for mask in one.values())
        return int(sum(mask[self.chosen].sum() for mask in masks))


def find_pending(
    dataset: Dataset,
    taggers: Sequence[Tagger],
    attributes: Sequence[str],
    only_new: bool = False,
    limit: int | None = None,
) -> Pending:
    """Hold what each tagger has said about each crop against what it is asked for.

    The region of a garment decides which of `attributes` are asked about it. A crop that was cut
    again is another crop. `only_new` and `limit` are those of `PrelabelOptions`.
    """
    columns = ["garment_id", "crop_sha", "region", "seq"]
    garments = dataset.catalog.active_garments(columns=columns).sort_by("seq")
    lacking = [
        {
            name: _asked(dataset.taxonomy, name, garments.column("region"))
            & _unknown(garments, _spoken(dataset, tagger, name, only_new))
            for name in tagger.attributes
            if name in attributes
        }
        for tagger in taggers
    ]
    anything = np.zeros(garments.num_rows, bool)
    for masks in lacking:
        for mask in masks.values():
            anything |= mask
    chosen, complete = np.flatnonzero(anything)[:limit], int((~anything).sum())
    return Pending(garments.column("garment_id").to_pylist(), lacking, chosen, complete)


def _spoken(dataset: Dataset, tagger: Tagger, attribute: str, only_new: bool) -> "pa.Table":
    """Garments and crops for which the tagger - or any of its versions - has proposed."""
    who = (
        one_of("model", [tagger.reference])
        if only_new
        else one_of("tagger", [tagger.version(attribute).id])
    )
    where = f"{one_of('attribute', [attribute])} AND {who}"
    return dataset.catalog.rows("proposals", ["garment_id", "crop_sha"], where)


def _asked(taxonomy: Taxonomy, attribute: str, regions: "pa.ChunkedArray") -> NDArray[np.bool_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    asking = [str(region) for region in Region if attribute in taxonomy.asked(region)]
    return _array(pc.is_in(regions, pa.array(asking, pa.string())))


def _unknown(garments: "pa.Table", spoken: "pa.Table") -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    return _array(pc.invert(pc.is_in(_crops(garments), _crops(spoken))))


def _crops(table: "pa.Table") -> "pa.Array":
    """Garment and crop as one text each."""
    import pyarrow.compute as pc

    pair = (table.column(name) for name in ("garment_id", "crop_sha"))
    return pc.binary_join_element_wise(*pair, "/").combine_chunks()


def _array(values: "pa.ChunkedArray | pa.Array") -> NDArray[np.bool_]:
    return np.asarray(values.to_numpy(zero_copy_only=False), bool)
