"""What is learnt and what is not: masks, the parent's constraint, imbalance, soft labels."""

import numpy as np
import pytest
import torch

from annotate.finetuned.layout import Layout
from finetune.tagger.gradient import Gradient
from finetune.tagger.losses import Loss
from finetune.tagger.probe import fit_probe
from finetune.tagger.targets import Targets, learnable, log_prior, rarity, targets_of
from garments.errors import BadInput
from garments.taxonomy import Taxonomy

TAXONOMY = Taxonomy.default()
NAMES = ("category", "sub_category", "color", "pattern")
LAYOUT = Layout.of(TAXONOMY, NAMES)
PLACES = LAYOUT.slices()


def place(attribute: str, value: str) -> int:
    return PLACES[attribute].start + TAXONOMY.values(attribute).index(value)


def first_child() -> tuple[str, str]:
    """A category with several sub-categories, and one of these."""
    for category in TAXONOMY.values("category"):
        children = TAXONOMY.sub_categories(category)
        if len(children) > 1:
            return category, children[0]
    raise AssertionError("expected a category with sub-categories")


def gradient(targets: Targets, loss: Loss | None = None) -> np.ndarray:
    """Of the loss by the logits, at logits that are no special place."""
    logits = torch.randn(targets.values.shape, generator=torch.Generator().manual_seed(3))
    logits.requires_grad_()
    arrays = (targets.values, targets.known, targets.allowed)
    (loss or Loss(LAYOUT))(logits, *(torch.from_numpy(one) for one in arrays)).backward()
    return logits.grad.numpy()


def test_what_nobody_said_gets_no_gradient():
    targets = targets_of(TAXONOMY, LAYOUT, [{"category": {"top": 1.0}}, {}])
    found = gradient(targets)
    assert np.abs(found[0, PLACES["category"]]).min() > 0
    for name in NAMES[1:]:
        assert not found[0, PLACES[name]].any()
    assert not found[1].any()


def test_a_batch_of_which_nothing_is_known_has_a_loss_of_zero():
    targets = targets_of(TAXONOMY, LAYOUT, [{}, {}])
    assert not gradient(targets).any()


def test_sub_categories_are_told_apart_under_their_category_only():
    category, child = first_child()
    targets = targets_of(
        TAXONOMY, LAYOUT, [{"category": {category: 1.0}, "sub_category": {child: 1.0}}]
    )
    found = gradient(targets, Loss(LAYOUT, smoothing=0.1))[0, PLACES["sub_category"]]
    siblings = TAXONOMY.sub_categories(category)
    mine = np.array([value in siblings for value in TAXONOMY.values("sub_category")])
    assert np.abs(found[mine]).min() > 0
    assert not found[~mine].any()


def test_of_several_values_each_stands_by_itself():
    colors = TAXONOMY.values("color")[:2]
    targets = targets_of(TAXONOMY, LAYOUT, [{"color": dict.fromkeys(colors, 1.0)}, {"color": {}}])
    assert targets.known[:, NAMES.index("color")].all()
    found = gradient(targets)[:, PLACES["color"]]
    assert (found[0, :2] < 0).all() and (found[0, 2:] > 0).all()
    assert (found[1] > 0).all()  # nothing applies: every value is wrong


def test_the_gradient_is_that_of_finite_differences():
    category, child = first_child()
    truth = {"category": {category: 1.0}, "sub_category": {child: 1.0}, "color": {"red": 1.0}}
    targets = targets_of(TAXONOMY, LAYOUT, [truth, {"pattern": {"striped": 1.0}}])
    weight = torch.from_numpy(rarity(LAYOUT, targets)).double()
    loss = Loss(LAYOUT, torch.from_numpy(log_prior(LAYOUT, targets)).double(), weight, 0.05)
    values = torch.from_numpy(targets.values).double()
    rest = [torch.from_numpy(one) for one in (targets.known, targets.allowed)]
    logits = torch.randn(values.shape, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(x, values, *rest), (logits,))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_closed_form_is_the_gradient_of_the_loss(smoothing: float):
    category, child = first_child()
    color = dict.fromkeys(TAXONOMY.values("color")[:2], 1.0)
    truths = [
        {"category": {category: 1.0}, "sub_category": {child: 1.0}, "color": color},
        {"pattern": {"striped": 0.75, "solid": 0.25}, "color": {}},
        {},
    ]
    targets = targets_of(TAXONOMY, LAYOUT, truths)
    offset = torch.from_numpy(log_prior(LAYOUT, targets))
    weight = torch.from_numpy(rarity(LAYOUT, targets))
    arrays = [torch.from_numpy(a) for a in (targets.values, targets.known, targets.allowed)]
    for loss in (Loss(LAYOUT, None, None, smoothing), Loss(LAYOUT, offset, weight, smoothing)):
        logits = torch.randn(arrays[0].shape, generator=torch.Generator().manual_seed(5))
        value, gradient = Gradient(loss, *arrays)(logits)
        logits.requires_grad_()
        expected = loss(logits, *arrays)
        expected.backward()
        torch.testing.assert_close(value, expected.detach())
        torch.testing.assert_close(gradient, logits.grad, atol=1e-6, rtol=1e-4)


def test_disagreement_is_learnt_as_shares():
    said = {"pattern": {"striped": 3.0, "solid": 1.0}}
    shares = targets_of(TAXONOMY, LAYOUT, [said]).values[0]
    assert shares[place("pattern", "striped")] == pytest.approx(0.75)
    assert shares[PLACES["pattern"]].sum() == pytest.approx(1)


def test_values_that_no_head_has_teach_nothing():
    targets = targets_of(TAXONOMY, LAYOUT, [{"category": {"spacesuit": 1.0}}])
    assert not targets.known.any()


def test_rare_values_weigh_more_and_frequent_ones_less():
    truths = [{"pattern": {"solid": 1.0}}] * 9 + [{"pattern": {"striped": 1.0}}]
    targets = targets_of(TAXONOMY, LAYOUT, truths)
    weights, prior = rarity(LAYOUT, targets), log_prior(LAYOUT, targets)
    solid, striped = place("pattern", "solid"), place("pattern", "striped")
    assert weights[striped] == pytest.approx(3 * weights[solid], rel=1e-4)
    assert (9 * weights[solid] + weights[striped]) / 10 == pytest.approx(1, rel=1e-4)
    assert prior[solid] > prior[striped] > prior[place("pattern", "checked")]
    assert np.isfinite(prior).all()


def test_an_attribute_with_one_value_or_none_is_left_out_with_the_reason():
    truths = [{"pattern": {"solid": 1.0}, "category": {"top": 1.0}}, {"category": {"dress": 1.0}}]
    good, bad = learnable(TAXONOMY, truths, None)
    assert good == ["category"]
    assert "solid" in bad["pattern"] and "no labels" in bad["color"]
    with pytest.raises(BadInput, match="pattern: all 1 labels say solid"):
        learnable(TAXONOMY, truths, ["category", "pattern"])
    with pytest.raises(BadInput, match="label more"):
        learnable(TAXONOMY, [], None)


def separable(count: int = 120) -> tuple[np.ndarray, Targets, list[str]]:
    """Features that say what the category is, and nothing about the pattern."""
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 3, count)
    features = (np.eye(6)[kinds] + rng.normal(0, 0.2, (count, 6))).astype(np.float32)
    words = [TAXONOMY.values("category")[kind] for kind in kinds]
    patterns = rng.choice(["solid", "striped"], count)
    truths = [
        {"category": {word: 1.0}, "pattern": {str(pattern): 1.0}}
        for word, pattern in zip(words, patterns, strict=True)
    ]
    return features, targets_of(TAXONOMY, LAYOUT, truths), [f"g{i // 2}" for i in range(count)]


def test_a_probe_learns_what_can_be_learnt_and_stays_unsure_of_the_rest():
    features, targets, groups = separable()
    probe = fit_probe(LAYOUT, features, targets, groups, lambda layout, _: Loss(layout))
    truth = targets.values[probe.held_out][:, PLACES["category"]].argmax(axis=1)
    said = probe.logits[:, PLACES["category"]].argmax(axis=1)
    assert sorted(probe.held_out.tolist()) == list(range(len(features)))
    assert (said == truth).mean() > 0.95
    known = targets.at(probe.held_out)
    arrays = (probe.logits, known.values, np.array([[False, False, False, True]]), known.allowed)
    arrays = [torch.from_numpy(np.broadcast_to(a, (len(known), a.shape[1])).copy()) for a in arrays]
    assert float(Loss(LAYOUT)(*arrays)) < 1.0  # little worse than always saying a half: log 2
    again = fit_probe(LAYOUT, features, targets, groups, lambda layout, _: Loss(layout))
    np.testing.assert_array_equal(probe.weight, again.weight)


def test_a_probe_keeps_what_the_words_know_and_doubts_what_they_do_not():
    features, targets, groups = separable(30)
    nothing = np.random.default_rng(2).normal(size=features.shape).astype(np.float32)
    knowing = np.zeros((30, LAYOUT.size), np.float32)
    mine = PLACES["category"]
    knowing[:, mine] = 20 * targets.values[:, mine]
    rolled = np.roll(knowing, 7, axis=0)
    fit = [
        fit_probe(LAYOUT, nothing, targets, groups, lambda layout, _: Loss(layout), words=words)
        for words in (knowing, rolled)
    ]
    truth = targets.values[fit[0].held_out][:, mine].argmax(axis=1)
    assert (fit[0].logits[:, mine].argmax(axis=1) == truth).all()
    sure, unsure = (float(probe.trust[mine.start]) for probe in fit)
    assert sure > 5 * abs(unsure)
    assert len(set(fit[0].trust[mine].tolist())) == 1, "an attribute has one number"


def test_the_heads_that_stay_are_fitted_as_far_as_those_that_were_measured():
    """Words are far louder than features: from nothing, a weak pull would not get there."""
    features, targets, groups = separable(120)
    mine = PLACES["category"]
    rng = np.random.default_rng(4)
    words = np.zeros((120, LAYOUT.size), np.float32)
    words[:, mine] = 30 * rng.normal(size=words[:, mine].shape)
    probe = fit_probe(
        LAYOUT, features, targets, groups, lambda layout, _: Loss(layout), words=words
    )
    ready = (features - probe.shift) * probe.scale
    said = ready @ probe.weight.T + probe.bias + words * probe.trust
    truth = targets.values[:, mine].argmax(axis=1)
    held_out = probe.logits[:, mine].argmax(axis=1) == truth[probe.held_out]
    assert (said[:, mine].argmax(axis=1) == truth).mean() >= held_out.mean() > 0.9
