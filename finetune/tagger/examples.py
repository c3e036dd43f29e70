"""What a tagger learns from: crops with what people hold of them, from a release or a folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotate.samples import Sample, Vocabulary, read_samples
from finetune.tagger.targets import Truth
from garments.errors import BadInput
from garments.sets.tables import hash_percent
from garments.tagger import Crop
from garments.taxonomy import Taxonomy

HELD_OUT = 8
"""Per cent of a folder's training part on which is measured when to stop, by name."""


@dataclass(frozen=True, eq=False)
class Example:
    """One labelled crop. `group` is what must not be torn apart; `load` reads the picture."""

    name: str
    group: str
    truth: Truth
    load: Callable[[], Crop]


@dataclass(frozen=True, eq=False)
class Material:
    """Examples to learn from, and those held out to see when to stop and how sure to be.

    `origin` says where they come from, for the model's card: `release` with its `hash`, or `data`;
    and `sets`, the public sets among them.
    """

    taxonomy: Taxonomy
    learn: Sequence[Example]
    held_out: Sequence[Example]
    origin: Mapping[str, Any] = field(default_factory=dict)
    licences: Mapping[str, int] = field(default_factory=dict)


def from_folder(data: Path, vocabulary: Vocabulary) -> Material:
    """The split `train` of a folder laid out like a public set (all of it without such a split).

    `native` learns the set's own columns under a taxonomy made of them, `mapped` the default one's
    attributes. Nothing of its other splits is looked at. Raises `BadTable`, `BadInput`.
    """
    found = read_samples(data, vocabulary)
    splits = {sample.split for sample in found.samples}
    mine = [s for s in found.samples if s.split == "train" or not splits & {"train"}]
    examples = [_example(sample) for sample in mine if sample.truth]
    held = [hash_percent(f"tagger/{one.group}") < HELD_OUT for one in examples]
    learn = [one for one, back in zip(examples, held, strict=True) if not back]
    if not learn:
        raise BadInput(f"expected labelled pictures in {data}, but there are none; see its tables")
    back = [one for one, out in zip(examples, held, strict=True) if out]
    origin = {"data": data.resolve().name, "vocabulary": vocabulary, "sets": [found.kind]}
    return Material(found.taxonomy, learn, back, origin)


def _example(sample: Sample) -> Example:
    """Of several accepted values the main one is learnt: others only may stand for it."""
    truth = {name: {values[0]: 1.0} for name, values in sample.truth.items()}
    return Example(sample.name, sample.name.partition("#")[0], truth, sample.load)
