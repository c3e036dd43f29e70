"""Tables of a data set as CSV, Parquet or JSON lines, for people and other programs.

What is written is faithful: texts may hold newlines, quotes and anything else (CSV quotes them),
and nothing is altered for spreadsheets, which may take a text that begins with `=` for a formula.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garments.errors import BadSetting, DatasetError
from garments.whole import in_place_of

if TYPE_CHECKING:
    import pyarrow as pa

    from garments.dataset import Dataset

BOX = ["x1", "y1", "x2", "y2"]


def export_table(dataset: "Dataset", table: str, out: str | os.PathLike[str]) -> int:
    """Write one table to `out`, whose ending is the format; how many rows were written.

    The file appears whole or not at all. Raises `BadSetting` for an unknown table or ending, and
    `DatasetError` when it cannot be written.
    """
    if table not in EXPORTS:
        raise BadSetting(f"expected a table of {', '.join(EXPORTS)}, but got {table!r}")
    path = Path(out)
    if path.suffix.lower() not in _WRITERS:
        raise BadSetting(
            f"expected a file that ends in {', '.join(_WRITERS)}, but got {path.name!r}"
        )
    rows = EXPORTS[table](dataset)
    try:
        with in_place_of(path) as temporary:
            _WRITERS[path.suffix.lower()](rows, temporary)
    except OSError as error:
        raise DatasetError(
            f"expected to write {path}, but {error}; free some space or name another file"
        ) from error
    return int(rows.num_rows)


def photos(dataset: "Dataset") -> "pa.Table":
    """One row per photo, and one per source that gave none (its photo_id is null).

    The first source stands in the row, further ones are a JSON list in `more_sources`.
    """
    import pyarrow as pa

    names = ["photo_id", "source", "handle", "licence", "width", "height", "state", "reason"]
    names += ["consent", "taken_at", "phash", "more_sources"]
    catalog = dataset.catalog
    lost = _in_order(catalog.sources_without_photo())
    stored = _in_order(catalog.rows("photos"))
    sources = _sources_by_photo(catalog.rows("sources", where="photo_id IS NOT NULL"))
    rows = [_photo_columns(photo, sources.get(photo["photo_id"], [])) for photo in _plain(stored)]
    rows += [_source_columns(source) | _why(source) for source in _plain(lost)]
    fields = [(name, pa.int64() if name in ("width", "height") else pa.string()) for name in names]
    times = [part.column("created_at").combine_chunks() for part in (stored, lost)]
    table = pa.Table.from_pylist(rows, schema=pa.schema(fields))
    return table.append_column("created_at", pa.chunked_array(times))


def people(dataset: "Dataset") -> "pa.Table":
    """People that the newest extraction of their photo saw."""
    names = ["person_id", "photo_id", *BOX, "score", "verdict", "reason", "created_at"]
    return _in_order(dataset.catalog.active_people(columns=[*names, "seq"]))


def garments(dataset: "Dataset") -> "pa.Table":
    """Active garments; `crop` is the crop's path inside the data set's folder."""
    import pyarrow.compute as pc

    names = ["garment_id", "photo_id", "person_id", "region", *BOX, "area", "crop_sha", "flags"]
    found = dataset.catalog.active_garments(columns=[*names, "confidence", "created_at", "seq"])
    sha = found.column("crop_sha")
    parts = ["crops/", pc.utf8_slice_codeunits(sha, 0, 2), "/", sha, ".jpg"]
    at = found.schema.get_field_index("crop_sha")
    crops = pc.binary_join_element_wise(*parts, "")
    return _in_order(found.set_column(at, "crop", crops))


def labels(dataset: "Dataset") -> "pa.Table":
    """People's words as stored, withdrawals, simulated and migrated ones too."""
    names = ["garment_id", "attribute", "value", "kind", "annotator", "created_at", "seconds"]
    names += ["label_id", "crop_sha", "task_id", "proposal_id", "vocabulary_hash", "withdraws"]
    names += ["migrated_from", "migration"]
    return _in_order(dataset.catalog.rows("labels", [*names, "seq"]))


def proposals(dataset: "Dataset") -> "pa.Table":
    """What taggers said, as stored: raw logits in the order of the vocabulary."""
    names = ["garment_id", "attribute", "tagger", "model", "activation", "logits", "created_at"]
    names += ["proposal_id", "crop_sha", "weights_hash", "vocabulary_hash", "prompt_version"]
    names += ["crop_preparation"]
    return _in_order(dataset.catalog.rows("proposals", [*names, "seq"]))


def truth(dataset: "Dataset") -> "pa.Table":
    """What holds now for each active garment and attribute, and on what basis (`source`)."""
    import pyarrow as pa

    from garments.truth import held_in

    text = ["garment_id", "attribute", "value", "source", "who"]
    fields = [pa.field(name, pa.string()) for name in text]
    fields += [pa.field("answers", pa.int64()), pa.field("confidence", pa.float64())]
    rows = [
        {**vars(held), "source": str(held.basis), "basis": None}
        for held in held_in(dataset).values()
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


EXPORTS: dict[str, Callable[["Dataset"], "pa.Table"]] = {
    function.__name__: function for function in (photos, people, garments, labels, proposals, truth)
}
"""Every table that can be exported, by name."""


def _sources_by_photo(sources: "pa.Table") -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for source in _plain(_in_order(sources)):
        found.setdefault(source["photo_id"], []).append(source)
    return found


def _plain(table: "pa.Table") -> list[dict[str, Any]]:
    """Rows as dictionaries, without their time, which is slow to convert."""
    rows: list[dict[str, Any]] = table.drop_columns(["created_at"]).to_pylist()
    return rows


def _photo_columns(photo: dict[str, Any], sources: list[dict[str, Any]]) -> dict[str, Any]:
    more = [_source_columns(source) for source in sources[1:]]
    return {
        **(_source_columns(sources[0]) if sources else {}),
        "photo_id": photo["photo_id"],
        "width": photo["width"] or None,
        "height": photo["height"] or None,
        "phash": photo["phash"],
        "more_sources": json.dumps(more, ensure_ascii=False) if more else None,
        **_why(photo),
    }


def _source_columns(source: dict[str, Any]) -> dict[str, Any]:
    same = ("handle", "licence", "consent", "taken_at")
    return {"source": source["origin"], **{name: source[name] for name in same}}


def _why(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("state", "reason")}


def _in_order(table: "pa.Table") -> "pa.Table":
    """Rows by `seq`; that column itself is left out of exports."""
    return table.sort_by("seq").drop_columns(["seq"])


def _write_parquet(rows: "pa.Table", path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(rows, path)


def _write_csv(rows: "pa.Table", path: Path) -> None:
    """UTF-8 with a header; nulls are empty, flags joined by `;`, other lists are JSON."""
    import pyarrow as pa
    from pyarrow import csv

    columns = [_csv_column(column) for column in rows.columns]
    options = csv.WriteOptions(quoting_style="needed")
    csv.write_csv(pa.table(columns, names=rows.column_names), path, options)


def _csv_column(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _time_as_text(column)
    if not pa.types.is_list(column.type):
        return column
    if pa.types.is_string(column.type.value_type):
        return pc.binary_join(column, ";")
    return pa.chunked_array([pa.array([json.dumps(item) for item in column.to_pylist()])])


def _time_as_text(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Times in ISO 8601, UTC; any other column as it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_timestamp(column.type):
        return column
    return pc.strftime(column.cast(pa.timestamp("us")), "%Y-%m-%dT%H:%M:%SZ")


def _write_jsonl(rows: "pa.Table", path: Path) -> None:
    import pyarrow as pa

    rows = pa.table([_time_as_text(column) for column in rows.columns], names=rows.column_names)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for batch in rows.to_batches(max_chunksize=10_000):
            lines = (json.dumps(row, ensure_ascii=False) for row in batch.to_pylist())
            file.writelines(line + "\n" for line in lines)


_WRITERS: dict[str, Callable[["pa.Table", Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".jsonl": _write_jsonl,
}
