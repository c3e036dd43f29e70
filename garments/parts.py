"""Parts of a dressed person that a parser tells apart, and the regions that are cut out."""

from enum import StrEnum


class Region(StrEnum):
    """Where on the body a garment sits; `unknown` for product shots until a label tells."""

    UPPER = "upper"
    LOWER = "lower"
    WHOLE = "whole"
    FEET = "feet"
    ACCESSORIES = "accessories"
    UNKNOWN = "unknown"


PARTS = ("background", "hair", "skin", "upper", "lower", "whole", "feet", "accessories")
"""Part names in the order of a parser's channels; a part's index is its value in label maps."""

PART_INDEX = {name: index for index, name in enumerate(PARTS)}
BACKGROUND, HAIR, SKIN = PART_INDEX["background"], PART_INDEX["hair"], PART_INDEX["skin"]

GARMENT_REGIONS = (Region.UPPER, Region.LOWER, Region.WHOLE, Region.FEET, Region.ACCESSORIES)
"""The five regions that are parts of a person, in channel order (`PARTS[3:]`)."""

DEFAULT_REGIONS = (Region.UPPER, Region.LOWER, Region.WHOLE)
"""Regions that `extract` cuts out unless told otherwise."""

IGNORED = 255
"""Value of pixels in label maps that are left out of losses and metrics."""
