"""The color rule on patches whose colors are known, and what must not change its answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotate.color_rule import ENOUGH, ColorRule
from annotate.foreground import foreground
from garments.errors import BadTaxonomy
from garments.tagger import Activation, Crop
from garments.taxonomy import Taxonomy

Pixels = NDArray[np.uint8]

RULE = ColorRule(Taxonomy.default())
VALUES = Taxonomy.default().values("color")
NAMED = {
    "black": (20, 20, 22),
    "white": (250, 250, 250),
    "grey": (125, 127, 131),
    "red": (200, 25, 45),
    "green": (30, 138, 70),
    "blue": (35, 90, 180),
    "yellow": (246, 211, 31),
    "brown": (107, 70, 42),
    "pink": (226, 84, 143),
    "orange": (240, 125, 30),
}


def patch(color: tuple[int, int, int], height: int = 60, width: int = 50) -> Pixels:
    return np.full((height, width, 3), color, np.uint8)


def disc(height: int = 60, width: int = 50) -> NDArray[np.bool_]:
    y, x = np.mgrid[:height, :width]
    return (y - height / 2) ** 2 + (x - width / 2) ** 2 < (0.4 * min(height, width)) ** 2


def named(crop: Crop) -> list[str]:
    """Values with a logit of at least 0, strongest first."""
    logits = RULE.tag([crop]).logits["color"][0]
    return [VALUES[k] for k in np.argsort(-logits) if logits[k] >= 0]


@pytest.mark.parametrize("value", NAMED)
def test_plain_cloth_has_one_color_whatever_surrounds_it(value: str) -> None:
    for behind in NAMED.values():
        pixels = np.where(disc()[..., None], patch(NAMED[value]), patch(behind))
        assert named(Crop(pixels.astype(np.uint8), disc())) == [value]


def test_two_colors_of_equal_share_are_both_named() -> None:
    pixels = patch(NAMED["red"])
    pixels[np.arange(60) // 5 % 2 == 0] = NAMED["white"]
    shares = RULE.shares(Crop(pixels, np.ones((60, 50), bool)))
    assert sum(shares.values()) == pytest.approx(1)
    assert set(list(shares)[:2]) == {"red", "white"}
    assert sorted(named(Crop(pixels, np.ones((60, 50), bool)))) == ["red", "white"]


def test_three_equal_colors_are_all_named_and_a_small_trim_is_not() -> None:
    pixels = patch(NAMED["blue"])
    pixels[:20], pixels[20:40] = NAMED["yellow"], NAMED["black"]
    whole = np.ones((60, 50), bool)
    assert sorted(named(Crop(pixels, whole))) == ["black", "blue", "yellow"]
    pixels = patch(NAMED["blue"])
    pixels[:10] = NAMED["yellow"]
    assert named(Crop(pixels, whole)) == ["blue"]


@pytest.mark.parametrize("value", ["red", "green", "blue", "orange", "pink"])
def test_folds_in_shadow_are_no_second_color(value: str) -> None:
    shade = np.linspace(1, 0.7, 50)[None, :, None]
    pixels = np.rint(patch(NAMED[value]) * shade).astype(np.uint8)
    assert named(Crop(pixels, np.ones((60, 50), bool))) == [value]


@pytest.mark.parametrize("value", ["red", "green", "blue", "yellow", "black", "brown"])
@pytest.mark.parametrize("light", [(1, 0.96, 0.92), (0.94, 0.97, 1)])
def test_moderately_colored_light_changes_no_name(
    value: str, light: tuple[float, float, float]
) -> None:
    pixels = np.rint(patch(NAMED[value]) * np.array(light)).astype(np.uint8)
    assert named(Crop(pixels, np.ones((60, 50), bool)))[0] == value


def test_skin_that_leaks_in_at_the_edge_does_not_count() -> None:
    mask = disc(80, 80)
    y, x = np.mgrid[:80, :80]
    inside = (y - 40) ** 2 + (x - 40) ** 2 < 29**2
    pixels = np.where(inside[..., None], patch(NAMED["green"], 80, 80), (224, 172, 134))
    assert set(RULE.shares(Crop(pixels.astype(np.uint8), mask))) >= {"green"}
    assert RULE.shares(Crop(pixels.astype(np.uint8), mask))["green"] > 0.95


def test_masks_of_one_pixel_and_of_one_line_are_enough() -> None:
    pixels = patch(NAMED["grey"])
    pixels[30], pixels[10, 10] = NAMED["red"], NAMED["yellow"]
    line, dot = np.zeros((60, 50), bool), np.zeros((60, 50), bool)
    line[30], dot[10, 10] = True, True
    assert named(Crop(pixels, line)) == ["red"]
    assert named(Crop(pixels, dot)) == ["yellow"]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (300, 3)])
def test_pictures_of_any_size_are_read(size: tuple[int, int]) -> None:
    assert named(Crop(patch(NAMED["blue"], *size))) == ["blue"]
    assert named(Crop(patch(NAMED["blue"], *size), np.ones(size, bool))) == ["blue"]


def test_a_product_shot_is_read_without_its_background() -> None:
    pixels = patch((255, 255, 255), 120, 90)
    pixels[30:90, 30:60] = NAMED["red"]
    found = foreground(pixels)
    assert found is not None
    assert found[30:90, 30:60].all()
    assert found.sum() == 60 * 30
    assert named(Crop(pixels)) == ["red"]


def test_a_white_shirt_on_white_keeps_its_inside() -> None:
    pixels = patch((255, 255, 255), 120, 90)
    pixels[20:100, 20:70] = 236
    pixels[22:98, 22:68] = 254
    found = foreground(pixels)
    assert found is not None
    assert found[20:100, 20:70].all()
    assert not found[:18].any()
    assert named(Crop(pixels)) == ["white"]


def test_the_clothes_around_a_worn_product_count_less() -> None:
    pixels = patch((255, 255, 255), 120, 90)
    pixels[5:25, 35:55] = (224, 172, 134)
    pixels[25:85, 20:70] = NAMED["green"]
    pixels[85:115, 25:65] = NAMED["black"]
    assert named(Crop(pixels)) == ["green"]


def test_an_uneven_border_is_no_product_shot() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 60, 3), dtype=np.uint8)
    assert foreground(noise) is None
    assert foreground(patch((255, 255, 255))) is None
    assert RULE.shares(Crop(noise))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_pixels_under_the_mask_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (int(rng.integers(1, 6)), 3))
    noise = rng.normal(0, 6, (60, 50, 3))
    colors = palette[rng.integers(0, len(palette), (60, 50))]
    pixels = np.clip(colors + noise, 0, 255).astype(np.uint8)
    shuffled = pixels.reshape(-1, 3)[rng.permutation(3000)].reshape(60, 50, 3)
    whole = np.ones((60, 50), bool)
    assert RULE.shares(Crop(pixels, whole)) == RULE.shares(Crop(shuffled, whole))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_crop_has_finite_logits_that_rise_with_the_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = tuple(int(n) for n in rng.integers(1, 40, 2))
    pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8) // 64 * 64
    mask = rng.random(size) < 0.5
    mask.flat[int(rng.integers(mask.size))] = True
    crop = Crop(pixels, mask if rng.random() < 0.7 else None)
    logits = RULE.tag([crop]).logits["color"][0]
    shares = RULE.shares(crop)
    assert np.isfinite(logits).all()
    assert sum(shares.values()) == pytest.approx(1)
    order = [logits[VALUES.index(value)] for value in shares]
    assert order == sorted(order, reverse=True)
    assert all((logits[VALUES.index(v)] >= 0) == (share >= ENOUGH) for v, share in shares.items())
    assert 0 <= int((logits >= 0).sum()) <= 3


def test_a_crop_is_answered_alike_alone_and_among_others() -> None:
    crops = [Crop(patch(color), disc()) for color in NAMED.values()]
    together = RULE.tag(crops)
    assert together.activation is Activation.SIGMOID
    assert together.embeddings is None
    assert together.logits["color"].shape == (len(NAMED), len(VALUES))
    alone = np.concatenate([RULE.tag([crop]).logits["color"] for crop in crops])
    np.testing.assert_array_equal(together.logits["color"], alone)
    assert RULE.tag([]).logits["color"].shape == (0, len(VALUES))


def test_moved_anchors_make_a_new_version_and_new_words_do_not() -> None:
    text = Taxonomy.default().dumps()
    moved = ColorRule(Taxonomy.parse(text.replace("#fffdf9", "#fffffe")))
    reworded = ColorRule(Taxonomy.parse(text.replace("Clear red", "Bright red")))
    assert moved.version("color").id != RULE.version("color").id
    assert reworded.version("color") == RULE.version("color")
    assert RULE.version("color").model == "rule:color"
    with pytest.raises(BadTaxonomy, match="expected color"):
        RULE.version("pattern")


def test_a_value_without_anchors_is_never_proposed() -> None:
    data = Taxonomy.default().model_dump()
    color = next(a for a in data["attributes"] if a["id"] == "color")
    color["values"] = (*color["values"], {"id": "multicolor", "title": "Multicolor"})
    rule = ColorRule(Taxonomy.model_validate(data))
    for rgb in NAMED.values():
        assert rule.tag([Crop(patch(rgb), disc())]).logits["color"][0, -1] < -4


def test_an_attribute_without_anchors_is_refused() -> None:
    with pytest.raises(BadTaxonomy, match="anchors"):
        ColorRule(Taxonomy.default(), "pattern")
