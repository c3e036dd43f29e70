"""Rows of a frozen release for whoever learns from them or is examined on them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.release.manifest import Manifest, file_entry
from garments.errors import DatasetError
from garments.images import decode
from garments.parts import Region
from garments.tagger import Crop

if TYPE_CHECKING:
    import pyarrow as pa

TIES = {"garment_id": "garments", "photo_id": "photos", "group": "groups"}
"""Columns by which a row of one split may be tied to one of another, and what they are called."""


def split_files(folder: Path, manifest: Manifest, *splits: str) -> list[Path]:
    """The parts of some splits, in order; none where there are no such rows.

    `DatasetError` where one is not what was frozen.
    """
    starts = tuple(f"data/{split}-" for split in splits)
    names = sorted(path for path in manifest.files if path.startswith(starts))
    for name in names:
        expect_unchanged(folder, manifest, name)
    return [folder / name for name in names]


def expect_unchanged(folder: Path, manifest: Manifest, name: str) -> None:
    """`DatasetError` where a file of a release is not what was frozen."""
    try:
        whole = file_entry(folder / name) == manifest.files.get(name)
        problem = "" if whole else "its content is another"
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:
        raise DatasetError(
            f"expected {folder / name} as the release {manifest.name} was frozen, but {problem}; "
            "take the release again from where it was copied (`garmentloop curate verify "
            f"{manifest.name}` tells all that is wrong), or use another"
        )


def batches(paths: Iterable[Path], columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
    """Columns of some parts of a release; `DatasetError` where one cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in paths:
        try:
            yield from pq.ParquetFile(path).iter_batches(512, columns=list(columns))
        except (OSError, pa.ArrowInvalid) as error:
            raise DatasetError(
                f"expected a readable part of a release in {path}, but {error}; "
                "`garmentloop curate verify` tells what is damaged: copy it again"
            ) from error


def ties(paths: Iterable[Path]) -> dict[str, set[str]]:
    """By column of `TIES`, all that stands there."""
    found: dict[str, set[str]] = {column: set() for column in TIES}
    for batch in batches(paths, list(TIES)):
        for column, known in found.items():
            known.update(batch.column(column).to_pylist())
    return {column: known - {None, ""} for column, known in found.items()}


def crop_of(row: Mapping[str, Any]) -> Crop:
    """The crop of a row with `image`, `mask` and `region`; `BadImage` where it is damaged."""
    mask = None if row["mask"] is None else decode(row["mask"]["bytes"]).pixels[:, :, 0] > 0
    return Crop(decode(row["image"]["bytes"]).pixels, mask, Region(row["region"] or Region.UNKNOWN))
