"""The FiftyOne dataset of garments: a sample a crop, and what its fields hold.

garment_id, photo_id, person_id, region, crop_sha, flags (doubts, `no crop file`, `disputed: a`),
state (active, retired, excluded, bad_crop), gold, split, round, handle, licence, embedding;
disagreement (in how many attributes annotators differ, None for none) and disagreement_why; and
for each attribute `a` of the taxonomy (`attribute_field` gives the field's name)
- `a`            what holds now
- `a_human`      what people or an import say
- `a_proposed`   the tagger in force, also where it abstained
- `a_<model>`    every other model
- `a_uncertainty`  1 - confidence of the tagger in force
- `a_edited`     whether an annotator changed what the form had shown
The first four are Classifications with `values` (a list) and `source`; label is the values in
alphabetical order, joined by " + ". `a` also has `written`, the label as it was written here: where
the two differ somebody edited it in the App. Likewise `synced_tags` has those tags of
`DECISION_TAGS` that were written here: what `tags` has beyond them was added in the App.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from curate.fiftyone.documents import Document, array, classification, metadata
from curate.fiftyone.facts import Facts, Origin
from curate.fiftyone.proposed import Proposal
from curate.fiftyone.standing import Standing, attribute_field
from curate.state import Decision, GarmentRow
from garments.answers import answer_of
from garments.dataset import crop_name
from garments.said import Basis, Held

DECISION_TAGS = {
    Decision.EXCLUDED: "exclude",
    Decision.GOLD: "gold",
    Decision.BAD_CROP: "bad crop",
    Decision.SEND: "send to annotators",
}
"""Kind of decision -> FiftyOne sample tag."""

NO_FILE = "no crop file"
NOTHING_APPLIES = "nothing"
"""Label of an answer without values: a person said that none applies."""


def garment_documents(
    standing: Standing, known: Facts, wanted: Iterable[str]
) -> Iterator[Document]:
    """The samples of those garments that are in `wanted`."""
    chosen = frozenset(wanted)
    for row in known.rows:
        if row.garment_id in chosen:
            yield _document(standing, known, row)


def holds(known: Facts, garment_id: str, attribute: str) -> tuple[list[str], str] | None:
    """The values that hold now and why, None where nothing does."""
    held = known.said.get((garment_id, attribute))
    if held is not None:
        return (_values(held), str(held.basis)) if held.value is not None else None
    spoke = _in_force(known, garment_id, attribute)
    if spoke is None or spoke.abstained or not spoke.values:
        return None
    return sorted(spoke.values), str(Basis.PROPOSAL)


def label_of(values: Sequence[str]) -> str:
    """The label of an answer with these values."""
    return " + ".join(sorted(values)) or NOTHING_APPLIES


def prototype(fo: Any, standing: Standing) -> Any:
    """A sample with every field filled, from which FiftyOne learns their types."""

    def label(**more: Any) -> Any:
        return fo.Classification(label="x", values=["x"], source="x", **more)

    said = {"confidence": 0.5, "logits": np.zeros(1, np.float32), "model": "x", "tagger": "x"}
    said["abstained"] = False
    fields: dict[str, Any] = {}
    for attribute in standing.taxonomy.attributes:
        name = attribute_field(attribute.id)
        fields[name] = label(confidence=0.5, written="x")
        fields[f"{name}_human"] = label(who="x", answers=1)
        fields[f"{name}_proposed"] = label(**said)
        fields[f"{name}_uncertainty"], fields[f"{name}_edited"] = 0.5, False
        for field in standing.model_fields.get(attribute.id, {}).values():
            fields[field] = label(**said)
    texts = ["garment_id", "photo_id", "person_id", "region", "crop_sha", "state"]
    texts += ["split", "round", "handle", "licence"]
    return fo.Sample(
        filepath=str(standing.dataset.folder / "prototype.jpg"),
        metadata=fo.ImageMetadata(),
        flags=["x"],
        synced_tags=["x"],
        gold=False,
        disagreement=1,
        disagreement_why="x",
        embedding=np.zeros(1, np.float32),
        **dict.fromkeys(texts, "x"),
        **fields,
    )


def _document(standing: Standing, known: Facts, row: GarmentRow) -> Document:
    path = standing.root / crop_name(row.crop_sha)
    about, name = metadata(path), row.garment_id
    origin, vector = known.origins.get(row.photo_id, Origin()), known.vectors.get(name)
    differ = known.disagreed.get(name, {})
    document = {
        "filepath": str(path),
        "metadata": about,
        "tags": [tag for kind, tag in DECISION_TAGS.items() if kind in row.decisions],
        "garment_id": name,
        "photo_id": row.photo_id,
        "person_id": row.person_id,
        "region": row.region,
        "crop_sha": row.crop_sha,
        "flags": _flags(standing, known, row, about is not None),
        "state": str(row.state),
        "gold": row.gold,
        "split": known.splits.get(name),
        "round": known.rounds.get(name),
        "handle": origin.handle,
        "licence": origin.licence,
        "disagreement": len(differ) or None,
        "disagreement_why": "; ".join(f"{a}: {told}" for a, told in differ.items()) or None,
        "embedding": None if vector is None else array(vector),
    }
    for attribute in standing.taxonomy.attributes:
        document |= _attribute(standing, known, name, attribute.id)
    return document


def _flags(standing: Standing, known: Facts, row: GarmentRow, has_file: bool) -> list[str]:
    disputed = [
        f"disputed: {attribute.id}"
        for attribute in standing.taxonomy.attributes
        if (held := known.said.get((row.garment_id, attribute.id))) and held.value is None
    ]
    return [*row.flags, *disputed, *([] if has_file else [NO_FILE])]


def _attribute(standing: Standing, known: Facts, garment: str, attribute: str) -> Document:
    """The fields of one attribute, None where there is nothing to say."""
    name = attribute_field(attribute)
    spoke, held = _in_force(known, garment, attribute), known.said.get((garment, attribute))
    others = {p.model: p for p in known.proposals.get(garment, {}).get(attribute, ())}
    fields: Document = {
        name: _now(known, garment, attribute),
        f"{name}_human": _human(held),
        f"{name}_proposed": _proposed(spoke),
        f"{name}_uncertainty": 1 - spoke.confidence if spoke and spoke.values else None,
        f"{name}_edited": known.edited.get((garment, attribute)),
    }
    for model, field in standing.model_fields.get(attribute, {}).items():
        fields[field] = _proposed(others.get(model))
    return fields


def _now(known: Facts, garment: str, attribute: str) -> Document | None:
    found = holds(known, garment, attribute)
    if found is None:
        return None
    values, source = found
    spoke = _in_force(known, garment, attribute)
    confidence = spoke.confidence if spoke and source == Basis.PROPOSAL else None
    label = label_of(values)
    return classification(label, values=values, source=source, confidence=confidence, written=label)


def _human(held: Held | None) -> Document | None:
    if held is None or held.value is None:
        return None
    values, source = _values(held), str(held.basis)
    return classification(
        label_of(values), values=values, source=source, who=held.who, answers=held.answers
    )


def _proposed(spoke: Proposal | None) -> Document | None:
    if spoke is None or not spoke.values:
        return None
    return classification(
        label_of(spoke.values),
        values=sorted(spoke.values),
        source=str(Basis.PROPOSAL),
        confidence=spoke.confidence,
        logits=array(spoke.logits),
        model=spoke.model,
        tagger=spoke.tagger,
        abstained=spoke.abstained,
    )


def _in_force(known: Facts, garment: str, attribute: str) -> Proposal | None:
    spoke = known.proposals.get(garment, {}).get(attribute, ())
    return next((proposal for proposal in spoke if proposal.in_force), None)


def _values(held: Held) -> list[str]:
    return sorted(answer_of(held.value)) if held.value is not None else []
