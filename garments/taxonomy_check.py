"""What a taxonomy must keep to beyond its schema; each breach is a `BadTaxonomy`."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from garments.errors import BadTaxonomy

if TYPE_CHECKING:
    from garments.taxonomy import Attribute


def check(attributes: Sequence["Attribute"], name: str) -> None:
    """Raise `BadTaxonomy` when the attributes of the file `name` contradict themselves."""
    if not attributes:
        raise BadTaxonomy(f"expected at least one attribute in {name}, but it has none; add one")
    _check_once([attribute.id for attribute in attributes], "attribute id", name)
    for index, attribute in enumerate(attributes):
        where = f"attribute {attribute.id} of {name}"
        if not attribute.values:
            raise BadTaxonomy(f"expected values in {where}, but it has none; add some")
        _check_words(attribute, where)
        _check_prompts(attribute, where)
        _check_anchors(attribute, where)
        _check_parents(attribute, attributes[:index], where)


def _check_once(words: Sequence[str], kind: str, where: str) -> None:
    folded = [word.casefold() for word in words]
    for word in folded:
        if folded.count(word) > 1:
            raise BadTaxonomy(
                f"expected each {kind} once in {where}, but {word!r} is there "
                f"{folded.count(word)} times; rename or remove one"
            )


def _check_words(attribute: "Attribute", where: str) -> None:
    """Every id, title and synonym must name one value only."""
    _check_once(attribute.ids, "value", where)
    owners: dict[str, str] = {}
    for value in attribute.values:
        for word in sorted(value.words):
            if owners.setdefault(word, value.id) != value.id:
                raise BadTaxonomy(
                    f"expected every word to name one value in {where}, but {word!r} names "
                    f"{owners[word]} and {value.id}; drop one of the synonyms"
                )
    _check_once([value.hotkey for value in attribute.values if value.hotkey], "hotkey", where)


def _check_prompts(attribute: "Attribute", where: str) -> None:
    for template in attribute.templates:
        if "{}" not in template:
            raise BadTaxonomy(
                f"expected {{}} in every template of {where}, but got {template!r}; "
                "write {} where the value's name goes"
            )
    bare = [v.id for v in attribute.values if not attribute.templates and not v.prompts]
    if bare:
        raise BadTaxonomy(
            f"expected prompts for every value in {where}, but {', '.join(bare)} have none; "
            'add templates to the attribute, such as templates = ["a photo of {}"]'
        )


def _check_anchors(attribute: "Attribute", where: str) -> None:
    for value in attribute.values:
        for anchor in value.anchors:
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", anchor):
                raise BadTaxonomy(
                    f"expected anchors as #rrggbb in {where}, but {value.id} has {anchor!r}"
                )


def _check_parents(attribute: "Attribute", earlier: Sequence["Attribute"], where: str) -> None:
    """A parent attribute stands earlier in the file, and each value names one of its values."""
    if attribute.parent is None:
        orphan = next((value for value in attribute.values if value.parent), None)
        if orphan:
            raise BadTaxonomy(
                f"expected no parent in {where}, but {orphan.id} has {orphan.parent!r}; "
                'say parent = "<attribute>" at the attribute too'
            )
        return
    parent = next((found for found in earlier if found.id == attribute.parent), None)
    if parent is None:
        known = ", ".join(found.id for found in earlier) or "none"
        raise BadTaxonomy(
            f"expected the parent of {where} among the attributes before it ({known}), but got "
            f"{attribute.parent!r}; correct the name or move the attribute down"
        )
    for value in attribute.values:
        if value.parent not in parent.ids:
            raise BadTaxonomy(
                f"expected a parent that is a value of {parent.id} in {where}, but {value.id} has "
                f"{value.parent!r}; correct it or add that value to {parent.id}"
            )
