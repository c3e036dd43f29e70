"""Masks as run lengths, in COCO's uncompressed form.

Counts alternate background, foreground, background ... over the mask read column by column
(Fortran order), as in the COCO annotation format (Lin et al., 2014), so other tools read them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from garments.boxes import Box
from garments.errors import BadInput


@dataclass(frozen=True)
class RunLengthMask:
    """A binary mask of `height` x `width` pixels as run lengths, background first."""

    height: int
    width: int
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if sum(self.counts) != self.height * self.width or min(self.counts, default=0) < 0:
            raise BadInput(
                f"expected run lengths that add up to {self.height} x {self.width} pixels, "
                f"but they add up to {sum(self.counts)}"
            )

    @classmethod
    def encode(cls, mask: NDArray[np.bool_]) -> "RunLengthMask":
        """Encode a (height, width) mask; anything not zero is foreground."""
        if mask.ndim != 2:
            raise BadInput(f"expected a mask of shape (height, width), but got {mask.shape}")
        flat = np.asarray(mask, bool).ravel(order="F")
        edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        bounds = np.concatenate(([0], edges, [flat.size])) if flat.size else np.zeros(1, int)
        counts = np.diff(bounds).tolist()
        if flat.size and flat[0]:
            counts.insert(0, 0)
        return cls(mask.shape[0], mask.shape[1], tuple(counts))

    def decode(self) -> NDArray[np.bool_]:
        """The mask as a bool array of shape (height, width)."""
        return self.columns(0, self.width)

    def columns(self, first: int, end: int) -> NDArray[np.bool_]:
        """Columns `first` to `end` (exclusive) of the mask, without decoding the others."""
        bounds = np.concatenate(([0], np.cumsum(self.counts, dtype=np.int64)))
        lengths = np.diff(np.clip(bounds, first * self.height, end * self.height))
        flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
        return flat.reshape((self.height, end - first), order="F")

    @property
    def area(self) -> int:
        """Foreground pixels."""
        return int(sum(self.counts[1::2]))

    def to_bytes(self) -> bytes:
        """Counts as little-endian uint32, for storage; shape is stored beside them."""
        return np.asarray(self.counts, "<u4").tobytes()

    @classmethod
    def from_bytes(cls, height: int, width: int, data: bytes) -> "RunLengthMask":
        """Inverse of `to_bytes` for a mask of `height` x `width` pixels."""
        return cls(height, width, tuple(np.frombuffer(data, "<u4").tolist()))


def mask_box(mask: NDArray[np.bool_]) -> Box | None:
    """Smallest box (xyxy pixels) around the foreground of a (height, width) mask, None if empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
