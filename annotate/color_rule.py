"""A second opinion for color that needs no network: `rule:color`.

The pixels under the mask are clustered in CIELAB and each cluster is named by the nearest of the
taxonomy's anchors (CIEDE2000). Folds and shadow change lightness more than hue, so lightness
counts less in both, and a cluster is named by its lit side. The white balance stays as the camera
left it: correcting it by the surroundings or by the brightest pixels made answers no better on
product shots and worse on the synthetic street (a colored wall is no colored light).
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from annotate.foreground import foreground
from garments.calibration import Calibration
from garments.errors import BadTaxonomy
from garments.ids import stable_id
from garments.tagger import Activation, Crop, TaggerVersion, Tags
from garments.taxonomy import Taxonomy

REFERENCE = "rule:color"

ENOUGH = 0.3
"""Share of a garment from which a color is named."""

_ALGORITHM = 1
"""To be raised with any change of what the rule says, so that proposals are renewed."""

_SAMPLES = 1024
_CLUSTERS = 6
_LIGHTNESS = 0.3
"""Weight of lightness when pixels are clustered: a fold is no second color."""

_LIT = 0.7
"""Quantile of a cluster's lightness by which it is named."""

_TOLERANCE = 1.5
"""CIEDE2000's k_L: how much more lightness may differ than hue and chroma."""

_SOFTNESS = 2.5
"""Distance by which a color must be nearer to one name than to another to be e times its."""

_ERODE = 0.05
"""Share of a mask's extent that is taken off its edge, where skin and background leak in."""

_CENTER = 0.6
"""Middle part of a product shot's foreground that is looked at; a model's other clothes and face
lie further out."""

_FLOOR, _CEILING = 0.005, 0.995
"""Shares are kept away from 0 and 1, so that logits are finite."""


class ColorRule:
    """Names the colors of a garment's pixels: a `Tagger` for one attribute with anchors.

    Values without anchors are never proposed. `BadTaxonomy` when no value has any.
    """

    reference = REFERENCE

    def __init__(self, taxonomy: Taxonomy, attribute: str = "color") -> None:
        owners, anchors = taxonomy.anchors(attribute)
        if not owners:
            raise BadTaxonomy(
                f"expected anchors (#rrggbb) for values of {attribute}, but there are none; add "
                "them to the taxonomy or leave rule:color out"
            )
        self.attributes = (attribute,)
        self.calibrations: Mapping[str, Calibration] = {}
        self.weights_hash = stable_id(REFERENCE, _ALGORITHM, owners, anchors.tolist())
        self._values = taxonomy.values(attribute)
        self._vocabulary_hash = taxonomy.vocabulary_hash(attribute)
        self._anchors = rgb2lab(anchors.astype(np.float64))
        self._owners = np.array([self._values.index(owner) for owner in owners])

    def version(self, attribute: str) -> TaggerVersion:
        """The version under which proposals are kept; `BadTaxonomy` for another attribute."""
        if attribute not in self.attributes:
            raise BadTaxonomy(f"expected {self.attributes[0]} of {REFERENCE}, but got {attribute}")
        return TaggerVersion(REFERENCE, self.weights_hash, self._vocabulary_hash, "", "pixels")

    def tag(self, crops: Sequence[Crop]) -> Tags:
        """Logits (N, K): 0 where a color has just `ENOUGH` of the garment, more above."""
        shares = np.array([self._shares(crop) for crop in crops]).reshape(-1, len(self._values))
        logits = _logit(np.clip(shares, _FLOOR, _CEILING)) - _logit(np.float64(ENOUGH))
        return Tags({self.attributes[0]: logits.astype(np.float32)}, Activation.SIGMOID)

    def shares(self, crop: Crop) -> dict[str, float]:
        """Colors of the garment with their shares in (0, 1], largest first; they add up to 1.

        A color between two names counts for both, more for the nearer one.
        """
        found = zip(self._values, self._shares(crop).tolist(), strict=True)
        return dict(sorted(((v, s) for v, s in found if s > 0), key=lambda pair: -pair[1]))

    def _shares(self, crop: Crop) -> NDArray[np.float64]:
        """Share of each value (K,) in the order of the taxonomy."""
        colors, weights = _clusters(crop.pixels[_looked_at(crop)])
        apart = deltaE_ciede2000(  # type: ignore[no-untyped-call]  # skimage has no types
            colors[:, None], self._anchors[None], kL=_TOLERANCE
        )
        distance = np.full((len(self._values), len(colors)), np.inf)
        np.minimum.at(distance, self._owners, apart.T)
        likeness = np.exp((distance.min(axis=0) - distance) / _SOFTNESS)
        return np.asarray(likeness / likeness.sum(axis=0) @ weights)


def _looked_at(crop: Crop) -> NDArray[np.bool_]:
    """Mask (h, w) of the pixels that count, at least one."""
    mask = crop.mask
    if mask is None:
        found = foreground(crop.pixels)
        mask = _central(np.ones(crop.pixels.shape[:2], bool) if found is None else found)
    return _eroded(mask)


def _central(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of `mask` in the middle of its box, all of it where there is nothing."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    left, top = int((1 - _CENTER) / 2 * width), int((1 - _CENTER) / 2 * height)
    middle = np.zeros_like(mask)
    middle[y + top : y + height - top, x + left : x + width - left] = True
    return mask & middle if (mask & middle).any() else mask


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`mask` without its edge; thin things, which would lose most of themselves, stay whole."""
    _, _, width, height = cv2.boundingRect(mask.astype(np.uint8))
    side = 2 * round(_ERODE * min(width, height)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    inner = cv2.erode(mask.astype(np.uint8), kernel) > 0
    return np.asarray(inner if inner.sum() >= 0.3 * mask.sum() else mask)


def _clusters(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """CIELAB colors (k, 3) of the clusters of `pixels` (n, 3), and their shares (k,)."""
    lab = rgb2lab(_sample(pixels) / 255.0)
    points = (lab * (_LIGHTNESS, 1, 1)).astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 0.1)
    first = _seeded(points)
    count = int(first.max()) + 1
    _, labels, _ = cv2.kmeans(points, count, first, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    members = [lab[labels[:, 0] == k] for k in range(count)]
    members = [member for member in members if len(member)]
    colors = np.array([_lit_color(member) for member in members])
    return colors, np.array([len(member) for member in members]) / len(lab)


def _lit_color(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """The color (3,) that a cluster (n, 3) is named by."""
    color = np.asarray(lab.mean(axis=0))
    color[0] = np.sort(lab[:, 0])[int(_LIT * (len(lab) - 1))]
    return color


def _sample(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most `_SAMPLES` of `pixels` (n, 3), evenly through all colors, whatever their order."""
    codes = np.sort(pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32))
    # Two at least: OpenCV takes a single point for a column of three.
    count = min(max(len(codes), 2), _SAMPLES)
    chosen = codes[np.linspace(0, len(codes) - 1, count).astype(int)]
    return np.stack([chosen >> 16, chosen >> 8 & 255, chosen & 255], axis=1).astype(np.uint8)


def _seeded(points: NDArray[np.float32]) -> NDArray[np.int32]:
    """Cluster (n, 1) of each point to begin with: nearest of seeds that lie far from each other."""
    seeds = [points.mean(axis=0)]
    distance = _squared(points, seeds[0])
    labels = np.zeros(len(points), np.int32)
    while len(seeds) < _CLUSTERS and distance.max() > 1:
        seeds.append(points[distance.argmax()])
        new = _squared(points, seeds[-1])
        labels[new < distance] = len(seeds) - 1
        distance = np.minimum(distance, new)
    # The first seed, the mean, may have lost every point: k-means refuses empty clusters.
    return np.unique(labels, return_inverse=True)[1].reshape(-1, 1).astype(np.int32)


def _squared(points: NDArray[np.float32], seed: NDArray[np.float32]) -> NDArray[np.float32]:
    away = points - seed
    return np.asarray(np.einsum("nc,nc->n", away, away))


def _logit(share: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(np.log(share / (1 - share)))
