"""Features of a backbone as it is, computed once a crop and kept, so that a probe is quick."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.finetuned.backbone import Backbone
from annotate.finetuned.net import TaggerNet
from annotate.finetuned.picture import inputs
from annotate.preparation import Background
from extract.ahead import ahead
from finetune.tagger.examples import Example
from garments.errors import BadInput
from garments.ids import stable_id
from garments.tagger import Crop
from garments.whole import in_place_of

BATCH, SHARD = 32, 1024
"""Crops that go through the network at once, and that are written at once."""

_FORMAT = 1

Features = NDArray[np.float32]


class FeatureCache:
    """Features by example's name, in a folder of their own for each backbone and preparation.

    Each shard appears whole; a run that is killed loses the shard that it was at. An example's name
    has to name its picture too: a garment whose crop was cut again is another example.
    """

    def __init__(self, folder: Path, backbone: Backbone, background: Background) -> None:
        key = stable_id(
            _FORMAT,
            backbone.reference,
            backbone.weights_hash,
            backbone.side,
            backbone.blocks,
            backbone.width,
            background,
            backbone.mirrored,
        )
        self.folder = folder / key
        self._known: dict[str, Features] = {}
        for path in sorted(self.folder.glob("features-*.npz")):
            self._known |= _read(path)

    def lacking(self, examples: Sequence[Example]) -> list[Example]:
        """Those that have to be computed."""
        return [one for one in examples if one.name not in self._known]

    def add(self, examples: Sequence[Example], features: Features) -> None:
        """Keep features (N, D) of N examples."""
        names = [one.name for one in examples]
        _write(self.folder, names, features)
        self._known |= dict(zip(names, features, strict=True))

    def of(self, examples: Sequence[Example]) -> Features:
        """(N, D) of examples that are all known."""
        return np.stack([self._known[one.name] for one in examples])


def forget_features(folder: Path, garments: Collection[str]) -> int:
    """Take what is kept of some garments out of every cache below `folder`; how many features."""
    count = 0
    for path in sorted(folder.glob("*/features-*.npz")):
        known = _read(path)
        kept = {name: row for name, row in known.items() if name.split("/")[0] not in garments}
        if len(kept) < len(known):
            count += len(known) - len(kept)
            if kept:
                _write(path.parent, list(kept), np.stack(list(kept.values())))
            path.unlink(missing_ok=True)
    return count


def compute(
    cache: FeatureCache,
    net: TaggerNet,
    side: int,
    background: Background,
    examples: Sequence[Example],
    device: str,
) -> Iterator[int]:
    """Fill the cache with what it lacks; yields how many are done. `BadInput` names bad crops."""
    lacking, net = cache.lacking(examples), net.to(device).eval()
    waiting: list[Example] = []
    made: list[Features] = []
    pool = ThreadPoolExecutor(2, "features")
    try:
        groups = [lacking[i : i + BATCH] for i in range(0, len(lacking), BATCH)]
        loaded = ahead(pool, lambda some: _pixels(some, background, side), groups, 4)
        for some, pixels in zip(groups, loaded, strict=True):
            with torch.inference_mode():
                made.append(net.features(torch.from_numpy(pixels).to(device)).cpu().numpy())
            waiting += some
            if len(waiting) >= SHARD or some is groups[-1]:
                cache.add(waiting, np.concatenate(made))
                waiting, made = [], []
            yield len(some)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pixels(examples: Sequence[Example], background: Background, side: int) -> NDArray[np.uint8]:
    return inputs([loaded(one) for one in examples], background, side)


def loaded(example: Example) -> Crop:
    """The crop of an example; an error names it."""
    try:
        return example.load()
    except BadInput as error:
        raise BadInput(f"crop {example.name}: {error}") from error


def _write(folder: Path, names: Sequence[str], features: Features) -> None:
    """A shard, named by what is in it."""
    path = folder / f"features-{stable_id(*names)}.npz"
    with in_place_of(path) as temporary, temporary.open("wb") as file:
        np.savez(file, names=np.array(names), features=features)


def _read(path: Path) -> dict[str, Features]:
    """A shard; a damaged one is computed again."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return dict(zip(kept["names"].tolist(), kept["features"], strict=True))
    except (OSError, ValueError, KeyError, EOFError):
        path.unlink(missing_ok=True)
        return {}
