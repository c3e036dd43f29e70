"""The annotators' page: what each value means, what it looks like, how look-alikes differ.

One file with everything in it, so that Label Studio can serve it beside the form, and so that it
can be sent to somebody who has neither.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.lookalikes import look_alikes
from annotate.studio.controls import BAD_CROP, controls
from annotate.studio.hotkeys import keys_of, label
from garments.answers import NOT_VISIBLE, answer_of
from garments.catalog import one_of
from garments.dataset import Dataset
from garments.errors import BadInput
from garments.files import read_bytes
from garments.images import decode, encode_jpeg, fit
from garments.proposals import readings
from garments.said import audit_slice, people_say_in
from garments.taxonomy import Attribute, Taxonomy, Value
from garments.whole import write_page

if TYPE_CHECKING:
    from jinja2 import Template

PAGE = "run/studio-media/guidelines/index.html"
"""Below the data set's folder, in a folder that Label Studio serves."""

SURE = 0.8
"""Confidence from which a proposal may serve as an example."""

_SIDE = 132
"""Longest side of an example, in pixels: at 3 kB each they go into the page."""

_HEAD = 300
"""Bytes of the page in which it names its taxonomy."""

_GLANCE = 500
"""Garments among which a push looks for examples: it has other things to do."""

_SPARE = 8
"""Further candidates, for crops that turn out not to be readable."""

_REASONS = {
    "wrong-region": "It shows another part of the body than it was cut for",
    "occluded": "So much is hidden that hardly a question can be answered",
    "not-a-garment": "Background, skin, hair or a thing",
    "several-people": "Garments of more than one person, so that it isn't clear which is meant",
}


@dataclass(frozen=True)
class Example:
    """A crop that shows a value; `checked` where a person said so."""

    garment_id: str
    crop_sha: str
    checked: bool
    confidence: float = 1.0
    src: str = ""


@dataclass(frozen=True)
class Entry:
    """One value on the page."""

    value: Value
    key: str
    examples: Sequence[Example]
    below: Sequence["Entry"] = ()


@dataclass(frozen=True)
class Section:
    """One question on the page: an attribute, and those whose values stand under its own."""

    title: str
    attributes: Sequence[Attribute]
    entries: Sequence[Entry]
    pairs: Sequence[tuple[Entry, Entry]] = ()


@dataclass(frozen=True)
class Guidelines:
    """Where the page was written, and what is on it."""

    path: Path
    values: int
    shown: int
    checked: int
    """Values with examples, and those of them with one that a person labelled."""


def write_guidelines(dataset: Dataset, examples: int = 3, among: int | None = None) -> Guidelines:
    """Write the page for the taxonomy in force, with at most so many examples a value.

    Examples that nobody labelled are looked for `among` so many garments, all where it is None.
    `DatasetError` where it cannot be written.
    """
    path = dataset.folder / PAGE
    chosen = choose_examples(dataset, examples, among)
    loaded = {key: _loaded(dataset, found, examples) for key, found in chosen.items()}
    sections = _sections(dataset.taxonomy, loaded)
    text = _template().render(
        name=dataset.settings.name,
        taxonomy=dataset.taxonomy.hash,
        sections=sections,
        reasons=[(BAD_CROP[name], told) for name, told in _REASONS.items()],
        style=_asset("guidelines.css"),
    )
    write_page(path, text)
    kept = [found for found in loaded.values() if found]
    checked = sum(any(one.checked for one in found) for found in kept)
    values = sum(len(attribute.values) for attribute in dataset.taxonomy.attributes)
    return Guidelines(path, values, len(kept), checked)


def keep_guidelines(dataset: Dataset) -> None:
    """Write the page where there is none, or one for another taxonomy; the same errors."""
    try:
        with (dataset.folder / PAGE).open("rb") as file:
            start = file.read(_HEAD)
    except OSError:
        start = b""
    if dataset.taxonomy.hash.encode() not in start:
        write_guidelines(dataset, among=_GLANCE)


def choose_examples(
    dataset: Dataset, count: int, among: int | None = None
) -> dict[tuple[str, str], list[Example]]:
    """Candidates by (attribute, value), best first, some more than `count` of them.

    What people labelled goes before what the tagger is sure of; crops of the audit slice and those
    that somebody called bad are left out.
    """
    garments = dataset.catalog.active_garments(columns=["garment_id", "crop_sha"])
    crops = dict(zip(*(column.to_pylist() for column in garments.columns), strict=True))
    for name in audit_slice(dataset) | _bad(dataset):
        crops.pop(name, None)
    found: dict[tuple[str, str], list[Example]] = {}
    for (garment, attribute), held in people_say_in(dataset).items():
        if garment in crops and held.value and held.value != NOT_VISIBLE:
            for value in answer_of(held.value):
                one = Example(garment, crops[garment], True)
                found.setdefault((attribute, value), []).append(one)
    # Ids are hashes, so the first ones are as good as drawn.
    asked = None if among is None or len(crops) <= among else sorted(crops)[:among]
    for garment, said in readings(dataset, asked).items():
        for attribute, reading in said.items():
            if garment not in crops or reading.abstained or reading.confidence < SURE:
                continue
            one = Example(garment, crops[garment], False, reading.confidence)
            found.setdefault((attribute, reading.values[0]), []).append(one)
    return {key: _best(candidates, count + _SPARE) for key, candidates in found.items()}


def _best(candidates: Iterable[Example], count: int) -> list[Example]:
    """The first `count`, each crop once, checked ones first; the order is the same every time."""
    ranked = sorted(candidates, key=lambda one: (not one.checked, -one.confidence, one.garment_id))
    return list({one.crop_sha: one for one in reversed(ranked)}.values())[::-1][:count]


def _bad(dataset: Dataset) -> set[str]:
    """Garments with a crop that somebody called bad or left out, unless that was taken back."""
    found = dataset.catalog.rows("decisions", where=one_of("kind", ["bad_crop", "excluded"]))
    rows = found.to_pylist()
    taken_back = {row["withdraws"] for row in rows}
    return {
        row["garment_id"]
        for row in rows
        if not row["withdraws"] and row["decision_id"] not in taken_back
    }


def _loaded(dataset: Dataset, candidates: Sequence[Example], count: int) -> list[Example]:
    """The first `count` whose crop can be read."""
    found: list[Example] = []
    for one in candidates:
        if len(found) == count:
            break
        try:
            pixels = decode(read_bytes(dataset.crop_path(one.crop_sha))).pixels
        except (BadInput, OSError):
            continue
        data = base64.b64encode(encode_jpeg(fit(pixels, _SIDE), 80)).decode()
        src = f"data:image/jpeg;base64,{data}"
        found.append(Example(one.garment_id, one.crop_sha, one.checked, one.confidence, src))
    return found


def _sections(
    taxonomy: Taxonomy, examples: Mapping[tuple[str, str], Sequence[Example]]
) -> list[Section]:
    """The attributes in order; values that stand under others are shown with these."""
    asked = controls(taxonomy)
    keys = keys_of(asked)

    def entry(chain: Sequence[Attribute], value: Value) -> Entry:
        key = keys.get((chain[0].id, value.id))
        under = [v for v in chain[1].values if v.parent == value.id] if chain[1:] else []
        return Entry(
            value,
            label(key) if key else "",
            examples.get((chain[0].id, value.id), ()),
            [entry(chain[1:], child) for child in under],
        )

    return [
        Section(
            control.title,
            control.attributes,
            [entry(control.attributes, value) for value in control.attributes[0].values],
            [
                (entry([attribute], one), entry([attribute], other))
                for attribute in control.attributes
                for one, other in look_alikes(attribute)
            ],
        )
        for control in asked
    ]


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    options: dict[str, Any] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(undefined=StrictUndefined, **options)
    return environment.from_string(_asset("guidelines.html.jinja"))


@cache
def _asset(name: str) -> str:
    return (files("annotate") / "templates" / name).read_text(encoding="utf-8")
