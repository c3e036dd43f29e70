"""A frozen release as examples: its own taxonomy, its own splits, checked against its manifest."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curate.release.manifest import Manifest, read_manifest
from curate.release.names import release_folder
from curate.release.rows import batches, crop_of, split_files, ties
from curate.release.snapshot import FrozenCatalog, tagged_versions
from finetune.tagger.examples import Example, Material
from finetune.tagger.targets import Truth
from garments.agreement import annotators_answers
from garments.answers import NOT_VISIBLE, Answer
from garments.dataset import TAXONOMY_FILE, Dataset
from garments.errors import BadInput
from garments.said import Basis, Rules, people_say
from garments.taxonomy import Taxonomy

LEARN, HELD_OUT, TEST = "train", "validation", "test"

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
    train, back = (split_files(folder, manifest, split) for split in (LEARN, HELD_OUT))
    expect_no_leak([*train, *back], split_files(folder, manifest, TEST), name)
    votes = _votes(dataset, manifest) if soft else {}
    learn = list(examples(train, taxonomy, votes))
    if not learn:
        raise BadInput(
            f"expected labelled garments to train on in release {name}, but its train split is "
            "empty; label some, then `garmentloop curate split` and `curate release`"
        )
    held_out = list(examples(back, taxonomy))
    licences = Counter(row["licence"] or "not stated" for row in _rows(train, ["licence"]))
    origin = {
        "release": name,
        "hash": manifest.hash,
        "dataset": manifest.dataset,
        "simulated": manifest.simulated,
        "sets": _public_sets(dataset),
    }
    return Material(taxonomy, learn, held_out, origin, dict(licences))


def examples(
    files: Sequence[Path], taxonomy: Taxonomy, votes: Votes | None = None
) -> Iterator[Example]:
    """The rows of one split; those of which nobody decided anything are left out."""
    names = [attribute.id for attribute in taxonomy.attributes]
    columns = ["garment_id", "group", "region", "image", "mask", *names]
    for row in _rows(files, columns):
        truth = truth_of(row, taxonomy, votes or {})
        if truth:
            name = f"{row['garment_id']}/{row['image']['path']}"
            light = {key: row[key] for key in ("image", "mask", "region")}
            yield Example(name, row["group"] or row["garment_id"], truth, partial(crop_of, light))


def _rows(files: Sequence[Path], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in batches(files, columns):
        yield from batch.to_pylist()


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


def expect_no_leak(learnt: Sequence[Path], test: Sequence[Path], release: str) -> None:
    """`BadInput` where a garment, photo or group of the test split is learnt from."""
    examined = ties(test)
    for column, mine in ties(learnt).items():
        shared = sorted(mine & examined[column])
        if shared:
            raise BadInput(
                f"expected splits that share nothing, but {len(shared)} of the test split's "
                f"{column} are also learnt from in the release {release} (such as {shared[0]}): "
                "every figure would flatter; draw the split again by `garmentloop curate split` "
                "and make a new release"
            )


def _votes(dataset: Dataset, manifest: Manifest) -> Votes:
    """Annotators' answers at the time of the release, where they are more than one.

    Where a curator or somebody who adjudicated has spoken, that word holds and nobody votes.
    `BadInput` where these were purged, as photos were taken down since.
    """
    versions = tagged_versions(dataset, manifest.tag)
    if "labels" in manifest.catalogue and "labels" not in versions:
        raise BadInput(
            f"expected single answers as they were when release {manifest.name} was frozen, but "
            "the catalogue no longer has them, as they go when photos are taken down; train "
            "without soft targets, or on a newer release"
        )
    labels = FrozenCatalog(dataset.catalog, versions).rows("labels").to_pylist()
    simulated = dataset.settings.simulated
    held = people_say(labels, Rules(simulated=simulated))
    voted = {key for key, one in held.items() if one.basis in (Basis.CONSENSUS, Basis.ANNOTATOR)}
    garments = {garment for garment, _ in voted}
    return {
        (garment, attribute): shares
        for attribute, by_garment in annotators_answers(labels, garments, simulated).items()
        for garment, said in by_garment.items()
        if len(said) > 1 and (garment, attribute) in voted and (shares := _shares(said.values()))
    }


def _shares(said: Iterable[Answer]) -> dict[str, float]:
    answers = [answer - {NOT_VISIBLE} for answer in said]
    answers = [answer for answer in answers if answer]
    counted = Counter(value for answer in answers for value in answer)
    return {value: count / len(answers) for value, count in counted.items()}


def _public_sets(dataset: Dataset) -> list[str]:
    """Public sets that were imported into the data set: who learns from it has seen them."""
    rows = dataset.catalog.rows("labels", ["annotator"], "kind = 'import'").column(0)
    return sorted({name for name in rows.unique().to_pylist() if name})
