"""The catalogue of one data set: its tables, and what of them holds now."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from garments.catalog.embeddings import EmbeddingStore

if TYPE_CHECKING:
    import pyarrow as pa


class Catalog(EmbeddingStore):
    """All tables of a data set, and the garments and people of the newest extractions."""

    def newest_runs(self, where: str | None = None) -> "pa.Table":
        """The newest extraction of every photo: photo_id, extraction_id, config_hash, seq.

        With `where`, an SQL condition, among those for which it holds.
        """
        columns = ["photo_id", "extraction_id", "config_hash", "seq"]
        is_run = f"kind = 'run' AND ({where})" if where else "kind = 'run'"
        return _newest(self.rows("extractions", columns, is_run), "photo_id")

    def extracted(self, config_hash: str) -> Iterator[str]:
        """Photos whose newest extraction had this configuration: nothing is left to do there.

        A photo may come twice. As long as there is no other configuration memory stays flat.
        """
        import pyarrow.compute as pc

        others = set(self.counts("extractions", "config_hash", "kind = 'run'")) - {config_hash}
        if others:
            runs = self.newest_runs()
            same = runs.filter(pc.equal(runs.column("config_hash"), config_hash))
            yield from same.column("photo_id").to_pylist()
        else:
            for part in self.batches("extractions", ["photo_id"], "kind = 'run'"):
                yield from part.column(0).to_pylist()

    def sources_without_photo(self, columns: Sequence[str] | None = None) -> "pa.Table":
        """Sources of which no bytes were ever had, so that they are no photo: and why."""
        import pyarrow.compute as pc

        wanted = None if columns is None else list(dict.fromkeys([*columns, "origin"]))
        lost = self.rows("sources", wanted, "photo_id IS NULL")
        if lost.num_rows:  # a file that could be read since is not lost
            read = self.rows("sources", ["origin"], "photo_id IS NOT NULL").column("origin")
            lost = lost.filter(pc.invert(pc.is_in(lost.column("origin"), read.combine_chunks())))
        return lost if columns is None else lost.select(list(columns))

    def retired_garments(self, where: str | None = None) -> set[str]:
        """Garments that a later extraction did not find again, unless revived since.

        With `where`, an SQL condition on rows of `extractions`, of some photos only.
        """
        return set(self._retired(where).to_pylist())

    def _retired(self, where: str | None = None) -> "pa.Array":
        import pyarrow.compute as pc

        columns = ["garment_id", "kind", "seq"]
        others = f"kind != 'run' AND ({where})" if where else "kind != 'run'"
        newest = _newest(self.rows("extractions", columns, others), "garment_id")
        retired = newest.filter(pc.equal(newest.column("kind"), "retire"))
        return retired.column("garment_id").combine_chunks()

    def active_garments(
        self, where: str | None = None, columns: Sequence[str] | None = None
    ) -> "pa.Table":
        """Garments that are not retired, all columns unless named; `where` is SQL."""
        import pyarrow.compute as pc

        retired = self._retired()
        wanted = None if columns is None else list(dict.fromkeys([*columns, "garment_id"]))
        found = self.rows("garments", wanted, where)
        if len(retired):
            found = found.filter(pc.invert(pc.is_in(found.column("garment_id"), retired)))
        return found if columns is None else found.select(list(columns))

    def active_people(
        self, where: str | None = None, columns: Sequence[str] | None = None
    ) -> "pa.Table":
        """People that the newest extraction of their photo saw; `where` is SQL."""
        import pyarrow.compute as pc

        keys = ["photo_id", "config_hash"]
        wanted = None if columns is None else list(dict.fromkeys([*columns, *keys]))
        found = self.rows("people", wanted, where)
        runs = self.newest_runs()
        configs = {
            config
            for table in (found, runs)
            for config in pc.unique(table.column("config_hash")).to_pylist()
        }
        if len(configs) > 1:
            found = found.filter(_seen_by_newest(found, runs))
        return found if columns is None else found.select(list(columns))


def _newest(rows: "pa.Table", key: str) -> "pa.Table":
    """Of the rows with the same `key`, the one with the highest `seq`."""
    import numpy as np
    import pyarrow as pa

    if not rows.num_rows:
        return rows
    keys = rows.column(key).combine_chunks().dictionary_encode()
    seq, group = rows.column("seq").to_numpy(), keys.indices.to_numpy()
    highest = np.zeros(len(keys.dictionary), np.int64)
    np.maximum.at(highest, group, seq)
    return rows.filter(pa.array(highest[group] == seq))


def _seen_by_newest(people: "pa.Table", runs: "pa.Table") -> "pa.ChunkedArray":
    """Mask of people whose configuration is that of their photo's newest run, or unknown."""
    import pyarrow.compute as pc

    at = pc.index_in(people.column("photo_id"), runs.column("photo_id").combine_chunks())
    newest = runs.column("config_hash").take(at)
    return pc.fill_null(pc.equal(people.column("config_hash"), newest), True)
