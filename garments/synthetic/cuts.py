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


# fmt: off
CUTS: dict[str, Cut] = {
    # tops
    "crew": Cut(sleeve=(0.5, 0.8), hem=(0.01, 0.05), tuck=0.4),
    "vee": Cut(sleeve=(0.4, 0.8), hem=(0.0, 0.05), neck="vee", tuck=0.4),
    "boxy": Cut(sleeve=(0.8, 1.0), hem=(0.03, 0.07), ease=(0.014, 0.022), straight=1.0, tuck=0.2,
        arm=0.018),
    "cropped_tee": Cut(sleeve=(0.3, 0.6), hem=(-0.07, -0.03), neck="scoop"),
    "long_tee": Cut(sleeve=(1.9, 1.95), hem=(0.03, 0.08), ease=(0.008, 0.014), straight=0.6,
        tuck=0.3),
    "regular": Cut(sleeve=(1.92, 1.98), hem=(0.02, 0.06), ease=(0.008, 0.014), straight=0.6,
        neck="collar", details=("placket", "cuffs"), tuck=0.5, arm=0.009),
    "loose": Cut(sleeve=(0.7, 1.5), hem=(0.04, 0.08), ease=(0.014, 0.022), straight=0.9,
        neck="collar", details=("placket", "pocket"), tuck=0.3, arm=0.014),
    "band_collar": Cut(sleeve=(1.5, 1.97), hem=(0.04, 0.1), ease=(0.012, 0.018), straight=0.9,
        flare=(0, 0.01), neck="band", details=("placket",), tuck=0.2, arm=0.012),
    "bow": Cut(sleeve=(1.9, 1.97), hem=(-0.02, 0.03), ease=(0.008, 0.014), neck="bow",
        details=("cuffs",), tuck=0.7, arm=0.013),
    "puffed": Cut(sleeve=(0.5, 1.2), hem=(-0.02, 0.04), ease=(0.008, 0.014), straight=0.4,
        flare=(0, 0.01), neck="scoop", tuck=0.5, arm=0.02),
    "peasant": Cut(sleeve=(1.3, 1.9), hem=(0.0, 0.06), ease=(0.012, 0.02), straight=0.8,
        flare=(0.005, 0.015), neck="boat", details=("gather",), tuck=0.3, arm=0.022),
    "crew_knit": Cut(sleeve=(1.92, 2.0), hem=(0.0, 0.05), ease=(0.01, 0.018), straight=0.8,
        details=("rib",), tuck=0.15, arm=0.012),
    "roll_neck": Cut(sleeve=(1.92, 2.0), hem=(0.0, 0.05), ease=(0.006, 0.014), straight=0.6,
        neck="roll", details=("rib",), tuck=0.3, arm=0.009),
    "chunky": Cut(sleeve=(1.95, 2.05), hem=(0.03, 0.1), ease=(0.018, 0.028), straight=1.0,
        neck="roll", details=("rib",), arm=0.02),
    "pouch": Cut(sleeve=(1.95, 2.02), hem=(0.02, 0.06), ease=(0.014, 0.022), straight=1.0,
        neck="hood", details=("rib", "pouch"), arm=0.015),
    "zipped": Cut(sleeve=(1.95, 2.02), hem=(0.02, 0.06), ease=(0.012, 0.02), straight=1.0,
        neck="hood", details=("rib", "zip", "pouch"), arm=0.015),
    # outer layers
    "bomber": Cut(sleeve=(1.95, 2.0), hem=(-0.02, 0.03), ease=(0.016, 0.024), straight=1.0,
        neck="band", details=("rib", "zip"), open=0.6, arm=0.017),
    "trucker": Cut(sleeve=(1.9, 2.0), hem=(-0.04, 0.02), ease=(0.012, 0.018), straight=0.8,
        neck="collar", details=("placket", "pockets", "yoke"), open=0.6, arm=0.013),
    "biker": Cut(sleeve=(1.92, 2.0), hem=(-0.06, 0.0), ease=(0.01, 0.016), straight=0.6,
        neck="lapel", details=("zip", "belted"), open=0.6, arm=0.012),
    "straight": Cut(sleeve=(1.95, 2.0), hem=(0.14, 0.32), ease=(0.016, 0.026), straight=0.9,
        flare=(0.01, 0.03), neck="lapel", details=("buttons", "welts"), open=0.65, arm=0.018),
    "trench": Cut(sleeve=(1.95, 2.0), hem=(0.15, 0.3), ease=(0.014, 0.022), straight=0.4,
        flare=(0.02, 0.05), neck="lapel", details=("buttons", "belted", "welts"), open=0.45,
        arm=0.018),
    "cocoon": Cut(sleeve=(1.8, 2.0), hem=(0.12, 0.26), ease=(0.028, 0.04), straight=1.0,
        flare=(-0.01, 0.0), neck="shawl", details=("welts",), open=0.6, arm=0.024),
    "single": Cut(sleeve=(1.93, 1.99), hem=(0.05, 0.09), ease=(0.01, 0.016), straight=0.4,
        flare=(0.0, 0.01), neck="lapel", details=("buttons", "welts"), open=0.65, arm=0.012),
    "double": Cut(sleeve=(1.93, 1.99), hem=(0.06, 0.11), ease=(0.012, 0.02), flare=(0.0, 0.01),
        neck="lapel", details=("double", "welts"), open=0.5, arm=0.013),
    "buttoned": Cut(sleeve=(1.9, 2.0), hem=(0.01, 0.07), ease=(0.01, 0.016), straight=0.7,
        neck="vee", details=("buttons", "rib"), open=0.8, arm=0.012),
    "long_cardigan": Cut(sleeve=(1.9, 2.0), hem=(0.12, 0.24), ease=(0.012, 0.02), straight=0.9,
        flare=(0, 0.02), neck="shawl", details=("rib",), open=1.0, arm=0.014),
    # legs
    "slim": Cut(hem=(0.45, 0.475), details=("crease", "slant"), leg=(0.006, 0.006, 0.008)),
    "straight_leg": Cut(hem=(0.46, 0.485), details=("slant",), leg=(0.012, 0.014, 0.018)),
    "wide": Cut(hem=(0.46, 0.5), details=("crease",), leg=(0.018, 0.03, 0.04), rise=0.085),
    "flared": Cut(hem=(0.46, 0.495), details=("slant",), leg=(0.008, 0.012, 0.042), rise=0.085),
    "cropped_leg": Cut(hem=(0.36, 0.42), details=("crease", "slant"), leg=(0.014, 0.022, 0.026)),
    "skinny": Cut(hem=(0.45, 0.47), details=("fly", "slant", "fade"), leg=(0.004, 0.004, 0.005)),
    "classic": Cut(hem=(0.46, 0.485), details=("fly", "slant", "fade", "turnup"), leg=(0.008,
        0.012, 0.015)),
    "boyfriend": Cut(hem=(0.4, 0.46), details=("fly", "slant", "fade", "turnup"), leg=(0.014,
        0.02, 0.02)),
    "city": Cut(hem=(0.11, 0.2), details=("slant",), leg=(0.014, 0.022, 0.022)),
    "denim": Cut(hem=(0.07, 0.14), details=("fly", "slant", "fade"), leg=(0.01, 0.016, 0.016)),
    "bermuda": Cut(hem=(0.2, 0.27), details=("crease", "slant"), leg=(0.014, 0.024, 0.024)),
    # skirts
    "mini": Cut(hem=(0.12, 0.18), straight=1.0, flare=(0.005, 0.03)),
    "midi": Cut(hem=(0.28, 0.4), straight=1.0, flare=(0.02, 0.07)),
    "pleated": Cut(hem=(0.16, 0.38), straight=1.0, flare=(0.04, 0.09), details=("pleats",)),
    "tulip": Cut(hem=(0.2, 0.3), straight=0.7, flare=(-0.012, 0.0), details=("overlap",)),
    "tiered_skirt": Cut(hem=(0.3, 0.44), straight=1.0, flare=(0.05, 0.1), details=("tiers",)),
    # whole
    "sheath": Cut(sleeve=(0.0, 0.7), hem=(0.17, 0.28), ease=(0.003, 0.008), straight=0.1,
        flare=(-0.006, 0.005), neck="scoop", arm=0.006),
    "a_line": Cut(sleeve=(0.0, 1.0), hem=(0.15, 0.28), ease=(0.005, 0.01), straight=0.15,
        flare=(0.04, 0.09), details=("waist",), arm=0.01),
    "maxi": Cut(sleeve=(0.0, 0.9), hem=(0.4, 0.47), ease=(0.005, 0.01), straight=0.2, flare=(0.04,
        0.1), neck="vee", details=("waist",), arm=0.012),
    "shirt_dress": Cut(sleeve=(0.9, 1.97), hem=(0.16, 0.3), ease=(0.01, 0.016), straight=0.4,
        flare=(0.02, 0.05), neck="collar", details=("placket", "belted"), arm=0.012),
    "wrap": Cut(sleeve=(0.6, 1.9), hem=(0.2, 0.34), straight=0.15, flare=(0.02, 0.06),
        neck="deep", details=("overlap", "belted"), arm=0.012),
    "tiered": Cut(sleeve=(0.4, 1.3), hem=(0.2, 0.44), ease=(0.012, 0.02), straight=0.8,
        flare=(0.05, 0.1), neck="boat", details=("tiers",), arm=0.02),
    "slip": Cut(hem=(0.2, 0.4), ease=(0.003, 0.008), straight=0.3, flare=(0.01, 0.04),
        neck="straps"),
    "straight_suit": Cut(sleeve=(0.0, 1.0), hem=(0.45, 0.48), straight=0.2, neck="vee",
        details=("waist", "slant"), leg=(0.012, 0.018, 0.022), arm=0.01),
    "wide_suit": Cut(sleeve=(0.0, 1.8), hem=(0.45, 0.49), ease=(0.006, 0.014), straight=0.3,
        neck="collar", details=("belted", "slant"), leg=(0.018, 0.03, 0.042), arm=0.012),
    "playsuit": Cut(sleeve=(0.0, 0.8), hem=(0.07, 0.14), straight=0.2, neck="vee",
        details=("waist",), leg=(0.016, 0.026, 0.026), arm=0.012),
    "ruffled": Cut(sleeve=(0.3, 0.8), hem=(0.06, 0.12), ease=(0.008, 0.014), straight=0.3,
        neck="boat", details=("waist", "gather"), leg=(0.02, 0.03, 0.03), arm=0.018),
    "two_piece": Cut(sleeve=(1.93, 1.99), hem=(0.05, 0.09), ease=(0.01, 0.015), straight=0.4,
        flare=(0.0, 0.008), neck="lapel", details=("buttons", "welts"), open=0.5, leg=(0.008,
        0.01, 0.012), arm=0.011),
    "slouchy_suit": Cut(sleeve=(1.93, 2.0), hem=(0.07, 0.12), ease=(0.016, 0.024), straight=0.8,
        flare=(0.0, 0.01), neck="lapel", details=("double", "welts"), open=0.5, leg=(0.014, 0.022,
        0.028), arm=0.016),
}
# fmt: on
"""Every cut by name; `looks` says which belongs to which look."""
