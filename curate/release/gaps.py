"""Known gaps of a release, in sentences: what its figures say that a user should not overlook."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from curate.release.choose import SPLITS, LeftOut
from curate.release.figures import AttributeFigures, Figures
from garments.said import Basis

FEW = 10
"""Examples below which a figure for one value means little."""

SPARSE = 0.5
"""Share of the garments asked about below which an attribute is called sparse."""

LOW_ALPHA = 0.667
"""Krippendorff's own limit: below it not even tentative conclusions are drawn."""

_NAMED = 12
"""Values that are named in a sentence; the rest is counted."""


class Gap(NamedTuple):
    """One gap: what it is about, and what there is to know."""

    about: str
    text: str


def gaps(
    found: Figures, left_out: Mapping[LeftOut, int], outdated: Mapping[str, int], simulated: bool
) -> list[Gap]:
    """All gaps, those that matter most first; what is about the same thing is together."""
    told = [*_of_rehearsal(simulated), *_of_splits(found), *_of_rights(found)]
    for attribute in found.attributes:
        told += _of_attribute(attribute, found)
    told += [*_of_imports(found), *_of_prefill(found)]
    told += [
        Gap("Labels", f"Left out, as the taxonomy no longer has their values: {count:,} of {name}.")
        for name, count in outdated.items()
    ]
    if missing := left_out.get(LeftOut.NO_PICTURE):
        told.append(Gap("Garments", f"Left out without a readable crop: {missing:,}."))
    if missing := left_out.get(LeftOut.NO_SPLIT):
        told.append(Gap("Splits", f"Left out as new since the split was drawn: {missing:,}."))
    together: dict[str, list[str]] = {}
    for about, text in told:
        together.setdefault(about, []).append(text)
    return [Gap(about, " ".join(texts)) for about, texts in together.items()]


def _of_rehearsal(simulated: bool) -> Iterator[Gap]:
    if simulated:
        yield Gap(
            "Labels", "This is a rehearsal: its annotators are simulated. Use it to try things out."
        )


def _of_splits(found: Figures) -> Iterator[Gap]:
    missing = [name for name in SPLITS.values() if name not in found.splits]
    if missing:
        yield Gap("Splits", f"There is no {' and no '.join(missing)} split.")
    for shared in found.shared:
        if shared.what == "handle" and shared.count:
            a, b = shared.splits
            count = "one handle" if shared.count == 1 else f"{shared.count:,} handles"
            text = f"Photos of {count} stand in both {a} and {b}: figures on {b} may be too good."
            yield Gap("Splits", text)
    if found.handles > 1 and found.largest_handle > 1 / 3:
        share = f"{100 * found.largest_handle:.0f} %"
        yield Gap("Sources", f"One of {found.handles:,} handles gave {share} of all garments.")


def _of_rights(found: Figures) -> Iterator[Gap]:
    licence = sum(one.photos for one in found.licences if not one.licence)
    consent = sum(one.photos for one in found.licences if not one.consent)
    if licence or consent:
        counts = {"licence": licence, "consent": consent}
        lacking = " and ".join(f"{n:,} without a stated {what}" for what, n in counts.items() if n)
        yield Gap("Rights", f"Of {found.photos:,} photos, {lacking}; sources.csv says which.")


def _of_attribute(one: AttributeFigures, found: Figures) -> Iterator[Gap]:
    title = one.attribute.title
    if not one.total:
        yield Gap(title, "Nobody has labelled it yet: the column is empty.")
        return
    if one.coverage < SPARSE:
        share = f"{one.total:,} of {one.asked:,} garments ({100 * one.coverage:.0f} %)"
        yield Gap(title, f"It is labelled for {share} that it is asked about.")
    if one.disputed:
        count = _garments(one.disputed)
        yield Gap(
            title, f"Annotators disagree and nobody has adjudicated: {count}, without a value."
        )
    yield from _of_values(one, found)
    rated = one.agreement
    if rated and rated.alpha < LOW_ALPHA:
        alpha = f"Krippendorff's alpha is {rated.alpha:.3f}"
        yield Gap(title, f"Annotators agree little on it: {alpha}.")


def _of_values(one: AttributeFigures, found: Figures) -> Iterator[Gap]:
    title, values = one.attribute.title, one.attribute.values
    absent = [value.title for value in values if not one.count(value.id)]
    if 2 * len(absent) > len(values):
        yield Gap(title, f"No example of {len(absent):,} of its {len(values):,} values.")
    elif absent:
        yield Gap(title, f"No example of {_named(absent)}.")
    rare = [value.title for value in values if 0 < one.count(value.id) < FEW]
    if rare:
        yield Gap(title, f"Fewer than {FEW} examples of {_named(rare)}.")
    if "train" in found.splits:
        for split in one.labelled:
            counts = {value.title: one.values[value.id] for value in values}
            unseen = [t for t, c in counts.items() if c.get(split) and not c.get("train")]
            if split != "train" and unseen:
                yield Gap(title, f"In {split} but not in train: {_named(unseen)}.")


def _of_imports(found: Figures) -> Iterator[Gap]:
    imported = sum(one.bases.get(Basis.IMPORT, 0) for one in found.attributes)
    if imported:
        share = f"{imported:,} of {found.labels:,} labels"
        text = (
            f"Taken over from other sets, as good as they are there and not checked here: {share}."
        )
        yield Gap("Labels", text)


def _of_prefill(found: Figures) -> Iterator[Gap]:
    annotated = sum(a.bases.get(b, 0) for a in found.attributes for b in _BY_ANNOTATORS)
    test = found.splits.get("test")
    blind = sum(split.blind for split in found.splits.values())
    if annotated and blind < found.garments:
        yield Gap(
            "Labels",
            f"Labelled without seeing a proposal: {_garments(blind)}. The others may have been "
            "corrected from one, and such labels lean towards it.",
        )
    if annotated and test and test.blind < test.garments and not found.sets:
        rest = test.garments - test.blind
        yield Gap("Labels", f"Of test, {rest:,} were not labelled blind.")


_BY_ANNOTATORS = (str(Basis.ANNOTATOR), str(Basis.CONSENSUS))


def _named(titles: list[str]) -> str:
    names = ", ".join(titles[:_NAMED])
    more = len(titles) - _NAMED
    return f"{names} and {more:,} more" if more > 0 else names


def _garments(count: int) -> str:
    return "1 garment" if count == 1 else f"{count:,} garments"
