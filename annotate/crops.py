"""A garment of the catalogue as taggers see it: its crop, and its mask in the crop's pixels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extract.crops import crop_window
from extract.provenance import read_provenance
from garments.catalog.rows import garment_from_row
from garments.dataset import Dataset
from garments.errors import BadInput
from garments.files import read_bytes
from garments.images import decode
from garments.records import Garment
from garments.tagger import Crop


class CropLoader:
    """Loads garments' crops; safe to call from several threads."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._margins: dict[str | None, float] = {}

    def load(self, row: Mapping[str, Any]) -> Crop:
        """The crop of one row of `garments`; a product shot's has no mask.

        Raises `BadInput` where the crop is missing or cannot be read, or its mask has no pixel.
        """
        garment = garment_from_row(row)
        if garment.mask is not None and not garment.mask.area:
            raise BadInput(
                "expected a mask with at least one pixel, but its area is zero; extract the photo "
                "again, or exclude the garment"
            )
        pixels = decode(read_bytes(self._dataset.crop_path(garment.crop_sha))).pixels
        mask = self._mask(garment, row["config_hash"], (pixels.shape[0], pixels.shape[1]))
        return Crop(pixels, mask, garment.region)

    def _mask(
        self, garment: Garment, config: str | None, shape: tuple[int, int]
    ) -> NDArray[np.bool_] | None:
        """The photo's mask within the window of the crop, at the crop's size (height, width)."""
        if garment.mask is None:
            return None
        photo = (garment.mask.width, garment.mask.height)
        x1, y1, x2, y2 = crop_window(garment.box, self._margin(config), *photo)
        return resized_mask(garment.mask.columns(x1, x2)[y1:y2], shape)

    def _margin(self, config: str | None) -> float:
        """The margin that crops of this configuration were cut with; the setting if not kept."""
        if config not in self._margins:
            crops = read_provenance(self._dataset, config).crops if config else {}
            margin = crops.get("margin", self._dataset.settings.crops.margin)
            self._margins[config] = float(margin)
        return self._margins[config]


def resized_mask(mask: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """A pixel is on the garment where most of it is; for the thinnest, where some of it is."""
    import cv2

    if not mask.any():
        raise BadInput(
            "expected a mask within the garment's box, but it lies elsewhere; extract the photo "
            "again"
        )
    size = (shape[1], shape[0])
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    most = share >= 0.5
    return most if most.any() else share > 0
