"""The card of a release: README.md, whose head tells Hugging Face's tools how to read the files."""

from typing import TYPE_CHECKING, Any

from curate.release.choose import WORDS
from curate.release.columns import ATTRIBUTE_COLUMNS, COLUMNS
from curate.release.facts import Facts
from curate.release.pages import render
from garments.words import normalised

if TYPE_CHECKING:
    from huggingface_hub import DatasetCardData

HUB_LICENCES = (
    *("apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-3.0"),
    *("cc-by-sa-3.0", "cc-by-2.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "cc-by-nd-4.0"),
    *("odbl", "odc-by", "pddl", "unlicense"),
)
"""Licences by the names that the hub has for them."""

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))


def card_text(facts: Facts) -> str:
    """The text of README.md."""
    body = render(
        "card.md.jinja", facts=facts, columns=COLUMNS, each=ATTRIBUTE_COLUMNS, words=WORDS
    )
    return f"---\n{_head(facts)}\n---\n\n{body}"


def hub_licence(stated: set[str]) -> str:
    """The hub's name for the licence of photos; `other` for several or one that it has no name for.

    `stated` has the empty text where nothing is stated; `unknown` where nothing is at all.
    """
    if not stated - {""}:
        return "unknown"
    known = {normalised(name): name for name in HUB_LICENCES}
    (only,) = stated if len(stated) == 1 else ("",)
    return known.get(normalised(only), "other")


def _head(facts: Facts) -> "DatasetCardData":
    """What the hub and `load_dataset` read: licence, columns, splits and their files."""
    from datasets.info import DatasetInfo, DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    rows = facts.written.rows
    data = DatasetCardData(
        pretty_name=f"{facts.dataset} {facts.name}",
        license=hub_licence({one.licence for one in facts.figures.licences}),
        task_categories=["image-classification"],
        tags=["fashion", "garments", "garmentloop"],
        size_categories=[_size(sum(rows.values()))],
    )
    info = DatasetInfo(
        features=facts.written.schema,
        splits=_splits(facts),
        download_size=sum(e.bytes for path, e in facts.files.items() if path.startswith("data/")),
        dataset_size=sum(facts.written.bytes[split] for split in rows),
    )
    DatasetInfosDict({"default": info}).to_dataset_card_data(data)
    files = [{"split": split, "path": f"data/{split}-*"} for split in rows]
    MetadataConfigs({"default": {"data_files": files}}).to_dataset_card_data(data)
    return data


def _splits(facts: Facts) -> Any:
    from datasets.splits import SplitDict, SplitInfo

    splits = SplitDict()
    for split, rows in facts.written.rows.items():
        splits.add(SplitInfo(split, num_bytes=facts.written.bytes[split], num_examples=rows))
    return splits


def _size(count: int) -> str:
    return next((name for top, name in _SIZES if count < top), "n>1M")
