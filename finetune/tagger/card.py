"""The card of a fine-tuned tagger: what it was trained on and how, figures, use, limits."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from finetune.card import Card

if TYPE_CHECKING:
    from finetune.tagger.write import Done

HOW = {
    "probe": "linear heads on features of the backbone as it is (L-BFGS)",
    "lora": "linear heads and low-rank changes of the backbone (AdamW)",
    "full": "all weights (AdamW)",
}


def card_text(done: "Done", figures: Mapping[str, float]) -> str:
    """The card as Markdown."""
    made, recipe, origin = done.made, done.made.recipe, done.material.origin
    backbone, licences = made.backbone, done.material.licences
    source = f"{backbone.reference} ({backbone.weights_hash or 'random weights'})"
    return Card(
        title=f"Tagger {made.version}",
        summary=(
            f"Names garments' attributes from crops: {', '.join(done.labels)}. Backbone {source} "
            f"at {backbone.side} px, one linear head an attribute."
        ),
        data=(
            _origin(origin),
            *(f"{name}: {count:,} labels" for name, count in done.labels.items()),
            *(f"{name}: not learnt, {why}" for name, why in done.skipped.items()),
            *(f"licence {name}: {count:,} garments" for name, count in licences.items()),
        ),
        recipe=(
            HOW[str(recipe["mode"])],
            ", ".join(f"{name} {value}" for name, value in recipe.items() if value is not None),
            *done.notes,
        ),
        figures=figures,
        figures_note=(
            "On examples that were held out from training, under the true category; the test split "
            "was not looked at: `garmentloop evaluate tagger` measures on it."
        ),
        limits=(
            "Meant to pre-label crops that people correct, and to tag photos like those it learnt "
            "from; on others expect less, and measure first.",
            "It knows no values but those of its taxonomy, and abstains below its threshold.",
            "Gender means whom a garment is cut and sold for; do not use it to say anything about "
            "people.",
        ),
    ).text()


def _origin(origin: Mapping[str, object]) -> str:
    sets = origin.get("sets")
    among = f"; public sets among it: {', '.join(sets)}" if isinstance(sets, list) and sets else ""
    if "release" not in origin:
        return f"Split train of `{origin['data']}`, {origin['vocabulary']} vocabulary{among}"
    rehearsed = "; a rehearsal: simulated answers count as people's" if origin["simulated"] else ""
    return (
        f"Release `{origin['release']}` of the data set `{origin['dataset']}`, SHA-256 "
        f"{origin['hash']}, splits train and validation{among}{rehearsed}"
    )
