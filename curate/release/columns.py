"""The columns of a release, as Hugging Face features; and a garment as one row of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from annotate.crops import CropLoader
from curate.release.choose import Item, Origin, attribute_columns, clashes
from garments.answers import answer_of
from garments.dataset import Dataset
from garments.errors import BadInput, BadTaxonomy
from garments.files import read_bytes
from garments.ids import content_id
from garments.said import Held
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from datasets.features import Features

Row = Mapping[str, Any]

COLUMNS = {
    "image": "the garment's crop, a JPEG",
    "mask": "1 where the garment is, a 1-bit PNG of the crop's size; null for a product shot",
    "garment_id": "the same in every release and in the catalogue",
    "photo_id": "the photo it was cut from, by content",
    "person_id": "one detection in that photo, null for a product shot; nobody is recognised",
    "group": "what never stands in two splits: photo, handle, near-duplicates",
    "region": "upper, lower, whole, feet, accessories or unknown",
    "box": "x1 y1 x2 y2 in pixels of the upright photo",
    "photo_width": "upright pixels",
    "photo_height": "upright pixels",
    "flags": "doubts about the crop",
    "gold": "a curator vouches for its labels",
    "licence": "as stated by the photo's source, empty where nothing is stated",
    "consent": "as stated by the photo's source, empty where nothing is stated",
}
"""Columns that every release has, and what they hold."""

ATTRIBUTE_COLUMNS = (
    "null where nobody decided, [] where nothing applies, [not_visible] where it cannot be "
    "told from the crop",
    "why they hold: adjudicated, curator, consensus, annotator, import; disputed where none does",
    "how many annotators' answers they rest on",
)
"""What the three columns of each attribute hold."""


def features(taxonomy: Taxonomy) -> "Features":
    """The columns of a release with this taxonomy; `BadTaxonomy` where two have one name."""
    from datasets.features import Features, Image, List, Value

    if clashing := clashes(taxonomy, COLUMNS):
        raise BadTaxonomy(
            f"expected attributes whose columns have names of their own, but {clashing[0]!r} "
            "is the name of another column, or ends like one; rename it in taxonomy.toml"
        )
    text, number = Value("string"), Value("int32")
    kinds: dict[str, Any] = dict.fromkeys(COLUMNS, text)
    kinds |= {"image": Image(), "mask": Image(), "gold": Value("bool"), "flags": List(text)}
    kinds |= {"box": List(Value("float32"), length=4)}
    kinds |= dict.fromkeys(("photo_width", "photo_height"), number)
    for attribute in taxonomy.attributes:
        columns = attribute_columns(attribute.id)
        kinds |= dict(zip(columns, (List(text), text, number), strict=True))
    return Features(kinds)


@dataclass(frozen=True)
class RowMaker:
    """Makes rows of the columns above; safe to call from several threads."""

    dataset: Dataset
    origins: Mapping[str, Origin]
    attributes: tuple[str, ...]
    loader: CropLoader

    def row(self, item: Item, garment: Row, photo: Row) -> dict[str, Any]:
        """One garment from its rows of `garments` and `photos` (empty where there is none).

        Raises `BadInput` where its crop is missing, damaged or another one.
        """
        origin = self.origins.get(item.garment.photo_id, Origin())
        image, mask = self._pictures(garment)
        row = {
            "image": image,
            "mask": mask,
            "garment_id": item.garment.garment_id,
            "photo_id": item.garment.photo_id,
            "person_id": item.garment.person_id,
            "group": item.group,
            "region": item.garment.region,
            "box": [garment[side] for side in ("x1", "y1", "x2", "y2")],
            "photo_width": photo.get("width") or garment["mask_width"],
            "photo_height": photo.get("height") or garment["mask_height"],
            "flags": list(item.garment.flags),
            "gold": item.garment.gold,
            "licence": origin.stated("licence"),
            "consent": origin.stated("consent"),
        }
        for attribute in self.attributes:
            row |= _held_columns(attribute, item.held.get(attribute))
        return row

    def _pictures(self, garment: Row) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The crop and its mask as Hugging Face stores images."""
        sha = garment["crop_sha"]
        data = read_bytes(self.dataset.crop_path(sha))
        if content_id(data) != sha:
            raise BadInput(f"expected the crop {sha}, but its file was changed; extract again")
        image = {"bytes": data, "path": f"{sha}.jpg"}
        if garment["mask"] is None:
            return image, None
        mask = self.loader.load(garment).mask
        return image, None if mask is None else {"bytes": _png(mask), "path": f"{sha}.mask.png"}


def _held_columns(attribute: str, held: Held | None) -> dict[str, Any]:
    if held is None:
        return dict(zip(attribute_columns(attribute), (None, None, 0), strict=True))
    values = None if held.value is None else sorted(answer_of(held.value))
    cells = values, str(held.basis), held.answers
    return dict(zip(attribute_columns(attribute), cells, strict=True))


def _png(mask: NDArray[np.bool_]) -> bytes:
    """A 1-bit PNG: at 256 px half a kilobyte."""
    from PIL import Image

    out = BytesIO()
    Image.fromarray(mask).save(out, "PNG")
    return out.getvalue()
