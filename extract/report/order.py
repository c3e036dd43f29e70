"""In which order the contact sheet shows photos, and which page files belong to each order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from extract.report.cards import GarmentCard, PhotoCard

PAGE_PHOTOS = 60


class Order(Enum):
    """An order of photos: its words on the page, the name of its first page and of the others."""

    EXTRACTED = ("as extracted", "index", "page")
    UNCERTAIN = ("least certain first", "uncertain", "uncertain")

    def __init__(self, words: str, first: str, stem: str) -> None:
        self.words, self.first, self.stem = words, first, stem

    def page_name(self, number: int) -> str:
        """File name of page `number`, counted from 1."""
        return f"{self.first}.html" if number == 1 else f"{self.stem}-{number}.html"

    def sorted(self, cards: Sequence[PhotoCard]) -> list[PhotoCard]:
        """`cards`, which are as extracted, in this order; photos without proposals come last."""
        if self is Order.EXTRACTED:
            return list(cards)
        turned = (replace(card, garments=_least_certain_first(card.garments)) for card in cards)
        return sorted(turned, key=lambda card: -card.uncertainty)


def _least_certain_first(garments: tuple[GarmentCard, ...]) -> tuple[GarmentCard, ...]:
    def certainty(garment: GarmentCard) -> float:
        return -garment.proposed.uncertainty if garment.proposed else 1.0

    return tuple(sorted(garments, key=certainty))


@dataclass(frozen=True)
class Sheet:
    """All pages of one order. `facets` tells on which pages each verdict, doubt ... occurs."""

    order: Order
    pages: list[list[PhotoCard]]
    facets: dict[str, list[int]]

    @classmethod
    def of(cls, order: Order, cards: Sequence[PhotoCard]) -> "Sheet":
        """`cards`, as extracted, put in order and cut into pages; at least one page."""
        ordered = order.sorted(cards)
        pages = [ordered[i : i + PAGE_PHOTOS] for i in range(0, len(ordered), PAGE_PHOTOS)] or [[]]
        facets: dict[str, list[int]] = {}
        for number, page in enumerate(pages, start=1):
            for facet in sorted({facet for card in page for facet in card.facets}):
                facets.setdefault(facet, []).append(number)
        return cls(order, pages, facets)
