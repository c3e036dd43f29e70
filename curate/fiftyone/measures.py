"""What is computed about garments and shown in FiftyOne: in these fields of a sample.

- `uniqueness`       mean distance (1 - cosine) to the nearest three, the nearest counting most
- `duplicate_group`  first garment of those that show the same picture
- `near_duplicate`, `near_group`  whether a garment of another photo is very much alike; who is
- `suspect_<a>`      how little of the label of attribute a is believed, in [0, 1]
- `suspicion`, `suspicion_why`  the highest of these, and what speaks against the label
- `uncertainty`      mean uncertainty of the tagger over all attributes
- `edits`            how many attributes an annotator changed of what the form had shown
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from curate.duplicates import (
    Neighbourhood,
    duplicate_pairs,
    joined,
    near_duplicates,
    neighbourhood,
)
from curate.fiftyone import evaluate, judging
from curate.fiftyone.measured import ALIKE, Measured, Values
from curate.fiftyone.standing import attribute_field
from curate.suspects import Suspect, scored_labels

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

_NEIGHBOUR_WEIGHTS = np.array([0.6, 0.3, 0.1])
"""Of the nearest three, as FiftyOne weighs them."""

_TEXTS = ("duplicate_group", "near_group", "suspicion_why")
_NUMBERS = ("uniqueness", "suspicion", "uncertainty")


def update(window: "Window", touched: Collection[str] | None) -> None:
    """Bring all measures up to date; `touched` garments were written anew, None: all."""
    if touched is not None and not touched:
        return
    _declare(window)
    garments = Measured(window)
    near = neighbourhood(window.dataset, touched)
    own: dict[str, Values] = {
        "uncertainty": _uncertainty(window, touched),
        "edits": _edits(window, touched),
        "uniqueness": uniqueness(near),
    }
    before = {} if touched is None else garments.alike()
    alike = _likeness(window, before, near, touched)
    due = judging.is_due(window, touched)
    judged = _suspicion(window, near, alike["duplicate_group"]) if due else _nothing(window)
    if touched is None:
        garments.write(own | alike | judged)  # at once: there are as many as there are garments
    else:
        garments.write(own if due else own | judged, touched)
        garments.change(before, alike)
        if due:
            garments.write(judged)
    if due:
        evaluate.update(window)
        judging.was_done(window)
    elif touched is not None:
        evaluate.mark(window, touched)


def forget_suspicion(window: "Window", relabelled: Collection[str]) -> None:
    """Take back what was suspected of the labels of these garments, until they are judged anew."""
    declared = window.garments.get_field_schema()
    fields = {name: by for name, by in _nothing(window).items() if name in declared}
    Measured(window).write(fields, relabelled)


def suspect_field(attribute: str) -> str:
    """Field with the suspicion about the labels of one attribute."""
    return f"suspect_{attribute}"


def _declare(window: "Window") -> None:
    """Make the fields that are not there yet."""
    fo = window.fo
    suspected = [suspect_field(attribute.id) for attribute in window.dataset.taxonomy.attributes]
    types = dict.fromkeys(_TEXTS, fo.StringField)
    types |= dict.fromkeys((*_NUMBERS, *suspected), fo.FloatField)
    types |= {"near_duplicate": fo.BooleanField, "edits": fo.IntField}
    schema = window.garments.get_field_schema()
    Measured(window).index()
    for name, kind in types.items():
        if name not in schema:
            window.garments.add_sample_field(name, kind)


def _uncertainty(window: "Window", touched: Collection[str] | None) -> dict[str, float]:
    found = _of_attributes(window, "uncertainty", touched)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _edits(window: "Window", touched: Collection[str] | None) -> dict[str, int]:
    found = _of_attributes(window, "edited", touched)
    return {name: sum(map(bool, values)) for name, values in found.items()}


def _of_attributes(
    window: "Window", suffix: str, touched: Collection[str] | None
) -> dict[str, list[Any]]:
    """What fields like `color_edited` hold, of all attributes, by garment; None left out."""
    attributes = window.dataset.taxonomy.attributes
    names = [f"{attribute_field(attribute.id)}_{suffix}" for attribute in attributes]
    where = {} if touched is None else {"garment_id": {"$in": list(touched)}}
    wanted = {"garment_id": True, **dict.fromkeys(names, True)}
    found = {
        document["garment_id"]: [document[n] for n in names if document.get(n) is not None]
        for document in window.garments._sample_collection.find(where, wanted)
    }
    return {name: values for name, values in found.items() if values}


def _likeness(
    window: "Window",
    before: Mapping[str, Mapping[str, Any]],
    near: Neighbourhood,
    touched: Collection[str] | None,
) -> dict[str, Values]:
    """`ALIKE` of every garment, as it was `before` where nothing touched it."""
    pairs = duplicate_pairs(window.dataset, near, touched)
    alike = near_duplicates(window.dataset, near)
    ties = [(name, found.garment_id) for name, found in alike.items()]
    if touched is not None:  # what was known of the others still holds
        pairs += _known(before, "duplicate_group", near.garments)
        ties += _known(before, "near_group", near.garments)
    copies, groups = joined(pairs), joined(ties)
    very = {name: name in groups for name in near.garments}
    return dict(zip(ALIKE, (copies, groups, very), strict=True))


def _known(
    before: Mapping[str, Mapping[str, Any]], field: str, active: Collection[str]
) -> list[tuple[str, str]]:
    """Pairs of active garments that were found to be of one group."""
    groups = {name: held[field] for name, held in before.items() if held.get(field)}
    first: dict[str, str] = {}
    for name in sorted(groups):
        if name in active:
            first.setdefault(groups[name], name)
    return [(first[group], name) for name, group in groups.items() if name in active]


def uniqueness(near: Neighbourhood) -> dict[str, float]:
    """How far the nearest others are from each garment that was asked for, in [0, 1]."""
    weights = _NEIGHBOUR_WEIGHTS
    cosine = near.near.cosine[:, : len(weights)]
    known = np.isfinite(cosine)
    shares = np.where(known, weights[: cosine.shape[1]], 0.0)
    distance = np.where(known, 1 - cosine, 0.0)
    total = np.maximum(shares.sum(axis=1), 1e-9)
    found = np.clip((shares * distance).sum(axis=1) / total, 0.0, 1.0)
    ids = near.vectors.garment_ids
    return {ids[row]: float(value) for row, value in zip(near.rows, found, strict=True)}


def _nothing(window: "Window") -> dict[str, Values]:
    """No suspicion in any field that says how little a label is believed."""
    names = [suspect_field(attribute.id) for attribute in window.dataset.taxonomy.attributes]
    return {field: {} for field in (*names, "suspicion", "suspicion_why")}


def _suspicion(
    window: "Window", near: Neighbourhood, copies: Mapping[str, str]
) -> dict[str, Values]:
    """How little each label is believed, by field."""
    scored = scored_labels(window.dataset, near.vectors, copies)
    worst: dict[str, Suspect] = {}
    for found in _all(scored.values()):
        before = worst.get(found.garment_id)
        if before is None or found.score > before.score:
            worst[found.garment_id] = found
    fields: dict[str, Values] = {
        suspect_field(attribute.id): {
            name: found.score for name, found in scored.get(attribute.id, {}).items()
        }
        for attribute in window.dataset.taxonomy.attributes
    }
    fields["suspicion"] = {name: found.score for name, found in worst.items()}
    fields["suspicion_why"] = {name: _why(found) for name, found in worst.items()}
    return fields


def _all(by_garment: Iterable[Mapping[str, Suspect]]) -> Iterable[Suspect]:
    return (found for some in by_garment for found in some.values())


def _why(found: Suspect) -> str:
    given = " + ".join(found.given)
    return f"{found.attribute}: people said {given}, others like it are {found.likely}"
