"""The card of the starter image-text model."""

from dataclasses import dataclass

from finetune.card import CCP_LICENCE, PERSONS_LICENCE, STREET_LICENCE, Card, recipe_lines
from finetune.loop import Schedule, Step

PRODUCTS_LICENCE = (
    "Fashion Product Images (Kaggle, Param Aggarwal), a subset, train split: 5,787 catalogue "
    "photos with a shop's attributes; licence declared as MIT, not verified; rights of the shop "
    "and of brands may remain"
)


@dataclass(frozen=True)
class Begun:
    """What a training began with: its image `tower`, weights of an earlier model, a tagger's trunk.

    Without either of these the weights were random. `backgrounds`: everyday photos lay behind.
    """

    tower: str
    start: bool = False
    trunk: bool = False
    backgrounds: bool = False

    def lines(self) -> tuple[str, ...]:
        """For the recipe of the card."""
        taken = (
            "Begun, by `--trunk`, with the image tower of a tagger that `garmentloop finetune "
            f"tagger --mode full --backbone timm:{self.tower} --from-scratch` had made on the "
            "train split of the products"
        )
        return (taken,) if self.trunk else ()


def clip_card(schedule: Schedule, report: Step, street: int, parameters: int, begun: Begun) -> str:
    """The card as Markdown."""
    return Card(
        title="Starter image-text model",
        summary=(
            f"Compares garment crops with words: an open_clip model of a {begun.tower} image tower "
            f"and a narrow text transformer, {parameters / 1e6:.1f} million parameters, trained "
            "from random weights. It proposes category, sub-category, color, pattern, style and "
            "gender."
        ),
        data=(
            f"{PRODUCTS_LICENCE}; 7 % were held back for the calibration",
            f"{CCP_LICENCE}; garments cut out along the true masks",
            f"{STREET_LICENCE}: {street} pictures, garments cut out along the true masks",
            *([f"{PERSONS_LICENCE}: as backgrounds alone"] if begun.backgrounds else []),
            "Never the set `clothing`: it is kept as the unseen domain of evaluation",
        ),
        recipe=(*recipe_lines("clip", schedule, report, begun.start), *begun.lines()),
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
