"""The test rows of a frozen release: what people hold of them, and their crops."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curate.release.choose import attribute_columns
from curate.release.listing import releases
from curate.release.manifest import Manifest, read_manifest
from curate.release.names import release_folder
from curate.release.rows import crop_of, expect_unchanged, split_files
from curate.release.sources import SOURCES
from garments.answers import NOT_VISIBLE
from garments.errors import DatasetError
from garments.parts import Region
from garments.reading import Bools
from garments.tagger import Crop
from garments.taxonomy import Attribute

if TYPE_CHECKING:
    from garments.dataset import Dataset

PART = 256
"""Garments that are read, and whose logits are kept, together."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """N test garments of a release, in its order; every tuple has N entries.

    `truths` has for each attribute that can be scored (N, K) bool, which values people hold, in
    the order of the taxonomy: a row without any is not scored (not labelled, not visible, nothing
    applies, disputed). `other_values` are attributes whose values were others when it was frozen.
    `handles` are whose photos they are, else their group.
    """

    name: str
    hash: str
    files: tuple[Path, ...]
    garment_ids: tuple[str, ...]
    photo_ids: tuple[str, ...]
    groups: tuple[str, ...]
    handles: tuple[str, ...]
    regions: tuple[str, ...]
    crop_shas: tuple[str, ...]
    truths: dict[str, Bools]
    other_values: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.garment_ids)

    def labelled(self, attribute: str) -> NDArray[np.int64]:
        """Places of the garments that have a label of the attribute."""
        return np.flatnonzero(self.truths[attribute].any(axis=1))

    @property
    def parts(self) -> int:
        """How many pieces the garments are read in."""
        return -(-len(self) // PART)

    def pictures(self, places: Sequence[int]) -> dict[int, bytes]:
        """The JPEG of some garments by their place."""
        rows = _rows_at(self.files, places, ["image"])
        return {place: row["image"]["bytes"] for place, row in rows}


def crops_at(files: Sequence[Path], places: Sequence[int]) -> list[Crop]:
    """The crops of test garments, by their places in `HeldOut.files`."""
    return [crop_of(row) for _, row in _rows_at(files, places, ["image", "mask", "region"])]


def _rows_at(
    files: Sequence[Path], places: Sequence[int], columns: list[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows by place, from the row groups that hold any of these."""
    import pyarrow.parquet as pq

    wanted, first = set(places), 0
    for path in files:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                count = file.metadata.row_group(group).num_rows
                mine = [at for at in range(first, first + count) if at in wanted]
                if mine:
                    table = file.read_row_group(group, columns=columns)
                    rows = table.take([at - first for at in mine]).to_pylist()
                    yield from zip(mine, rows, strict=True)
                first += count


def read_held_out(dataset: "Dataset", release: str | None = None) -> HeldOut:
    """The test rows of a release, by default of the newest.

    Raises `DatasetError` where there is no release, where it is damaged or changed, where it has
    no test rows, and where no attribute has the values that it has in the data set now.
    """
    name = release or _newest(dataset)
    folder = release_folder(dataset, name)
    manifest = read_manifest(folder)
    files = _test_files(dataset, folder, manifest)
    same, other = _attributes(dataset, manifest)
    rows = _light_rows(files, [attribute.id for attribute in same])
    handles = _handles(folder)
    truths = {attribute.id: _truth(attribute, rows) for attribute in same}
    return HeldOut(
        name=name,
        hash=manifest.hash,
        files=tuple(files),
        garment_ids=tuple(row["garment_id"] for row in rows),
        photo_ids=tuple(row["photo_id"] for row in rows),
        groups=tuple(row["group"] or "" for row in rows),
        handles=tuple(handles.get(row["photo_id"]) or row["group"] or "" for row in rows),
        regions=tuple(row["region"] or str(Region.UNKNOWN) for row in rows),
        crop_shas=tuple(Path(row["image"]["path"]).stem for row in rows),
        truths=truths,
        other_values=other,
    )


def _newest(dataset: "Dataset") -> str:
    found = releases(dataset)
    if not found:
        raise DatasetError(
            f"expected a release of {dataset.folder} to evaluate on, but there is none yet; "
            f"`garmentloop curate release v1 --dataset {dataset.folder}` makes one"
        )
    return found[-1].name


def _test_files(dataset: "Dataset", folder: Path, manifest: Manifest) -> list[Path]:
    files = split_files(folder, manifest, "test")
    if not files:
        raise DatasetError(
            f"expected test rows in the release {manifest.name}, but it has none: test data comes "
            "from the audit slice alone, and from what imported sets hold out. Send garments with "
            f"`garmentloop annotate push --audit 20% --dataset {dataset.folder}`, fetch the "
            "answers, then run `curate split` and make another release"
        )
    expect_unchanged(folder, manifest, SOURCES)
    return files


def _attributes(dataset: "Dataset", manifest: Manifest) -> tuple[list[Attribute], tuple[str, ...]]:
    """Attributes with the values they had in the release, and the names of those with others."""
    taxonomy, frozen = dataset.taxonomy, manifest.attributes
    known = [a for a in taxonomy.attributes if a.id in frozen]
    same = [a for a in known if taxonomy.vocabulary_hash(a.id) == frozen[a.id]]
    if not same:
        raise DatasetError(
            f"expected the release {manifest.name} to have the attributes of {dataset.folder}, "
            "but taxonomy.toml has other values now; make a new release and evaluate on that"
        )
    return same, tuple(a.id for a in known if a not in same)


def _light_rows(files: Sequence[Path], attributes: Sequence[str]) -> list[dict[str, Any]]:
    """All rows, without their pictures."""
    import pyarrow.parquet as pq

    columns = ["garment_id", "photo_id", "group", "region", "image.path"]
    columns += [attribute_columns(name)[0] for name in attributes]
    found = []
    for path in files:
        with pq.ParquetFile(path) as file:  # it can read one field of the pictures
            found += file.read(columns=columns).to_pylist()
    return found


def _truth(attribute: Attribute, rows: Sequence[dict[str, Any]]) -> Bools:
    """(N, K): which values hold; none where there is nothing to score."""
    held = [row[attribute.id] or () for row in rows]
    known = [() if NOT_VISIBLE in values else values for values in held]
    truth = [[value in values for value in attribute.ids] for values in known]
    return np.array(truth, bool).reshape(-1, len(attribute.ids))


def _handles(folder: Path) -> dict[str, str]:
    """Whose photos they are, by photo, where a source says so."""
    with (folder / SOURCES).open(encoding="utf-8", newline="") as file:
        return {row["photo_id"]: row["handle"] for row in csv.DictReader(file) if row["handle"]}
