"""The samples of garments by garment_id: measures are read from them and written to them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

ALIKE = ("duplicate_group", "near_group", "near_duplicate")
"""Fields that may change in garments nobody touched; an index holds them, so all are read fast."""

Values = Mapping[str, Any]
"""A field's value by garment_id; garments that are not in it have none."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Measured:
    """The samples of the dataset of garments."""

    window: "Window"

    @property
    def _raw(self) -> Any:
        return self.window.garments._sample_collection

    def index(self) -> None:
        """Make the index by which `alike` reads; nothing where it is there."""
        self._raw.create_index(_INDEX)

    def alike(self) -> dict[str, Row]:
        """`ALIKE` of every garment."""
        wanted = {"_id": False, "garment_id": True, **dict.fromkeys(ALIKE, True)}
        found = self._raw.find({"garment_id": {"$gte": ""}}, wanted).hint(_INDEX)
        return {document["garment_id"]: document for document in found}

    def write(self, fields: Mapping[str, Values], only: Collection[str] | None = None) -> None:
        """Set these fields of all garments, or of those in `only`, where they are different."""
        where = {} if only is None else {"garment_id": {"$in": list(only)}}
        found = self._raw.find(where, {"garment_id": True, **dict.fromkeys(fields, True)})
        self.change(
            {document["garment_id"]: document for document in found if document.get("garment_id")},
            fields,
        )

    def change(self, before: Mapping[str, Row], fields: Mapping[str, Values]) -> None:
        """Set these fields where they are not as in `before`, which has every garment meant."""
        from pymongo import UpdateOne

        orders = []
        for name, held in before.items():
            wanted = {field: by.get(name) for field, by in fields.items()}
            if any(held.get(field) != value for field, value in wanted.items()):
                orders.append(UpdateOne({"garment_id": name}, {"$set": wanted}))
        if orders:
            self._raw.bulk_write(orders, ordered=False)


_INDEX = [("garment_id", 1), *((field, 1) for field in ALIKE)]
