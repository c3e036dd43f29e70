"""A data set with a release to be examined on, and taggers that know what a test lets them know.

The color of a crop spells the garment's number, so a stand-in tagger looks at pixels alone, as a
real one does. `python examined.py DATASET MODEL` promotes one; with DIE_AT=N it kills itself at
its Nth write of a table or file.
"""

import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from curate.release.write import release
from garments.answers import value_of
from garments.boxes import Box
from garments.calibration import Calibration
from garments.catalog import Catalog
from garments.catalog.rows import garment_row, photo_row, source_row
from garments.dataset import Dataset
from garments.errors import GarmentLoopError
from garments.ids import content_id, stable_id
from garments.images import encode_jpeg
from garments.masks import RunLengthMask
from garments.parts import Region
from garments.records import Garment, Photo, Source
from garments.tagger import Activation, TaggerVersion, Tags

TAXONOMY = """
[[attributes]]
id = "category"
title = "Category <b>&</b>"
templates = ["a {}"]
values = [
  { id = "shirt", title = "Shirt", regions = ["upper"] },
  { id = "coat", title = "Coat", regions = ["upper"] },
  { id = "jeans", title = "Jeans", regions = ["lower"] },
  { id = "skirt", title = "Skirt", regions = ["lower"] },
]

[[attributes]]
id = "sub_category"
title = "Sub-category"
parent = "category"
templates = ["a {}"]
values = [
  { id = "polo", title = "Polo", parent = "shirt" },
  { id = "blouse", title = "Blouse", parent = "shirt" },
  { id = "parka", title = "Parka", parent = "coat" },
  { id = "cape", title = "Cape", parent = "coat" },
]

[[attributes]]
id = "color"
title = "Color"
multiple = true
templates = ["a {} garment"]
values = [
  { id = "red", title = "Red", anchors = ["#ff0000"] },
  { id = "blue", title = "Blue", anchors = ["#0000ff"] },
  { id = "white", title = "White", anchors = ["#ffffff"] },
]
"""

SIDE = 16
Truth = Mapping[str, tuple[str, ...]]


def name_of(number: int) -> str:
    return f"{number:016x}"


def photo_of(number: int) -> str:
    return f"{number // 2:015x}f"


def split_of(number: int) -> str:
    """Two garments a photo; of five photos one is for training, one for validation."""
    return ("train", "val", "test", "test", "test")[number // 2 % 5]


def truth_of(number: int) -> Truth:
    """Upper garments have even numbers; every third garment is of two colors."""
    turn = number // 2
    if number % 2:
        return {"category": (("jeans", "skirt")[turn % 2],), "color": ("blue",)}
    category = ("shirt", "coat")[turn % 2]
    subs = {"shirt": ("polo", "blouse"), "coat": ("parka", "cape")}[category]
    colors = ("red", "white") if number % 3 == 0 else ("red",)
    return {"category": (category,), "sub_category": (subs[turn // 2 % 2],), "color": colors}


def make(folder: Path, count: int = 500) -> Dataset:
    """`count` labelled garments and the release v1."""
    dataset = Dataset.create(folder)
    (dataset.folder / "taxonomy.toml").write_text(TAXONOMY)
    dataset = Dataset.open(folder)
    numbers = range(count)
    photos = [Photo(name, SIDE, SIDE) for name in dict.fromkeys(map(photo_of, numbers))]
    dataset.catalog.put("photos", [photo_row(photo) for photo in photos])
    rows = [
        source_row(Source(stable_id(p.photo_id), f"/x/{p.photo_id}.jpg", p.photo_id, handle=handle))
        for at, p in enumerate(photos)
        for handle in [("anna", "bert & <i>co</i>")[at // 5 % 2]]
    ]
    dataset.catalog.add("sources", rows)
    dataset.catalog.put("garments", [_garment(dataset, number) for number in numbers])
    label(dataset, {number: truth_of(number) for number in numbers})
    divide(dataset, numbers)
    list(release(dataset, "v1"))
    return dataset


def label(
    dataset: Dataset, truths: Mapping[int, Truth], who: str = "anna", kind: str = "annotator"
) -> None:
    dataset.catalog.add(
        "labels",
        [
            {
                "label_id": stable_id("label", number, attribute, who, values),
                "garment_id": name_of(number),
                "attribute": attribute,
                "value": value_of(values),
                "kind": kind,
                "annotator": who,
            }
            for number, truth in truths.items()
            for attribute, values in truth.items()
        ],
    )


def divide(
    dataset: Dataset,
    numbers: Iterable[int],
    of: Callable[[int], str] = split_of,
    version: str = "split-1",
    group: Callable[[int], str] = photo_of,
) -> None:
    dataset.catalog.add(
        "splits",
        [
            {
                "split_id": stable_id("split", version, number),
                "version": version,
                "garment_id": name_of(number),
                "split": of(number),
                "group": group(number),
            }
            for number in numbers
        ],
    )


def _garment(dataset: Dataset, number: int) -> dict:
    digits = (number // 256, number // 16 % 16, number % 16)
    pixels = np.full((SIDE, SIDE, 3), [16 * digit + 8 for digit in digits], np.uint8)
    data = encode_jpeg(pixels, 98)
    path = dataset.crop_path(content_id(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    mask = RunLengthMask.encode(np.ones((SIDE, SIDE), bool)) if number % 4 else None
    region = Region.LOWER if number % 2 else Region.UPPER
    box = Box(0, 0, SIDE, SIDE)
    place = name_of(number), photo_of(number), None, region, box
    return garment_row(Garment(*place, mask, SIDE * SIDE, content_id(data)))


def number_of(pixels: np.ndarray) -> int:
    high, middle, low = (int(value) // 16 for value in np.median(pixels, axis=(0, 1)))
    return 256 * high + 16 * middle + low


class Scripted:
    """Says about a garment what a test has it say: `says(attribute, number)` are (value, logit)."""

    def __init__(self, taxonomy, reference, says, attributes=None, weights="w1") -> None:
        self.taxonomy, self.reference, self.says = taxonomy, reference, says
        self.weights_hash = weights
        self.attributes = attributes or tuple(a.id for a in taxonomy.attributes)
        own = getattr(says, "calibrations", {})
        self.calibrations = {"color": Calibration(threshold=0.2), **own}
        self.seen: list[int] = []

    def version(self, attribute):
        vocabulary = self.taxonomy.vocabulary_hash(attribute)
        return TaggerVersion(self.reference, self.weights_hash, vocabulary, "", "keep")

    def tag(self, crops):
        numbers = [number_of(crop.pixels) for crop in crops]
        self.seen += numbers
        logits = {name: np.stack([self._row(name, n) for n in numbers]) for name in self.attributes}
        return Tags(logits, {name: self._kind(name) for name in self.attributes})

    def _kind(self, name):
        several = self.taxonomy.attribute(name).multiple
        return Activation.SIGMOID if several else Activation.SOFTMAX

    def _row(self, name, number):
        ids = self.taxonomy.values(name)
        several = self.taxonomy.attribute(name).multiple
        row = np.full(len(ids), -4.0 if several else 0.0, np.float32)
        for value, logit in self.says(name, number):
            row[ids.index(value)] = logit
        return row


def knows(share: float, sure: float | None = None, only: str | None = None, seed: int = 0):
    """Says the truth about this share of garments, else another value of the same region.

    It is as `sure` (a probability) as it is right, unless told otherwise. With `only` it knows
    that much about one attribute, and about the others half.
    """

    def says(attribute, number):
        known = share if only in (None, attribute) else 0.5
        believed = known if sure is None else sure
        if attribute == "sub_category" and sure is None:
            believed = 0.999  # it is read as this times how sure it is of the category
        draw = int(stable_id("draw", seed, attribute, number), 16) / 16**16
        truth = truth_of(number).get(attribute, ())
        right = draw < known
        if attribute == "color":
            values = truth if right else ("white",) if "white" not in truth else ("blue",)
            return [(value, _odds(believed)) for value in values]
        if not truth:
            return []
        others = {"shirt": "coat", "coat": "shirt", "jeans": "skirt", "skirt": "jeans"}
        others |= {"polo": "blouse", "blouse": "polo", "parka": "cape", "cape": "parka"}
        # two values are possible, under the region or the parent
        return [(truth[0] if right else others[truth[0]], _odds(believed))]

    says.weights = f"{share} {sure} {only} {seed}"
    return says


def _odds(probability: float) -> float:
    probability = min(probability, 1 - 1e-6)
    return float(np.log(probability / (1 - probability)))


def trained(dataset: Dataset, name: str = "v1", on: str | None = "v1", of: str = "") -> None:
    """The folder of a trained tagger, as far as others look into it."""
    folder = dataset.models / "tagger" / name
    folder.mkdir(parents=True)
    manifest = dataset.releases / (on or "") / "manifest.json"
    digest = of or (json.loads(manifest.read_text())["hash"] if manifest.is_file() else "")
    settings = {"trained_on": {"release": on, "hash": digest, "sets": []}} if on else {}
    content = {"kind": "tagger", "architecture": "stand-in", "settings": settings}
    (folder / "config.json").write_text(json.dumps(content))


def load(dataset: Dataset, **says: Callable):
    """A loader of scripted taggers: `starter`, `rule`, and `v1`, `v2` ... for `model:v1`."""

    made: dict[str, Scripted] = {}

    def loaded(reference, attributes):
        key = {"rule:color": "rule"}.get(reference, reference.removeprefix("model:"))
        names = None if attributes is None else tuple(attributes)
        weights = getattr(says[key], "weights", says[key].__qualname__)
        made[reference] = Scripted(dataset.taxonomy, reference, says[key], names, weights)
        return made[reference]

    loaded.made = made
    return loaded


def die_at_write(number: int) -> None:
    """Kill this process at its write `number`: even before it, odd after it."""
    counter = itertools.count(0, 2)

    def deadly(write):
        def call(*args, **kwargs):
            mine = next(counter)
            if mine == number:
                os.kill(os.getpid(), signal.SIGKILL)
            result = write(*args, **kwargs)
            if mine + 1 == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for owner, name in [(Catalog, "add"), (Path, "write_bytes"), (Path, "replace")]:
        setattr(owner, name, deadly(getattr(owner, name)))


GOOD = {"starter": knows(0.6), "rule": knows(0.4), "v1": knows(0.95, seed=1)}
"""A world in which model:v1 is better everywhere."""


def promote_good(folder: str, model: str) -> None:
    from finetune.promotion import promote

    dataset = Dataset.open(folder)
    says = {**GOOD, "v2": knows(0.999, seed=2)}
    verdict = promote(dataset, model, load=load(dataset, **says), tell=lambda *_: print("step"))
    print(verdict.recorded, *verdict.promoted, flush=True)


if __name__ == "__main__":
    if "DIE_AT" in os.environ:
        die_at_write(int(os.environ["DIE_AT"]))
    try:
        promote_good(*sys.argv[1:3])
    except GarmentLoopError as error:
        sys.exit(f"{type(error).__name__}: {error}")
