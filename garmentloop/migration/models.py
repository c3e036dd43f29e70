"""What a migration means for the trained taggers in force: which values they cannot propose."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from garments.errors import ModelError, UnfitModel
from garments.migration.history import History
from garments.references import Reference, Source
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from garments.dataset import Dataset


def models_notes(dataset: "Dataset", taxonomy: Taxonomy, history: History) -> Iterator[str]:
    """A sentence for each attribute that a promoted tagger does not wholly know in `taxonomy`.

    `history` ends in `taxonomy`. Zero-shot taggers know any word and are passed over, as are models
    that cannot be read: whoever loads them is told.
    """
    from annotate.finetuned.folder import read_made
    from annotate.finetuned.layout import mapped
    from annotate.in_force import promoted_references, trained_models

    for reference, names in promoted_references(dataset).items():
        parsed = Reference.parse(reference)
        if parsed.source is not Source.TRAINED:
            continue
        try:
            heads = read_made(trained_models(dataset) / parsed.name).layout.now(taxonomy, history)
        except ModelError:
            continue
        for name in names:
            now = history.attribute(name)
            if now is None:
                yield f"{reference} is in force for {name}, which is removed"
                continue
            try:
                found = mapped(heads.head(now), taxonomy, reference)
            except UnfitModel as error:
                yield str(error)
                continue
            ids = taxonomy.values(now)
            new = [value for value, at in zip(ids, found.places, strict=True) if at < 0]
            if new:
                yield (
                    f"{reference} stays in force for {now} and never proposes {', '.join(new)}; "
                    "train another once there are labels of these"
                )
