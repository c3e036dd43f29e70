"""The contrasts that are learnt: a picture against all values of an attribute, and captions.

For every attribute, a picture has to be nearer to a prompt of its own value than to prompts of all
others; prompts are drawn anew each time from templates and synonyms. Besides, pictures and whole
captions of one batch are contrasted (InfoNCE, 1807.03748, as in CLIP, 2103.00020), where a caption
that is also true of another picture is no counter-example (as in UniCL, 2204.03610).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.native import native_taxonomy
from finetune.clip_data import Shown
from garments.taxonomy import Attribute, Taxonomy

WEIGHTS: Mapping[str, float] = {
    "category": 1.0,
    "sub_category": 0.6,
    "color": 0.7,
    "pattern": 0.7,
    "style": 0.3,
    "gender": 0.4,
    "fashion_products_gender": 0.4,
    "fashion_products_master_category": 0.4,
    "fashion_products_sub_category": 0.6,
    "fashion_products_article_type": 1.0,
    "fashion_products_base_colour": 0.6,
    "fashion_products_usage": 0.3,
}
"""How much each attribute's contrast counts."""

CAPTION_FACTS = ("color", "pattern", "style", "sub_category", "category", "gender")


@dataclass(frozen=True)
class Lesson:
    """One attribute: its values' columns in the table of all values, and its weight."""

    attribute: Attribute
    first: int
    weight: float

    @property
    def columns(self) -> slice:
        """Where its values are in the table of all values."""
        return slice(self.first, self.first + len(self.attribute.values))


def lessons() -> list[Lesson]:
    """All attributes of the default taxonomy and the shop's own columns."""
    attributes = [
        *Taxonomy.default().attributes,
        *native_taxonomy("fashion_products").attributes,
    ]
    found, first = [], 0
    for attribute in attributes:
        found.append(Lesson(attribute, first, WEIGHTS.get(attribute.id, 0.3)))
        first += len(attribute.values)
    return found


def value_count(given: Sequence[Lesson]) -> int:
    """Width of the table of all values."""
    last = given[-1]
    return last.first + len(last.attribute.values)


def truth_table(shown: Sequence[Shown], given: Sequence[Lesson]) -> NDArray[np.bool_]:
    """(N, V): which values count as right of each picture; no value where nothing is known."""
    table = np.zeros((len(shown), value_count(given)), bool)
    columns = {
        (lesson.attribute.id, value): lesson.first + i
        for lesson in given
        for i, value in enumerate(lesson.attribute.ids)
    }
    for row, one in enumerate(shown):
        for attribute, values in one.truth.items():
            for value in values:
                column = columns.get((attribute, value))
                if column is not None:
                    table[row, column] = True
    return table


def drawn_prompts(given: Sequence[Lesson], rng: np.random.Generator) -> list[str]:
    """One prompt for each of all values."""
    prompts = []
    for lesson in given:
        for value in lesson.attribute.ids:
            choices = lesson.attribute.prompts(value)
            prompts.append(choices[int(rng.integers(len(choices)))])
    return prompts


def all_prompts(given: Sequence[Lesson]) -> list[list[str]]:
    """Every prompt of each of all values."""
    return [lesson.attribute.prompts(value) for lesson in given for value in lesson.attribute.ids]


def caption(one: Shown, rng: np.random.Generator) -> tuple[str, dict[str, str]]:
    """A caption that tells some of what is known, and the facts that it tells."""
    taxonomy = Taxonomy.default()
    facts = {
        name: one.truth[name][0]
        for name in CAPTION_FACTS
        if name in one.truth and rng.random() < 0.7
    }
    words = {name: _word(taxonomy, name, value, rng) for name, value in facts.items()}
    kind = words.get("sub_category") or words.get("category") or "garment"
    before = [words[name] for name in ("color", "pattern", "style") if name in words]
    text = " ".join([*before, kind])
    if "gender" in words:
        text += f" for {words['gender']}"
    frame = ("{}", "a photo of {}", "a person wearing {}", "{}, fashion product photo")
    return frame[int(rng.integers(len(frame)))].replace("{}", text), facts


def _word(taxonomy: Taxonomy, attribute: str, value: str, rng: np.random.Generator) -> str:
    found = taxonomy.attribute(attribute).value(value)
    words = [found.title, *found.synonyms]
    return words[int(rng.integers(len(words)))].lower()


def caption_pairs(shown: Sequence[Shown], facts: Sequence[Mapping[str, str]]) -> NDArray[np.int8]:
    """(N, N): whether caption j is true of picture i (1), false (0), or nobody knows (-1)."""
    pairs = np.zeros((len(shown), len(facts)), np.int8)
    for i, one in enumerate(shown):
        for j, told in enumerate(facts):
            pairs[i, j] = 1 if i == j else _holds(one, told)
    return pairs


def _holds(one: Shown, told: Mapping[str, str]) -> int:
    known = [one.truth[name] for name in told if name in one.truth]
    wanted = [value for name, value in told.items() if name in one.truth]
    if any(value not in values for value, values in zip(wanted, known, strict=True)):
        return 0
    return 1 if len(known) == len(told) else -1
