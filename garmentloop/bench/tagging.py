"""Zero-shot tagging against the naive ways: prompts read again for every crop, crops one by one.

The starter answers the whole default taxonomy. A ViT-B/32 at its real size (random weights, since
weights change no speed) answers categories with one prompt a value: the naive way of reading 1,700
prompts for every crop would take minutes a crop. All ways are given the same crops in turn, so
that whatever else the machine does hits all of them.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from garmentloop.bench import Figure, Size
from garmentloop.bench.process import module
from garments.settings import SpeedSettings
from garments.tagger import Crop
from garments.taxonomy import Taxonomy

CHUNK = 32
"""Crops that the ways take in turn. The slow ways take the first few of them alone."""

FEW, MOST_CHUNKS = 8, 5
CROP_SIZE = (171, 256)
"""Width and height of a crop: those of a person's upper garment, at `crops.longest` of 256."""

Texts = dict[str, Any]
Way = tuple[Callable[[Sequence[Crop]], object], int]
"""What is run, and on how many crops of a chunk."""


def measure(scratch: Path, size: Size) -> Iterator[Figure]:
    """Figures of both models; under two minutes on two idle cores."""
    from annotate.taggers import shipped_tagger

    chunks = max(2, min(MOST_CHUNKS, size.reference_photos // 4))
    yield from figures("starter", shipped_tagger(), Taxonomy.default(), scratch, chunks)
    folder = save_vit(scratch / "vit-b-32")
    yield from figures("vit", folder, categories(), scratch, chunks)


def save_vit(folder: Path) -> Path:
    """Write ViT-B/32 as an open_clip folder, with random weights."""
    import open_clip
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    config = {"model_cfg": open_clip.get_model_config("ViT-B-32"), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    network = open_clip.create_model("ViT-B-32", pretrained=None)
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def categories() -> Taxonomy:
    """Categories alone, with one prompt a value."""
    found = Taxonomy.default().attribute("category")
    bare = [value.model_copy(update={"synonyms": (), "prompts": ()}) for value in found.values]
    one = found.model_copy(update={"templates": found.templates[:1], "values": tuple(bare)})
    return Taxonomy(attributes=(one,))


def blobs(count: int) -> list[Crop]:
    """Crops with blobs of color, each with an oval for its mask."""
    import cv2

    random = np.random.default_rng(0)
    width, height = CROP_SIZE
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (width // 3, height // 2), 0, 0, 360, 1, -1)
    grids = random.integers(0, 255, (count, 12, 8, 3), dtype=np.uint8)
    pixels = (cv2.resize(grid, CROP_SIZE, interpolation=cv2.INTER_CUBIC) for grid in grids)
    return [Crop(np.asarray(one, np.uint8), mask.astype(bool)) for one in pixels]


def figures(
    key: str, folder: Path, taxonomy: Taxonomy, scratch: Path, chunks: int
) -> Iterator[Figure]:
    """Figures `tagging_<key>_...` of the open_clip model in `folder`, over `chunks` measurements.

    `key` is starter or vit: the child process whose memory is looked at builds their taxonomies.
    """
    from annotate.taggers import load_tagger

    cache = scratch / f"texts of {key}"
    first: Any = load_tagger(f"dir:{folder}", taxonomy, cache=cache)
    crops = blobs(chunks * CHUNK)
    cold = _seconds(first.tag, crops[:1])
    tagger: Any = load_tagger(f"dir:{folder}", taxonomy, cache=cache)
    warm = _seconds(tagger.tag, crops[:1])
    naive = Naive(folder, taxonomy)
    texts = naive.read_texts()
    ways: dict[str, Way] = {
        "ours": (tagger.tag, CHUNK),
        "one_by_one": (lambda some: [naive.tag(crop, texts) for crop in some], FEW),
        "naive": (lambda some: [naive.tag(crop, naive.read_texts()) for crop in some], 1),
    }
    seconds = _interleaved(ways, crops)
    words = {"ours": "batches of 32", "one_by_one": "texts kept", "naive": "texts read again"}
    for name, times in seconds.items():
        pace = 1 / statistics.median(times)
        yield Figure(f"tagging_{key}_{name}", pace, "crops/s", words[name])
    for name in ("one_by_one", "naive"):
        pairs = zip(seconds[name], seconds["ours"], strict=True)
        ratio = statistics.median(theirs / own for theirs, own in pairs)
        yield Figure(f"tagging_{key}_ratio_{name}", ratio, "times", words[name])
    exact: Any = load_tagger(
        f"dir:{folder}", taxonomy, cache=cache, speed=SpeedSettings(precision="fp32")
    )
    gap = _difference(exact, naive, texts, crops[:CHUNK])
    note = "largest, of probabilities in fp32"
    yield Figure(f"tagging_{key}_difference_e6", gap * 1e6, "1e-6", note)
    asked = tagger.texts.hits + tagger.texts.encoded
    prompts = f"{first.texts.encoded} prompts"
    yield Figure(f"tagging_{key}_texts_cold", cold, "s", f"first crop, {prompts} to read")
    yield Figure(f"tagging_{key}_texts_warm", warm, "s", f"first crop, {prompts} from the cache")
    yield Figure(f"tagging_{key}_hits", 100 * tagger.texts.hits / asked, "%", "of the second run")
    peak = module(__spec__.name, folder, cache, key, len(crops)).peak_mb
    yield Figure(f"tagging_{key}_peak_mb", peak, "MB", f"{len(crops)} crops, texts from the cache")


class Naive:
    """What a user writes after reading open_clip's README: a loop over crops."""

    def __init__(self, folder: Path, taxonomy: Taxonomy) -> None:
        library: Any = import_module("open_clip")
        name = f"local-dir:{folder}"
        self.network, self.preprocess = library.create_model_from_pretrained(name)
        self.network.eval()
        self.tokenizer = library.get_tokenizer(name)
        self.prompts = {
            found.id: [found.prompts(value) for value in found.ids] for found in taxonomy.attributes
        }

    def read_texts(self) -> Texts:
        """(K, D) for each attribute: the mean of a value's prompts, all prompts at once."""
        import torch
        from torch.nn.functional import normalize

        texts: Texts = {}
        for attribute, groups in self.prompts.items():
            tokens = self.tokenizer([prompt for group in groups for prompt in group])
            with torch.inference_mode():
                rows = self.network.encode_text(tokens, normalize=True)
            means = [part.mean(dim=0) for part in rows.split([len(group) for group in groups])]
            texts[attribute] = normalize(torch.stack(means), dim=-1)
        return texts

    def tag(self, crop: Crop, texts: Texts) -> dict[str, NDArray[np.float32]]:
        """(K,) probabilities for each attribute."""
        import torch
        from PIL import Image

        from annotate.preparation import prepared

        image = self.preprocess(Image.fromarray(prepared(crop, "grey")))[None]
        with torch.inference_mode():
            row = self.network.encode_image(image, normalize=True)
            scaled = self.network.logit_scale.exp() * row
            return {
                name: (scaled @ text.T).softmax(dim=-1)[0].numpy() for name, text in texts.items()
            }


def _interleaved(ways: dict[str, Way], crops: Sequence[Crop]) -> dict[str, list[float]]:
    """Seconds a crop by way, one measurement a chunk."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for start in range(0, len(crops), CHUNK):
        for name, (run, count) in ways.items():
            seconds[name].append(_seconds(run, crops[start : start + count]) / count)
    return seconds


def _seconds(run: Callable[[Sequence[Crop]], object], crops: Sequence[Crop]) -> float:
    began = time.perf_counter()
    run(crops)
    return time.perf_counter() - began


def _difference(tagger: Any, naive: Naive, texts: Texts, crops: Sequence[Crop]) -> float:
    tags = tagger.tag(crops)
    expected = [naive.tag(crop, texts) for crop in crops]
    return max(
        float(np.abs(tags.probabilities(name) - [row[name] for row in expected]).max())
        for name in texts
    )


def _tag_for_memory(folder: str, cache: str, key: str, count: str) -> None:
    """What the child process does whose memory is looked at."""
    from annotate.taggers import load_tagger

    taxonomy = Taxonomy.default() if key == "starter" else categories()
    load_tagger(f"dir:{folder}", taxonomy, cache=Path(cache)).tag(blobs(int(count)))


if __name__ == "__main__":
    _tag_for_memory(*sys.argv[1:])
