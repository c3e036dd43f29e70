"""Cuts: the measures of every kind of garment, in heights of the wearer.

`hem` is how far the garment ends below the hip joints (negative above them; knee 0.24, ankle
0.47); `sleeve` counts bones of the arm (0 none, 1 elbow, 2 wrist), `ease` is room round the body.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """Measures of one cut. Ranges are (low, high) and drawn once a garment."""

    sleeve: tuple[float, float] = (0.0, 0.0)
    hem: tuple[float, float] = (0.0, 0.0)
    ease: tuple[float, float] = (0.006, 0.012)
    straight: float = 0.5
    flare: tuple[float, float] = (0.0, 0.0)
    neck: str = "crew"
    details: tuple[str, ...] = ()
    tuck: float = 0.0
    open: float = 0.0
    leg: tuple[float, float, float] = (0.012, 0.012, 0.012)
    rise: float = 0.07
    arm: float = 0.008


CUTS: dict[str, Cut] = {
    # tops
    "crew": Cut((0.5, 0.8), (0.01, 0.05), tuck=0.4),
    "vee": Cut((0.4, 0.8), (0.0, 0.05), neck="vee", tuck=0.4),
    "boxy": Cut((0.8, 1.0), (0.03, 0.07), (0.014, 0.022), 1.0, arm=0.018, tuck=0.2),
    "cropped_tee": Cut((0.3, 0.6), (-0.07, -0.03), neck="scoop"),
    "long_tee": Cut((1.9, 1.95), (0.03, 0.08), (0.008, 0.014), 0.6, tuck=0.3),
    "regular": Cut(
        (1.92, 1.98),
        (0.02, 0.06),
        (0.008, 0.014),
        0.6,
        (0, 0),
        "collar",
        ("placket", "cuffs"),
        0.5,
        arm=0.009,
    ),
    "loose": Cut(
        (0.7, 1.5),
        (0.04, 0.08),
        (0.014, 0.022),
        0.9,
        (0, 0),
        "collar",
        ("placket", "pocket"),
        0.3,
        arm=0.014,
    ),
    "band_collar": Cut(
        (1.5, 1.97),
        (0.04, 0.10),
        (0.012, 0.018),
        0.9,
        (0, 0.01),
        "band",
        ("placket",),
        0.2,
        arm=0.012,
    ),
    "bow": Cut(
        (1.9, 1.97), (-0.02, 0.03), (0.008, 0.014), 0.5, (0, 0), "bow", ("cuffs",), 0.7, arm=0.013
    ),
    "puffed": Cut(
        (0.5, 1.2), (-0.02, 0.04), (0.008, 0.014), 0.4, (0, 0.01), "scoop", (), 0.5, arm=0.02
    ),
    "peasant": Cut(
        (1.3, 1.9),
        (0.0, 0.06),
        (0.012, 0.02),
        0.8,
        (0.005, 0.015),
        "boat",
        ("gather",),
        0.3,
        arm=0.022,
    ),
    "crew_knit": Cut(
        (1.92, 2.0), (0.0, 0.05), (0.01, 0.018), 0.8, (0, 0), "crew", ("rib",), 0.15, arm=0.012
    ),
    "roll_neck": Cut(
        (1.92, 2.0), (0.0, 0.05), (0.006, 0.014), 0.6, (0, 0), "roll", ("rib",), 0.3, arm=0.009
    ),
    "chunky": Cut(
        (1.95, 2.05), (0.03, 0.1), (0.018, 0.028), 1.0, (0, 0), "roll", ("rib",), 0.0, arm=0.02
    ),
    "pouch": Cut(
        (1.95, 2.02), (0.02, 0.06), (0.014, 0.022), 1.0, (0, 0), "hood", ("rib", "pouch"), arm=0.015
    ),
    "zipped": Cut(
        (1.95, 2.02),
        (0.02, 0.06),
        (0.012, 0.02),
        1.0,
        (0, 0),
        "hood",
        ("rib", "zip", "pouch"),
        arm=0.015,
    ),
    # outer layers
    "bomber": Cut(
        (1.95, 2.0),
        (-0.02, 0.03),
        (0.016, 0.024),
        1.0,
        (0, 0),
        "band",
        ("rib", "zip"),
        0,
        0.6,
        arm=0.017,
    ),
    "trucker": Cut(
        (1.9, 2.0),
        (-0.04, 0.02),
        (0.012, 0.018),
        0.8,
        (0, 0),
        "collar",
        ("placket", "pockets", "yoke"),
        0,
        0.6,
        arm=0.013,
    ),
    "biker": Cut(
        (1.92, 2.0),
        (-0.06, 0.0),
        (0.01, 0.016),
        0.6,
        (0, 0),
        "lapel",
        ("zip", "belted"),
        0,
        0.6,
        arm=0.012,
    ),
    "straight": Cut(
        (1.95, 2.0),
        (0.14, 0.32),
        (0.016, 0.026),
        0.9,
        (0.01, 0.03),
        "lapel",
        ("buttons", "welts"),
        0,
        0.65,
        arm=0.018,
    ),
    "trench": Cut(
        (1.95, 2.0),
        (0.15, 0.3),
        (0.014, 0.022),
        0.4,
        (0.02, 0.05),
        "lapel",
        ("buttons", "belted", "welts"),
        0,
        0.45,
        arm=0.018,
    ),
    "cocoon": Cut(
        (1.8, 2.0),
        (0.12, 0.26),
        (0.028, 0.04),
        1.0,
        (-0.01, 0.0),
        "shawl",
        ("welts",),
        0,
        0.6,
        arm=0.024,
    ),
    "single": Cut(
        (1.93, 1.99),
        (0.05, 0.09),
        (0.01, 0.016),
        0.4,
        (0.0, 0.01),
        "lapel",
        ("buttons", "welts"),
        0,
        0.65,
        arm=0.012,
    ),
    "double": Cut(
        (1.93, 1.99),
        (0.06, 0.11),
        (0.012, 0.02),
        0.5,
        (0.0, 0.01),
        "lapel",
        ("double", "welts"),
        0,
        0.5,
        arm=0.013,
    ),
    "buttoned": Cut(
        (1.9, 2.0),
        (0.01, 0.07),
        (0.01, 0.016),
        0.7,
        (0, 0),
        "vee",
        ("buttons", "rib"),
        0,
        0.8,
        arm=0.012,
    ),
    "long_cardigan": Cut(
        (1.9, 2.0),
        (0.12, 0.24),
        (0.012, 0.02),
        0.9,
        (0, 0.02),
        "shawl",
        ("rib",),
        0,
        1.0,
        arm=0.014,
    ),
    # legs
    "slim": Cut(hem=(0.45, 0.475), leg=(0.006, 0.006, 0.008), details=("crease", "slant")),
    "straight_leg": Cut(hem=(0.46, 0.485), leg=(0.012, 0.014, 0.018), details=("slant",)),
    "wide": Cut(hem=(0.46, 0.50), leg=(0.018, 0.03, 0.04), rise=0.085, details=("crease",)),
    "flared": Cut(hem=(0.46, 0.495), leg=(0.008, 0.012, 0.042), rise=0.085, details=("slant",)),
    "cropped_leg": Cut(hem=(0.36, 0.42), leg=(0.014, 0.022, 0.026), details=("crease", "slant")),
    "skinny": Cut(hem=(0.45, 0.47), leg=(0.004, 0.004, 0.005), details=("fly", "slant", "fade")),
    "classic": Cut(
        hem=(0.46, 0.485), leg=(0.008, 0.012, 0.015), details=("fly", "slant", "fade", "turnup")
    ),
    "boyfriend": Cut(
        hem=(0.40, 0.46), leg=(0.014, 0.02, 0.02), details=("fly", "slant", "fade", "turnup")
    ),
    "city": Cut(hem=(0.11, 0.2), leg=(0.014, 0.022, 0.022), details=("slant",)),
    "denim": Cut(hem=(0.07, 0.14), leg=(0.01, 0.016, 0.016), details=("fly", "slant", "fade")),
    "bermuda": Cut(hem=(0.2, 0.27), leg=(0.014, 0.024, 0.024), details=("crease", "slant")),
    # skirts
    "mini": Cut(hem=(0.12, 0.18), flare=(0.005, 0.03), straight=1.0),
    "midi": Cut(hem=(0.28, 0.4), flare=(0.02, 0.07), straight=1.0),
    "pleated": Cut(hem=(0.16, 0.38), flare=(0.04, 0.09), straight=1.0, details=("pleats",)),
    "tulip": Cut(hem=(0.2, 0.3), flare=(-0.012, 0.0), straight=0.7, details=("overlap",)),
    "tiered_skirt": Cut(hem=(0.3, 0.44), flare=(0.05, 0.1), straight=1.0, details=("tiers",)),
    # whole
    "sheath": Cut(
        (0.0, 0.7), (0.17, 0.28), (0.003, 0.008), 0.1, (-0.006, 0.005), "scoop", arm=0.006
    ),
    "a_line": Cut(
        (0.0, 1.0), (0.15, 0.28), (0.005, 0.01), 0.15, (0.04, 0.09), "crew", ("waist",), arm=0.01
    ),
    "maxi": Cut(
        (0.0, 0.9), (0.40, 0.47), (0.005, 0.01), 0.2, (0.04, 0.1), "vee", ("waist",), arm=0.012
    ),
    "shirt_dress": Cut(
        (0.9, 1.97),
        (0.16, 0.3),
        (0.01, 0.016),
        0.4,
        (0.02, 0.05),
        "collar",
        ("placket", "belted"),
        arm=0.012,
    ),
    "wrap": Cut(
        (0.6, 1.9),
        (0.2, 0.34),
        (0.006, 0.012),
        0.15,
        (0.02, 0.06),
        "deep",
        ("overlap", "belted"),
        arm=0.012,
    ),
    "tiered": Cut(
        (0.4, 1.3), (0.2, 0.44), (0.012, 0.02), 0.8, (0.05, 0.1), "boat", ("tiers",), arm=0.02
    ),
    "slip": Cut((0.0, 0.0), (0.2, 0.4), (0.003, 0.008), 0.3, (0.01, 0.04), "straps"),
    "straight_suit": Cut(
        (0.0, 1.0),
        (0.45, 0.48),
        (0.006, 0.012),
        0.2,
        neck="vee",
        details=("waist", "slant"),
        leg=(0.012, 0.018, 0.022),
        arm=0.01,
    ),
    "wide_suit": Cut(
        (0.0, 1.8),
        (0.45, 0.49),
        (0.006, 0.014),
        0.3,
        neck="collar",
        details=("belted", "slant"),
        leg=(0.018, 0.03, 0.042),
        arm=0.012,
    ),
    "playsuit": Cut(
        (0.0, 0.8),
        (0.07, 0.14),
        (0.006, 0.012),
        0.2,
        neck="vee",
        details=("waist",),
        leg=(0.016, 0.026, 0.026),
        arm=0.012,
    ),
    "ruffled": Cut(
        (0.3, 0.8),
        (0.06, 0.12),
        (0.008, 0.014),
        0.3,
        neck="boat",
        details=("waist", "gather"),
        leg=(0.02, 0.03, 0.03),
        arm=0.018,
    ),
    "two_piece": Cut(
        (1.93, 1.99),
        (0.05, 0.09),
        (0.01, 0.015),
        0.4,
        (0.0, 0.008),
        "lapel",
        ("buttons", "welts"),
        0,
        0.5,
        (0.008, 0.01, 0.012),
        arm=0.011,
    ),
    "slouchy_suit": Cut(
        (1.93, 2.0),
        (0.07, 0.12),
        (0.016, 0.024),
        0.8,
        (0.0, 0.01),
        "lapel",
        ("double", "welts"),
        0,
        0.5,
        (0.014, 0.022, 0.028),
        arm=0.016,
    ),
}
"""Every cut by name; `looks` says which belongs to which look."""
