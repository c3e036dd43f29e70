"""CCP's photos with image-level tags: cut by the models, named where tags leave no doubt.

A tag says that a photo shows a skirt, not where. So people and garments are found as `extract`
finds them, and a garment of the only person gets the category that the tags name for its region,
if it is the only one or an outer layer.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curate.imports.labels import Said, write_labels
from curate.imports.names import CCP_TAGS, check_folder
from curate.imports.options import MOST_REASONS, ImportOptions, ImportProgress
from curate.imports.pixels import LICENCE
from curate.imports.words import Lexicon, Words
from extract.base import Detector, Parser
from extract.crops import cut_regions
from extract.found import found_file
from extract.options import RunOptions
from extract.run import run as extract
from garments.catalog import one_of
from garments.catalog.rows import source_row
from garments.dataset import Dataset
from garments.errors import BadSource, BadTable
from garments.files import read_bytes
from garments.ids import content_id, stable_id
from garments.mappings import mapping
from garments.parts import Region
from garments.records import Doubt, Source
from garments.sets.ccp import TaggedPhoto, read_ccp_tags
from garments.sets.crops import OUTER
from garments.withdrawals import Withdrawals


@dataclass(frozen=True)
class Tagged:
    """Tagged photos that are there, and how many are not."""

    photos: Sequence[TaggedPhoto]
    absent: int


def read_tagged(root: Path) -> Tagged:
    """The tagged photos in `root`. Raises `BadTable`."""
    check_folder(root)
    tagged = read_ccp_tags(root)
    there = [photo for photo in tagged if photo.path.is_file()]
    if not there:
        raise BadTable(
            f"expected photos that {root / 'image_tags.csv'} names, but none of {len(tagged):,} is "
            "there; copy the whole folder"
        )
    return Tagged(there, len(tagged) - len(there))


def run_tags(
    dataset: Dataset,
    read: Tagged,
    options: ImportOptions | None = None,
    *,
    detector: Detector | None = None,
    parser: Parser | None = None,
) -> Iterator[ImportProgress]:
    """Extract tagged photos and name what their tags tell, telling after each photo.

    Resumable as `extract` is; labels are written last, so a replay writes those that are missing.
    Models are loaded by the data set's references unless given.
    """
    options = options or ImportOptions()
    tagged = read.photos[: options.limit]
    files = [str(photo.path) for photo in tagged]
    asked = RunOptions(
        dry_run=options.dry_run,
        device=options.device,
        regions=options.regions,
        workers=options.workers,
    )
    if not options.dry_run:
        ids = _record_sources(dataset, tagged)
    progress = ImportProgress(total=len(tagged), absent=read.absent)
    for now in extract(dataset, files, asked, detector=detector, parser=parser):
        left = now.skipped + now.unreadable + now.taken_down
        progress = replace(
            progress,
            photos=len(tagged) - left if options.dry_run else now.photos,
            people=now.people,
            garments=now.garments,
            unreadable=now.unreadable,
            skipped=now.skipped,
            taken_down=now.taken_down,
        )
        yield progress
    if not options.dry_run:
        said = told(dataset, ids, options, progress.words)
        labels = write_labels(dataset, CCP_TAGS, said)
        yield replace(progress, labels=labels, reasons=_reasons(dataset, files))


def told(
    dataset: Dataset, tags: Mapping[str, TaggedPhoto], options: ImportOptions, words: Words
) -> list[Said]:
    """What tags, by photo id, tell about the active garments of their photos."""
    lexicon, cut = (
        Lexicon.of(dataset, options.exact),
        cut_regions(options.settings(dataset).crops),
    )
    named = {photo: by_region(tags[photo].tags, lexicon, cut, words) for photo in tags}
    columns = ["garment_id", "photo_id", "person_id", "region", "crop_sha", "flags"]
    rows = dataset.catalog.active_garments(one_of("photo_id", tags), columns).to_pylist()
    wearers: dict[str, set[str]] = {}
    for row in rows:
        wearers.setdefault(row["photo_id"], set()).add(row["person_id"])
    return [
        Said(row["garment_id"], row["crop_sha"], f"{tags[photo].file}#{region}", values)
        for row in rows
        for photo, region in [(row["photo_id"], row["region"])]
        if len(wearers[photo]) == 1 and Doubt.SECOND_GUESS not in (row["flags"] or ())
        if (values := named[photo].get(region))
    ]


def by_region(
    tags: Sequence[str], lexicon: Lexicon, regions: Collection[Region], words: Words
) -> dict[str, dict[str, str]]:
    """Values that an outfit's tags tell of `regions`, left out where several may be meant."""
    labels, meant = mapping("ccp"), dict[str, dict[str, list[dict[str, str]]]]()
    for tag in tags:
        entry = labels.entry(tag)
        if entry and entry.part not in regions:
            continue
        values = lexicon.translate(labels, tag, words)
        if entry and entry.part and "category" in entry.values:
            categories = meant.setdefault(entry.part, {})
            categories.setdefault(entry.values["category"], []).append(values)
    found = {}
    for part, categories in meant.items():
        outer = next((name for name in OUTER if name in categories), None)
        if len(categories) == 1 or outer:
            found[part] = _common(categories[outer or next(iter(categories))])
    return found


def _common(said: Sequence[dict[str, str]]) -> dict[str, str]:
    """What all of them say: of heels and flats only that they are shoes."""
    return {name: v for name, v in said[0].items() if all(one.get(name) == v for one in said)}


def _record_sources(dataset: Dataset, tagged: Sequence[TaggedPhoto]) -> dict[str, TaggedPhoto]:
    """Write where the photos come from; the tags by photo id. What is unreadable `extract` says."""
    found: dict[str, TaggedPhoto] = {}
    rows, refused = [], Withdrawals(dataset).refused()
    for photo in tagged:
        try:
            photo_id = content_id(read_bytes(photo.path))
        except BadSource:
            continue
        if refused.photo(photo_id):
            continue
        origin = found_file(photo.path).origin
        name = stable_id("import", CCP_TAGS, origin, photo_id, "", LICENCE)
        rows.append(source_row(Source(name, origin, photo_id, licence=LICENCE)))
        found.setdefault(photo_id, photo)
    dataset.catalog.add("sources", rows)
    return found


def _reasons(dataset: Dataset, files: Sequence[str]) -> tuple[str, ...]:
    """Why some of these files could not be read."""
    origins = one_of("origin", [found_file(Path(name)).origin for name in files])
    rows = dataset.catalog.rows("sources", where=f"state = 'unreadable' AND {origins}").to_pylist()
    return tuple(f"{row['origin']}: {row['reason']}" for row in rows[:MOST_REASONS])
