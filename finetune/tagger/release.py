"""A frozen release as examples: its own taxonomy, its own splits, checked against its manifest."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.release.manifest import read_manifest
from curate.release.names import release_folder
from curate.release.snapshot import FrozenCatalog, tag_of, tagged_versions
from finetune.tagger.examples import Example, Material
from finetune.tagger.targets import Truth
from garments.answers import NOT_VISIBLE, answer_of
from garments.dataset import TAXONOMY_FILE, Dataset
from garments.errors import BadInput, DatasetError
from garments.images import decode
from garments.parts import Region
from garments.tagger import Crop
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pyarrow as pa

LEARN, HELD_OUT, TEST = "train", "validation", "test"

TIES = ("garment_id", "photo_id", "group")
"""Columns by which a row of one split may be tied to one of another."""

Votes = Mapping[tuple[str, str], Mapping[str, float]]
"""By (garment_id, attribute): the share of annotators who gave each value."""


def from_release(dataset: Dataset, name: str, soft: bool = False) -> Material:
    """Train and validation rows of a release; `soft` with the shares of annotators' answers.

    Raises `DatasetError` for a release that is not there or damaged, `BadInput` where it has no
    training rows or shares garments, photos or groups between these and its test rows.
    """
    folder = release_folder(dataset, name)
    manifest = read_manifest(folder)
    taxonomy = Taxonomy.load(folder / TAXONOMY_FILE)
    expect_no_leak(folder)
    votes = _votes(dataset, name) if soft else {}
    learn = list(examples(folder, LEARN, taxonomy, votes))
    if not learn:
        raise BadInput(
            f"expected labelled garments to train on in release {name}, but its train split is "
            "empty; label some, then `garmentloop curate split` and `curate release`"
        )
    held_out = list(examples(folder, HELD_OUT, taxonomy))
    licences = Counter(row["licence"] or "not stated" for row in _rows(folder, LEARN, ["licence"]))
    origin = {
        "release": name,
        "hash": manifest.hash,
        "dataset": manifest.dataset,
        "simulated": manifest.simulated,
        "sets": _public_sets(dataset),
    }
    return Material(taxonomy, learn, held_out, origin, dict(licences))


def examples(
    folder: Path, split: str, taxonomy: Taxonomy, votes: Votes | None = None
) -> Iterator[Example]:
    """The rows of one split; those of which nobody decided anything are left out."""
    names = [attribute.id for attribute in taxonomy.attributes]
    columns = ["garment_id", "group", "region", "image", "mask", *names]
    for row in _rows(folder, split, columns):
        truth = truth_of(row, taxonomy, votes or {})
        if truth:
            name = f"{row['garment_id']}/{row['image']['path']}"
            yield Example(name, row["group"] or row["garment_id"], truth, Loader(row))


def truth_of(row: Mapping[str, Any], taxonomy: Taxonomy, votes: Votes) -> Truth:
    """What is known of a row by attribute; what is not visible is not known."""
    found: dict[str, Mapping[str, float]] = {}
    for attribute in taxonomy.attributes:
        values = row.get(attribute.id)
        if values is None or NOT_VISIBLE in values or (not values and not attribute.multiple):
            continue
        shares = votes.get((row["garment_id"], attribute.id))
        found[attribute.id] = shares or dict.fromkeys(values, 1.0)
    return found


class Loader:
    """Decodes the crop of a row when it is asked for."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._image, self._region = row["image"]["bytes"], Region(row["region"])
        self._mask = row["mask"]["bytes"] if row["mask"] else None

    def __call__(self) -> Crop:
        """The crop with its mask; `BadImage` where it is damaged."""
        mask = None if self._mask is None else decode(self._mask).pixels[:, :, 0] > 0
        return Crop(decode(self._image).pixels, mask, self._region)


def expect_no_leak(folder: Path) -> None:
    """`BadInput` where a garment, photo or group of the test split is learnt from."""
    test = _ties(folder, [TEST])
    for column, mine in _ties(folder, [LEARN, HELD_OUT]).items():
        shared = sorted(mine & test[column])
        if shared:
            raise BadInput(
                f"expected splits that share nothing, but {len(shared)} of the test split's "
                f"{column} are also learnt from in {folder} (such as {shared[0]}): every figure "
                "would flatter; draw the split again by `garmentloop curate split` and make a new "
                "release"
            )


def _ties(folder: Path, splits: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for split in splits:
        for row in _rows(folder, split, list(TIES)):
            for column in TIES:
                found[column] |= {row[column]} - {None, ""}
    return found


def _rows(folder: Path, split: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in batches(folder, split, columns):
        yield from batch.to_pylist()


def batches(folder: Path, split: str, columns: Sequence[str]) -> Iterator["pa.RecordBatch"]:
    """Columns of one split of a release; none where it has no such rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in sorted((folder / "data").glob(f"{split}-*.parquet")):
        try:
            yield from pq.ParquetFile(path).iter_batches(512, columns=list(columns))
        except (OSError, pa.ArrowInvalid) as error:
            raise DatasetError(
                f"expected a readable part of a release in {path}, but {error}; "
                "`garmentloop curate verify` tells what is damaged: copy it again"
            ) from error


def _votes(dataset: Dataset, name: str) -> Votes:
    """Annotators' latest answers at the time of the release, where they are more than one."""
    versions = tagged_versions(dataset, tag_of(name))
    labels = FrozenCatalog(dataset.catalog.folder, versions).rows("labels").to_pylist()
    latest: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    withdrawn = {row["withdraws"] for row in labels if row["withdraws"]}
    for row in sorted(labels, key=lambda row: int(row["seq"])):
        counts = row["kind"] in ("annotator", "simulated") and not row["withdraws"]
        if counts and row["label_id"] not in withdrawn:
            latest[row["garment_id"], row["attribute"]][row["annotator"] or ""] = row["value"]
    return {key: _shares(said) for key, said in latest.items() if len(said) > 1 and _shares(said)}


def _shares(said: Mapping[str, str]) -> dict[str, float]:
    answers = [answer_of(value) - {NOT_VISIBLE} for value in said.values()]
    answers = [answer for answer in answers if answer]
    counted = Counter(value for answer in answers for value in answer)
    return {value: count / len(answers) for value, count in counted.items()}


def _public_sets(dataset: Dataset) -> list[str]:
    """Public sets that were imported into the data set: who learns from it has seen them."""
    rows = dataset.catalog.rows("labels", ["annotator"], "kind = 'import'").column(0)
    return sorted({name for name in rows.unique().to_pylist() if name})
