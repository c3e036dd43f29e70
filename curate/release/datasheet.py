"""The datasheet of a release: one page with its plots inside, which needs no network.

It answers the questions of Gebru et al., "Datasheets for Datasets" (2021), as far as the
catalogue knows the answers.
"""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate.release.choose import SPLITS, WORDS, Item
from curate.release.columns import ATTRIBUTE_COLUMNS, COLUMNS
from curate.release.facts import Facts
from curate.release.figures import MUST_NOT, NOTHING, AttributeFigures
from curate.release.pages import asset, render
from garments.answers import NOT_VISIBLE, answer_of
from garments.errors import BadInput
from garments.files import read_bytes
from garments.images import decode, encode_jpeg
from garments.said import Basis

if TYPE_CHECKING:
    from garments.dataset import Dataset
    from garments.taxonomy import Taxonomy

EXAMPLES = 24
"""Crops on the page."""

SIDE, QUALITY = 176, 84
"""Longer side in pixels of a crop on the page, and its JPEG quality."""

MOST_BARS = 24
"""Values of an attribute that have a bar; the commonest."""

MOST_LICENCES = 20
"""Rows of licences; sources.csv has them all."""

BASES = {
    Basis.ADJUDICATED: "adjudicated",
    Basis.CURATOR: "decided by a curator",
    Basis.CONSENSUS: "most annotators agree",
    Basis.ANNOTATOR: "the newest annotator's",
    Basis.IMPORT: "imported",
}
"""Why a label holds, as people read it, strongest first."""


@dataclass(frozen=True)
class Bar:
    """One value of an attribute: its count by split, and the color that it names, if any."""

    title: str
    hint: str
    color: str
    counts: Sequence[tuple[str, int]]

    @property
    def total(self) -> int:
        """In all splits."""
        return sum(count for _, count in self.counts)


@dataclass(frozen=True)
class Chart:
    """One plot of bars: of an attribute, of regions or of sizes. `rest` are rarer values."""

    title: str
    text: str
    bars: Sequence[Bar]
    rest: Sequence[Bar] = ()


@dataclass(frozen=True)
class Example:
    """A crop as data URI, its place, and what people hold of it, as (title, value) pairs."""

    source: str
    split: str
    region: str
    labels: Sequence[tuple[str, str]]


def datasheet_html(dataset: "Dataset", facts: Facts) -> str:
    """The page."""
    return render(
        "datasheet.html.jinja",
        facts=facts,
        found=facts.figures,
        columns_of_charts=beside(charts(facts)),
        most_licences=MOST_LICENCES,
        bases={str(basis): words for basis, words in BASES.items()},
        splits=[name for name in SPLITS.values() if name in facts.figures.splits],
        crops=crops_html(examples(dataset, facts.choice.items)),
        columns=COLUMNS,
        each=ATTRIBUTE_COLUMNS,
        words=WORDS,
        must_not=MUST_NOT,
        style=asset("style.css", "extract.report") + asset("datasheet.css"),
    )


def crops_html(examples: Sequence[Example]) -> str:
    """The figures of some crops."""
    return render("crops.html.jinja", examples=examples)


def charts(facts: Facts) -> list[Chart]:
    """A chart for every attribute that has labels, and for regions and sizes."""
    found = []
    for one in facts.figures.attributes:
        if shown := bars(one):
            what = one.attribute.description.rstrip(".")
            text = f"{what}. " if what else ""
            text += f"{one.total:,} of {one.asked:,} garments that it is asked about."
            found.append(Chart(one.attribute.title, text, shown[:MOST_BARS], shown[MOST_BARS:]))
    return [*found, _regions(facts), _sizes(facts)]


def beside(charts: Sequence[Chart]) -> tuple[list[Chart], list[Chart]]:
    """The charts in two columns of about the same height."""
    columns: tuple[list[Chart], list[Chart]] = [], []
    for chart in charts:
        heights = [sum(len(one.bars) + _HEAD for one in column) for column in columns]
        columns[heights[0] > heights[1]].append(chart)
    return columns


def _regions(facts: Facts) -> Chart:
    splits = facts.figures.splits
    names = dict.fromkeys(name for split in splits.values() for name in split.regions)
    bars = [
        Bar(name, "", "", [(s, n) for s, split in splits.items() if (n := split.regions.get(name))])
        for name in names
    ]
    text = "Where on the body the parser, or the set, places the garment."
    return Chart("Region", text, sorted(bars, key=lambda bar: -bar.total))


def _sizes(facts: Facts) -> Chart:
    text = "The longer side of the garment's box in pixels of its photo."
    return Chart("Size", text, [Bar(name, "", "", [("", n)]) for name, n in facts.sizes.items()])


def bars(one: AttributeFigures) -> list[Bar]:
    """The values of an attribute that occur, the commonest first."""
    known = {value.id: value for value in one.attribute.values}
    found = []
    for name, counts in one.values.items():
        value = known.get(name)
        title = value.title if value else _TITLES[name]
        color = value.anchors[0] if value and value.anchors else ""
        found.append(Bar(title, value.definition if value else "", color, list(counts.items())))
    return sorted((bar for bar in found if bar.total), key=lambda bar: -bar.total)


def examples(dataset: "Dataset", items: Sequence[Item]) -> list[Example]:
    """Crops from all over the release; ids are hashes, so every so-manyth is a fair draw."""
    found = []
    for item in items[:: max(1, len(items) // EXAMPLES)][:EXAMPLES]:
        try:
            source = small_picture(read_bytes(dataset.crop_path(item.garment.crop_sha)))
        except BadInput:
            continue
        labels = _labels(dataset, item)
        found.append(Example(source, item.split, item.garment.region, labels))
    return found


def small_picture(data: bytes) -> str:
    """A crop as data URI, of the size that the page has; `BadImage` where it is damaged."""
    picture = base64.b64encode(encode_jpeg(decode(data, longest=SIDE).pixels, QUALITY)).decode()
    return f"data:image/jpeg;base64,{picture}"


_HEAD = 5
"""Height of a chart's title and text, in bars."""

_TITLES = {NOTHING: "nothing applies", NOT_VISIBLE: "not visible"}


def _labels(dataset: "Dataset", item: Item) -> list[tuple[str, str]]:
    return titles(
        dataset.taxonomy,
        {name: answer_of(h.value) for name, h in item.held.items() if h.value is not None},
    )


def titles(taxonomy: "Taxonomy", said: Mapping[str, Collection[str]]) -> list[tuple[str, str]]:
    """Values by attribute as people read them, as (title, value) pairs."""
    found = []
    for attribute in taxonomy.attributes:
        if attribute.id in said:
            known = {value.id: value.title for value in attribute.values} | _TITLES
            values = sorted(said[attribute.id]) or [NOTHING]
            found.append((attribute.title, " + ".join(known[value] for value in values)))
    return found
