"""What a look is made of. `train` and `unseen` share no shade, print, cut or backdrop.

Skin, hair, faces, poses and camera effects are common to both: people are people.
"""

from dataclasses import dataclass

from garments.errors import BadSetting
from garments.synthetic import palette


@dataclass(frozen=True)
class Look:
    """Names of everything a street of one look draws on.

    `prints` maps a pattern name to the prints that make it, `cuts` a category to its cuts,
    `shades` a color name to sRGB codes; `backdrops` names the scenes.
    """

    name: str
    shades: dict[str, tuple[str, ...]]
    prints: dict[str, tuple[str, ...]]
    cuts: dict[str, tuple[str, ...]]
    backdrops: tuple[str, ...]


TRAIN = Look(
    name="train",
    shades=palette.TRAIN_SHADES,
    prints={
        "striped": ("even_stripes", "pinstripes", "breton"),
        "checked": ("gingham", "plaid"),
        "dotted": ("polka", "pin_dots"),
        "floral": ("daisies", "blossoms"),
        "graphic": ("badge", "slogan"),
    },
    cuts={
        "t-shirt": ("crew", "vee", "boxy"),
        "shirt": ("regular", "loose"),
        "blouse": ("bow", "puffed"),
        "sweater": ("crew_knit", "roll_neck"),
        "hoodie": ("pouch",),
        "jacket": ("bomber", "trucker"),
        "coat": ("straight", "trench"),
        "blazer": ("single",),
        "cardigan": ("buttoned",),
        "trousers": ("slim", "wide", "straight_leg"),
        "jeans": ("skinny", "classic"),
        "shorts": ("city", "denim"),
        "skirt": ("mini", "midi", "pleated"),
        "dress": ("sheath", "a_line", "maxi", "shirt_dress"),
        "jumpsuit": ("straight_suit",),
        "romper": ("playsuit",),
        "suit": ("two_piece",),
    },
    backdrops=("street", "wall", "shop", "park", "room", "abstract"),
)

UNSEEN = Look(
    name="unseen",
    shades=palette.UNSEEN_SHADES,
    prints={
        "striped": ("double_stripes", "fading_stripes"),
        "checked": ("windowpane", "argyle"),
        "dotted": ("confetti", "rings"),
        "floral": ("leaves", "roses"),
        "graphic": ("sunburst", "monogram"),
    },
    cuts={
        "t-shirt": ("cropped_tee", "long_tee"),
        "shirt": ("band_collar",),
        "blouse": ("peasant",),
        "sweater": ("chunky",),
        "hoodie": ("zipped",),
        "jacket": ("biker",),
        "coat": ("cocoon",),
        "blazer": ("double",),
        "cardigan": ("long_cardigan",),
        "trousers": ("flared", "cropped_leg"),
        "jeans": ("boyfriend",),
        "shorts": ("bermuda",),
        "skirt": ("tulip", "tiered_skirt"),
        "dress": ("wrap", "tiered", "slip"),
        "jumpsuit": ("wide_suit",),
        "romper": ("ruffled",),
        "suit": ("slouchy_suit",),
    },
    backdrops=("seaside", "station", "market", "studio"),
)

LOOKS = {look.name: look for look in (TRAIN, UNSEEN)}
"""Every look by its name."""


def find_look(name: str) -> Look:
    """The look called `name`, or `BadSetting` naming the looks there are."""
    if name not in LOOKS:
        raise BadSetting(f"expected a look of {', '.join(LOOKS)}, but got {name!r}: choose one")
    return LOOKS[name]
