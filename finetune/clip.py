"""Training of the starter image-text model."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from finetune.card import started_from
from finetune.clip_augment import augmented, plain
from finetune.clip_calibrate import calibrate_clip
from finetune.clip_card import Begun, clip_card
from finetune.clip_data import Shown, backgrounds, parsed, products, street
from finetune.clip_lessons import (
    Lesson,
    all_prompts,
    caption,
    caption_pairs,
    drawn_prompts,
    lessons,
    truth_table,
)
from finetune.clip_net import (
    ClipNet,
    build_tokenizer,
    save_clip,
    started,
    tokenize,
    with_trunk,
)
from finetune.loop import Batch, Schedule, Step, Task, train
from finetune.mixing import shown_as_one
from garments.errors import BadInput, BadSetting
from garments.images import Pixels

CAPTIONS_WEIGHT = 0.2
"""What the contrast of whole captions counts beside those of attributes."""


@dataclass(frozen=True)
class ClipRecipe:
    """What the model learns from; `shares` of the batch go to products, parsed photos, street.

    `clothing` is never among them: it is kept as the unseen domain. `start` is an earlier model of
    this recipe whose weights are learnt on from; `trunk` instead a tagger whose image tower is
    taken. Photos of `backgrounds`, a person set, are put behind products. `mix` is the share of
    batches in which two pictures are shown as one.
    """

    products: Path
    parsed: Path
    street: int = 1200
    start: Path | None = None
    trunk: Path | None = None
    backgrounds: Path | None = None
    mix: float = 0.3
    shares: tuple[float, float, float] = (0.7, 0.18, 0.12)
    schedule: Schedule = field(
        default_factory=lambda: Schedule(
            steps=6000, minutes=55, batch=64, rate=1e-3, warmup=300, weight_decay=0.05,
            average=0.998, evaluate_every=300,
        )
    )  # fmt: skip


def train_clip(
    recipe: ClipRecipe,
    out: Path,
    cache: Path | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Step]:
    """Train and yield reports; `out` gets checkpoint, log and `model/` (an open_clip folder).

    The street is drawn into `cache` (default `out/cache`); `tell(done, total)` reports it.
    """
    shop, photos = products(recipe.products), parsed(recipe.parsed)
    drawn = street(recipe.street, cache or out / "cache", tell=tell) if recipe.street else []
    sources = [
        (share, list(source))
        for share, source in zip(recipe.shares, (shop.train, photos.train, drawn), strict=True)
        if source
    ]
    if not sources:
        raise BadInput(f"expected pictures of split train in {recipe.products}, but there are none")
    given = lessons()
    tokenizer = build_tokenizer(prompt for some in all_prompts(given) for prompt in some)
    torch.manual_seed(recipe.schedule.seed)
    net = _begun(recipe)
    behind = backgrounds(recipe.backgrounds) if recipe.backgrounds else []
    val = products(recipe.products, "val")
    task = Task(
        net=net,
        batch=ClipBatches(sources, given, tokenizer, recipe.schedule.batch, recipe.mix, behind),
        loss=lambda net, batch: clip_loss(net, batch, given),
        evaluate=lambda net: accuracies(net, tokenizer, [*val.train, *val.held_back], given),
        split=shares_of,
    )
    names = {"products": recipe.products.name, "parsed": recipe.parsed.name}
    names |= {"backgrounds": recipe.backgrounds.name if recipe.backgrounds else ""}
    begun = {"start": started_from(recipe.start), "trunk": started_from(recipe.trunk)}
    settings = {**asdict(recipe), **names, **begun, "schedule": None}
    for report in train(task, recipe.schedule, out, settings):
        yield report
    size = sum(p.numel() for p in net.parameters())
    origin = Begun(net.tower, bool(recipe.start), bool(recipe.trunk), bool(behind))
    card = clip_card(recipe.schedule, report, recipe.street, size, origin)
    save_clip(out / "model", net, tokenizer, card)
    calibrate_clip(out / "model", [*shop.held_back, *photos.held_back])


def _begun(recipe: ClipRecipe) -> ClipNet:
    if recipe.start and recipe.trunk:
        raise BadSetting("expected --start or --trunk, but got both; leave one of them out")
    if recipe.start:
        return started(recipe.start)
    return with_trunk(recipe.trunk) if recipe.trunk else ClipNet()


class ClipBatches:
    """Batches: pictures, what is true of them, a prompt of every value, and captions.

    Of pictures that are shown as one, `truth` is that of the first, `other` that of the second and
    `share` what the first counts; they have no captions.
    """

    def __init__(
        self,
        sources: Sequence[tuple[float, Sequence[Shown]]],
        given: Sequence[Lesson],
        tokenizer: Any,
        batch: int,
        mix: float = 0.0,
        behind: Sequence[Pixels] = (),
    ) -> None:
        self._mix, self._behind = mix, behind
        shares = np.array([share for share, _ in sources])
        self._shares = shares / shares.sum()
        self._sources = [(list(some), truth_table(some, given)) for _, some in sources]
        self._given, self._tokenizer, self._batch = given, tokenizer, batch

    def __call__(self, rng: np.random.Generator) -> Batch:
        """The batch that `rng` draws."""
        picked = [self._pick(rng) for _ in range(self._batch)]
        shown = [one for one, _ in picked]
        pixels = np.stack([augmented(one, rng, self._behind) for one in shown])
        truth = np.stack([row for _, row in picked])
        told = [caption(one, rng) for one in shown]
        pairs = torch.from_numpy(caption_pairs(shown, [facts for _, facts in told]))
        images, right = torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.from_numpy(truth)
        other, share = right, 1.0
        if rng.random() < self._mix:
            images, beside, share = shown_as_one(images, rng)
            other, pairs = right[beside], torch.full_like(pairs, -1)
        return (
            images,
            right,
            other,
            torch.tensor(share),
            tokenize(self._tokenizer, drawn_prompts(self._given, rng)),
            tokenize(self._tokenizer, [text for text, _ in told]),
            pairs,
        )

    def _pick(self, rng: np.random.Generator) -> tuple[Shown, NDArray[np.bool_]]:
        some, table = self._sources[int(rng.choice(len(self._sources), p=self._shares))]
        row = int(rng.integers(len(some)))
        return some[row], table[row]


def shares_of(batch: Batch, parts: int) -> list[Batch]:
    """The batch as `parts` smaller ones; each has all prompts, and the captions of its pictures."""
    pixels, truth, other, share, prompts, captions, pairs = batch
    rows = torch.arange(len(pixels)).chunk(parts)
    return [
        (pixels[r], truth[r], other[r], share, prompts, captions[r], pairs[r][:, r]) for r in rows
    ]


def clip_loss(net: nn.Module, batch: Batch, given: Sequence[Lesson]) -> Tensor:
    """Contrasts of all attributes, by weight, and of captions."""
    assert isinstance(net, ClipNet)
    pixels, truth, other, share, prompts, captions, pairs = batch
    images = net.image(pixels)
    with torch.autocast("cpu", enabled=False):
        texts = net.text(torch.cat([prompts, captions]))
        scale = net.scale()
        logits = scale * images @ texts[: len(prompts)].T
        loss = share * _contrasts(logits, truth, given)
        if share < 1:
            loss = loss + (1 - share) * _contrasts(logits, other, given)
        return loss + CAPTIONS_WEIGHT * _captions(scale * images @ texts[len(prompts) :].T, pairs)


def _contrasts(logits: Tensor, right: Tensor, given: Sequence[Lesson]) -> Tensor:
    """Of all attributes, by weight."""
    each = (
        lesson.weight * _contrast(logits[:, lesson.columns], right[:, lesson.columns])
        for lesson in given
    )
    return sum(each, torch.zeros(()))


def _contrast(logits: Tensor, right: Tensor) -> Tensor:
    """Cross-entropy over one attribute's values, where one is known; any right value counts.

    Scaled by the share of the batch that is known, so that rare knowledge does not shout.
    """
    known = right.any(dim=1)
    if not known.any():
        return logits.sum() * 0
    everything = torch.logsumexp(logits[known], dim=1)
    rightly = torch.logsumexp(logits[known].masked_fill(~right[known], -1e4), dim=1)
    return (everything - rightly).mean() * known.float().mean().sqrt()


def _captions(logits: Tensor, pairs: Tensor) -> Tensor:
    """Symmetric InfoNCE with several right answers; unknown pairs count neither way."""
    logits = logits.masked_fill(pairs < 0, -1e4)
    right = logits.masked_fill(pairs != 1, -1e4)
    by_image = torch.logsumexp(logits, dim=1) - torch.logsumexp(right, dim=1)
    by_text = torch.logsumexp(logits, dim=0) - torch.logsumexp(right, dim=0)
    return (by_image.mean() + by_text.mean()) / 2


@torch.inference_mode()
def text_table(net: ClipNet, tokenizer: Any, given: Sequence[Lesson]) -> Tensor:
    """(V, D): for every value the unit mean of all its prompts."""
    prompts = all_prompts(given)
    flat = tokenize(tokenizer, [prompt for some in prompts for prompt in some])
    vectors = torch.split(net.text(flat), [len(some) for some in prompts])
    return F.normalize(torch.stack([some.mean(dim=0) for some in vectors]), dim=-1)


@torch.inference_mode()
def image_table(net: ClipNet, pictures: Sequence[NDArray[np.uint8]], batch: int = 64) -> Tensor:
    """(N, D): unit vectors of pictures (96, 96, 3)."""
    found = []
    for start in range(0, len(pictures), batch):
        some = np.stack(pictures[start : start + batch])
        found.append(net.image(torch.from_numpy(some).permute(0, 3, 1, 2)))
    return torch.cat(found)


def accuracies(
    net: nn.Module, tokenizer: Any, shown: Sequence[Shown], given: Sequence[Lesson]
) -> dict[str, float]:
    """Accuracy by attribute on pictures as they are, over the values of each attribute."""
    assert isinstance(net, ClipNet)
    with ThreadPoolExecutor(1) as pool:
        pictures = list(pool.map(lambda one: plain(one.pixels), shown))
    logits = image_table(net, pictures) @ text_table(net, tokenizer, given).T
    truth = torch.from_numpy(truth_table(shown, given))
    found = {}
    for lesson in given:
        right = truth[:, lesson.columns]
        known = right.any(dim=1)
        if known.any():
            best = logits[known][:, lesson.columns].argmax(dim=1, keepdim=True)
            hits = right[known].gather(1, best).float().mean()
            found[lesson.attribute.id] = float(hits)
    return found
