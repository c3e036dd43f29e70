"""Taggers held against what people said, as evaluations of FiftyOne.

One for each attribute of the tagger in force, on all garments; and one for each tagger that spoke
about the test split, so that they can be compared. The App's panel "Model Evaluation" shows them
with figures and a confusion matrix, of which a click on a cell opens the crops.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from curate.fiftyone.standing import attribute_field
from curate.state import GarmentState

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

FEWEST = 2
"""Garments below which there is nothing to evaluate."""

_ON_TEST = "eval_test_"
"""How evaluations on the test split are called, before the field of what was proposed."""


def evaluation_key(attribute: str) -> str:
    """Name of the evaluation of one attribute, also the field that says who was right."""
    return f"eval_{attribute}"


def update(window: "Window") -> dict[str, int]:
    """Evaluate each attribute anew; how many garments were looked at, by attribute.

    Active garments where people said something and the tagger proposed something count, also
    where the tagger abstained.
    """
    found = {}
    for attribute in window.dataset.taxonomy.attributes:
        view = _comparable(window, attribute_field(attribute.id))
        key, count = evaluation_key(attribute.id), view.count()
        if window.garments.has_evaluation(key):
            window.garments.delete_evaluation(key)
        if count >= FEWEST:
            name = attribute_field(attribute.id)
            view.evaluate_classifications(
                f"{name}_proposed", gt_field=f"{name}_human", eval_key=key, progress=False
            )
            found[attribute.id] = count
    _update_on_test(window)
    return found


def _update_on_test(window: "Window") -> None:
    """Evaluate every tagger on the test split: what `garmentloop evaluate tagger` is about."""
    for key in window.garments.list_evaluations():
        if key.startswith(_ON_TEST):
            window.garments.delete_evaluation(key)
    names = [attribute_field(attribute.id) for attribute in window.dataset.taxonomy.attributes]
    for field in window.garments.get_field_schema(embedded_doc_type=window.fo.Classification):
        # the longest, where the field of one attribute begins like another one's
        name = max((n for n in names if field.startswith(f"{n}_")), key=len, default="")
        if not name or field == f"{name}_human":
            continue
        view = _comparable(window, name, field).match(window.fo.ViewField("split") == "test")
        if view.count() >= FEWEST:
            view.evaluate_classifications(
                field, gt_field=f"{name}_human", eval_key=f"{_ON_TEST}{field}", progress=False
            )


def mark(window: "Window", touched: Collection[str]) -> None:
    """Say of these garments who was right now; the figures stay until the next `update`."""
    shown = window.garments
    right = {}
    for attribute in window.dataset.taxonomy.attributes:
        key = evaluation_key(attribute.id)
        if shown.has_evaluation(key):
            name = attribute_field(attribute.id)
            both = [f"${name}_{who}.label" for who in ("human", "proposed")]
            known = {"$and": [{"$ne": [{"$type": label}, "missing"]} for label in both]}
            right[key] = {"$cond": [known, {"$eq": both}, None]}
    if right:
        mine = {"garment_id": {"$in": list(touched)}}
        shown._sample_collection.update_many(mine, [{"$set": right}])


def _comparable(window: "Window", name: str, proposed: str = "") -> Any:
    """Active garments with a label of that attribute and a proposal, by default in force."""
    active = window.garments.match(window.fo.ViewField("state") == str(GarmentState.ACTIVE))
    return active.exists(f"{name}_human.label").exists(f"{proposed or f'{name}_proposed'}.label")
