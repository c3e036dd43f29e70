"""The card of the starter image-text model."""

from finetune.card import CCP_LICENCE, STREET_LICENCE, Card, recipe_lines
from finetune.loop import Schedule, Step

PRODUCTS_LICENCE = (
    "Fashion Product Images (Kaggle, Param Aggarwal), a subset, train split: 5,787 catalogue "
    "photos with a shop's attributes; licence declared as MIT, not verified; rights of the shop "
    "and of brands may remain"
)


def clip_card(
    schedule: Schedule, report: Step, street: int, parameters: int, went_on: bool = False
) -> str:
    """The card as Markdown; `went_on` from an earlier model of the recipe."""
    return Card(
        title="Starter image-text model",
        summary=(
            "Compares garment crops with words: an open_clip model of a RegNetY-400MF image "
            f"tower and a narrow text transformer, {parameters / 1e6:.1f} million parameters, "
            "trained from random weights. It proposes category, sub-category, color, pattern, "
            "style and gender."
        ),
        data=(
            f"{PRODUCTS_LICENCE}; 7 % were held back for the calibration",
            f"{CCP_LICENCE}; garments cut out along the true masks",
            f"{STREET_LICENCE}: {street} pictures, garments cut out along the true masks",
            "Never the set `clothing`: it is kept as the unseen domain of evaluation",
        ),
        recipe=recipe_lines("clip", schedule, report, went_on),
        figures=report.metrics,
        figures_note=(
            "Accuracy on the `val` part of Fashion Product Images, uncalibrated, by the taxonomy's "
            "attributes and by the shop's own columns."
        ),
        limits=(
            "Its vocabulary is closed in practice: it has read only prompts of the taxonomy and "
            "the shop's words. Other words get a similarity, not a meaning; for free text use "
            "`hf:patrickjohncyh/fashion-clip` or another large model.",
            "It has seen catalogue photos of one Indian shop, some hundred photos of Western "
            "street style and drawings: expect less on other clothes, places and cameras.",
            "Gender means whom a garment is cut and sold for in that catalogue, not who wears "
            "it; do not use it to say anything about people.",
        ),
    ).text()
