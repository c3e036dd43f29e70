"""What one person wears: garments drawn by chance from a look."""

from dataclasses import dataclass, field

import numpy as np

from garments.parts import PART_INDEX, Region
from garments.synthetic.cuts import CUTS, Cut
from garments.synthetic.fabric import Cloth, weave_cloth
from garments.synthetic.looks import Look

COLOR_ODDS = {
    "black": 16, "white": 13, "grey": 8, "beige": 8, "brown": 6, "red": 6, "burgundy": 4,
    "pink": 6, "orange": 3, "yellow": 4, "green": 5, "olive": 4, "teal": 3, "blue": 9,
    "navy": 7, "purple": 3, "gold": 1, "silver": 1,
}  # fmt: skip
PATTERNS = ("solid", "striped", "checked", "dotted", "floral", "graphic")
PATTERN_ODDS = {
    "t-shirt": (5, 2.2, 0.3, 0.5, 0.5, 3),
    "shirt": (5, 2.5, 3, 0.5, 0.7, 0),
    "blouse": (5, 1.2, 0.4, 1.5, 2, 0),
    "sweater": (6, 2.2, 0.7, 0.3, 0, 0.8),
    "hoodie": (6, 0.3, 0, 0, 0, 3),
    "jacket": (9, 0, 0.6, 0, 0.3, 0),
    "coat": (8, 0, 1.6, 0, 0, 0),
    "blazer": (7, 0.8, 1.6, 0, 0.2, 0),
    "cardigan": (7, 1.2, 0.5, 0.3, 0, 0),
    "trousers": (8, 0.7, 0.8, 0.2, 0.4, 0),
    "shorts": (7, 0.5, 0.7, 0.3, 0.6, 0),
    "skirt": (5, 0.8, 1.3, 1, 1.6, 0),
    "dress": (5, 1.2, 0.8, 1.5, 3, 0.2),
    "jumpsuit": (7, 0.7, 0.2, 0.5, 1, 0),
    "romper": (5, 1, 0.4, 0.8, 2, 0),
    "suit": (8, 0.8, 1.2, 0, 0, 0),
    "scarf": (5, 1.5, 2, 0.4, 0.4, 0),
    "bag": (9, 0.2, 0.2, 0, 0.2, 0),
    "tie": (4, 3, 0, 1.5, 0, 0),
}
HOSIERY = ("black", "black", "grey", "navy", "brown", "burgundy", "white", "red", "green")
DENIM = ("blue", "navy", "black", "grey", "white")
LEATHER = ("black", "brown", "beige", "white", "red", "navy", "burgundy", "grey", "pink", "silver")
REGIONS = {
    Region.UPPER: ("t-shirt", "shirt", "blouse", "sweater", "hoodie", "jacket", "coat", "blazer",
                   "cardigan"),
    Region.LOWER: ("trousers", "jeans", "shorts", "skirt"),
    Region.WHOLE: ("dress", "jumpsuit", "romper", "suit"),
    Region.FEET: ("shoes", "boots", "sneakers", "sandals", "heels", "socks", "tights"),
    Region.ACCESSORIES: ("bag", "hat", "cap", "scarf", "belt", "sunglasses", "tie"),
}  # fmt: skip
REGION_OF = {category: region for region, names in REGIONS.items() for category in names}


@dataclass(frozen=True)
class Item:
    """One garment as it is drawn. `gid` is its number in the truth map, `rank` grows outwards."""

    category: str
    cloth: Cloth
    cut: Cut
    gid: int
    rank: int = 0
    sleeve: float = 0.0
    hem: float = 0.0
    ease: float = 0.01
    flare: float = 0.0
    tucked: bool = False
    open: bool = False
    variant: int = 0

    @property
    def region(self) -> Region:
        """The region this garment belongs to."""
        return REGION_OF[self.category]

    @property
    def part(self) -> int:
        """Label-map value of this garment."""
        return PART_INDEX[self.region.value]


@dataclass
class Outfit:
    """Garments by role; any may be missing."""

    top: Item | None = None
    outer: Item | None = None
    lower: Item | None = None
    whole: Item | None = None
    shoes: Item | None = None
    socks: Item | None = None
    extras: list[Item] = field(default_factory=list)

    def items(self) -> list[Item]:
        """All garments worn."""
        worn = [self.top, self.outer, self.lower, self.whole, self.socks, self.shoes]
        return [i for i in worn if i is not None] + self.extras


class Wardrobe:
    """Draws garments of one look and numbers them."""

    def __init__(self, rng: np.random.Generator, look: Look, first: int) -> None:
        self.rng, self.look, self.next = rng, look, first

    def draw(
        self, category: str, rank: int = 0, colors: tuple[str, ...] = (), match: Cloth | None = None
    ) -> Item:
        """A garment of a category, in one of `colors` or any, or of the cloth `match`."""
        rng = self.rng
        names = list(colors or COLOR_ODDS)
        weights = np.array([1.0 if colors else COLOR_ODDS[n] for n in names])
        color = str(rng.choice(names, p=weights / weights.sum()))
        pattern = "solid"
        if category in PATTERN_ODDS:
            odds = np.array(PATTERN_ODDS[category], float)
            pattern = str(rng.choice(PATTERNS, p=odds / odds.sum()))
        cloth = match or weave_cloth(rng, self.look, category, color, pattern)
        cut = (
            CUTS[str(rng.choice(self.look.cuts[category]))] if category in self.look.cuts else Cut()
        )
        self.next += 1
        return Item(
            category, cloth, cut, self.next - 1, rank,
            sleeve=float(rng.uniform(*cut.sleeve)),
            hem=float(rng.uniform(*cut.hem)),
            ease=float(rng.uniform(*cut.ease)),
            flare=float(rng.uniform(*cut.flare)),
            tucked=bool(rng.random() < cut.tuck),
            open=bool(rng.random() < cut.open),
            variant=int(rng.integers(1000)),
        )  # fmt: skip

    def outfit(self, seated: bool) -> Outfit:
        """A whole outfit from the skin outwards."""
        rng, worn = self.rng, Outfit()
        kind = str(rng.choice(["parts", "dress", "jumpsuit", "romper", "suit"],
                              p=[0.60, 0.24, 0.05, 0.04, 0.07]))  # fmt: skip
        if kind == "suit":
            self._suit(worn)
        elif kind != "parts":
            worn.whole = self.draw(kind)
        else:
            self._parts(worn)
        if kind != "suit" and rng.random() < 0.36:
            outer = str(
                rng.choice(["jacket", "coat", "blazer", "cardigan"], p=[0.3, 0.3, 0.2, 0.2])
            )
            worn.outer = self.draw(outer, rank=2)
        self._feet(worn)
        self._extras(worn)
        return worn

    def _suit(self, worn: Outfit) -> None:
        colors = ("black", "navy", "grey", "beige", "white", "brown", "burgundy", "blue")
        worn.whole = self.draw("suit", rank=2, colors=colors)
        worn.top = self.draw(str(self.rng.choice(["shirt", "t-shirt", "blouse"])))
        if self.rng.random() < 0.4:
            worn.extras.append(self.draw("tie", rank=1))

    def _parts(self, worn: Outfit) -> None:
        tops = ["t-shirt", "shirt", "blouse", "sweater", "hoodie"]
        worn.top = self.draw(str(self.rng.choice(tops, p=[0.3, 0.2, 0.18, 0.2, 0.12])), rank=1)
        lowers = ["trousers", "jeans", "shorts", "skirt"]
        kind = str(self.rng.choice(lowers, p=[0.3, 0.28, 0.15, 0.27]))
        worn.lower = self.draw(kind, colors=DENIM if kind == "jeans" else ())
        if worn.top.category == "shirt" and self.rng.random() < 0.12:
            worn.extras.append(self.draw("tie", rank=1))

    def _feet(self, worn: Outfit) -> None:
        rng = self.rng
        if rng.random() < 0.03:
            return
        kinds = ["shoes", "boots", "sneakers", "sandals", "heels"]
        kind = str(rng.choice(kinds, p=[0.24, 0.22, 0.24, 0.1, 0.2]))
        worn.shoes = self.draw(kind, rank=1, colors=LEATHER)
        bare = worn.whole is not None or (worn.lower and worn.lower.category in ("skirt", "shorts"))
        if bare and kind != "sandals" and rng.random() < 0.25:
            worn.socks = self.draw("tights", colors=HOSIERY)
        elif kind in ("shoes", "sneakers") and rng.random() < 0.4:
            worn.socks = self.draw("socks")

    def _extras(self, worn: Outfit) -> None:
        rng = self.rng
        chances = (("bag", 0.5), ("sunglasses", 0.22), ("scarf", 0.14), ("belt", 0.2))
        for category, chance in chances:
            if rng.random() < chance:
                colors: tuple[str, ...] = LEATHER if category in ("bag", "belt") else ()
                colors = ("black", "brown", "gold") if category == "sunglasses" else colors
                worn.extras.append(self.draw(category, colors=colors))
        if rng.random() < 0.2:
            worn.extras.append(self.draw(str(rng.choice(["hat", "cap"]))))
