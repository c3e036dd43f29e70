"""The pages of a release after rows were withdrawn: what they show, and what they say of it."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.release.choose import attribute_columns
from curate.release.datasheet import EXAMPLES, Example, crops_html, small_picture, titles
from curate.release.manifest import Manifest
from curate.release.rows import batches
from garments.errors import BadInput
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from huggingface_hub import RepoCard

_FIGURE = re.compile(r"<figure\b.*?</figure>\n?", re.DOTALL)
_CROPS = '<div class="panel crops">\n'
_NOTE = re.compile(r"<!-- withdrawn -->.*?<!-- /withdrawn -->\n*", re.DOTALL)
_LEAD = '<p class="lead">'


def amend_datasheet(text: str, folder: Path, manifest: Manifest, taxonomy: Taxonomy) -> str:
    """The datasheet with a note and with other examples: those it had may be among what went.

    Figures stay those of the freeze, and the note says so. `folder` has the rows that are left.
    """
    text = _NOTE.sub("", _FIGURE.sub("", text))
    text = text.replace(_CROPS, _CROPS + crops_html(_examples(folder, manifest, taxonomy)), 1)
    note = f'<!-- withdrawn --><p class="warning"><b>{said(manifest)}</b> {_HOW}</p>'
    return text.replace(_LEAD, f"{note}<!-- /withdrawn -->\n{_LEAD}", 1)


def amend_card(text: str, manifest: Manifest, sizes: Mapping[str, int]) -> str:
    """The card with a note, and a head that counts the rows that are left.

    `sizes` are the bytes of splits that were written anew.
    """
    from huggingface_hub import RepoCard

    card = RepoCard(_NOTE.sub("", text), ignore_metadata_errors=True)
    _recount(card, manifest, sizes)
    head, body = str(card.data), card.text
    title, _, rest = body.lstrip("\n").partition("\n")
    note = f"<!-- withdrawn -->\n> **{said(manifest)}** {_HOW}\n<!-- /withdrawn -->"
    return f"---\n{head}\n---\n\n{title}\n\n{note}\n\n{rest.lstrip(chr(10))}"


_HOW = (
    "Their data is gone from the files; withdrawn.csv has the places of their rows. Figures, sizes "
    "and hashes on this page are those of the freeze; manifest.json has those of now."
)


def said(manifest: Manifest) -> str:
    """How much was withdrawn, in words."""
    garments = sum(sum(one.garments.values()) for one in manifest.withdrawn)
    photos = sum(one.photos for one in manifest.withdrawn)
    what = f"{garments:,} garment{'' if garments == 1 else 's'}"
    where = f"{photos:,} photo{'' if photos == 1 else 's'}"
    return f"{what} of {where} were withdrawn, last on {manifest.withdrawn[-1].at[:10]}."


def _recount(card: "RepoCard", manifest: Manifest, sizes: Mapping[str, int]) -> None:
    """Splits without rows go; the others have the rows and bytes of now."""
    info = card.data.get("dataset_info")
    if isinstance(info, dict) and isinstance(info.get("splits"), list):
        kept = [one for one in info["splits"] if one["name"] in manifest.splits]
        for one in kept:
            one["num_examples"] = manifest.splits[one["name"]]
            one["num_bytes"] = sizes.get(one["name"], one["num_bytes"])
        info["splits"] = kept
        info["dataset_size"] = sum(one["num_bytes"] for one in kept)
        data = (entry.bytes for path, entry in manifest.files.items() if path.startswith("data/"))
        info["download_size"] = sum(data)
    for config in card.data.get("configs") or ():
        files = config.get("data_files") or ()
        config["data_files"] = [one for one in files if one["split"] in manifest.splits]


def _examples(folder: Path, manifest: Manifest, taxonomy: Taxonomy) -> list[Example]:
    """Crops from all over the rows that are left, every so-manyth."""
    names = [a.id for a in taxonomy.attributes if a.id in manifest.attributes]
    columns = ["image", "region", *(attribute_columns(name)[0] for name in names)]
    found = []
    for split, row in islice(_spread(folder, manifest, columns), EXAMPLES):
        held = {name: row[name] for name in names if row[name] is not None}
        found += _example(row["image"]["bytes"], split, row["region"], titles(taxonomy, held))
    return found


def _spread(
    folder: Path, manifest: Manifest, columns: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every so-manyth row of a release with its split, about as many as there are examples."""
    at, step = 0, max(1, manifest.garments // EXAMPLES)
    for split in manifest.splits:
        for batch in batches(sorted((folder / "data").glob(f"{split}-*.parquet")), columns):
            first = -at % step
            for row in batch.slice(first).to_pylist()[::step]:
                yield split, row
            at += batch.num_rows


def _example(data: bytes, split: str, region: str, labels: list[tuple[str, str]]) -> list[Example]:
    try:
        return [Example(small_picture(data), split, region, labels)]
    except BadInput:
        return []
