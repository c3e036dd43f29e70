"""People of COCO, as it is published: `annotations/instances_<split>.json` and photos beside it.

Photos are looked for in `<split>/`, `images/<split>/`, `images/` and the folder itself, under
their `file_name`. `person_keypoints_<split>.json` is read where there is no `instances` file.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from garments.errors import BadTable
from garments.sets.persons import PersonsPhoto

_KINDS = ("instances", "person_keypoints")


def annotation_files(root: Path) -> list[Path]:
    """JSON files of COCO in `root` or its `annotations`, one a split, by name."""
    found: dict[str, Path] = {}
    for folder in (root, root / "annotations"):
        for kind in reversed(_KINDS):
            for path in sorted(folder.glob(f"{kind}_*.json")):
                found[path.stem.removeprefix(f"{kind}_")] = path
    return [found[split] for split in sorted(found)]


def read_coco(root: Path | str) -> list[PersonsPhoto]:
    """Photos with their person boxes, split by split; files may be missing. Raises `BadTable`."""
    root = Path(root)
    files = annotation_files(root)
    if not files:
        raise BadTable(
            f"expected COCO in {root}: annotations/instances_<split>.json beside the photos, or "
            "images.csv and boxes.csv, but there is neither; check the folder"
        )
    return [photo for path in files for photo in _read(root, path)]


def _read(root: Path, path: Path) -> Iterator[PersonsPhoto]:
    data = _load(path)
    split = path.stem.split("_", 1)[1].removeprefix("keypoints_")
    try:
        boxes = _boxes(data)
        licences = {entry["id"]: entry.get("url", "") for entry in data.get("licenses", [])}
        folder = _folder(root, split, data["images"])
        _expect_once(data["images"])
        for image in data["images"]:
            yield _photo(image, folder, split, boxes[image["id"]], licences)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadTable(
            f"expected COCO's images (id, file_name, width, height) and annotations (image_id, "
            f"category_id, bbox) in {path}, but got {type(error).__name__}: {error}; "
            "download it again"
        ) from error


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise BadTable(
            f"expected JSON in {path}, but reading it failed ({error}); download it again"
        ) from error
    missing = [key for key in ("images", "annotations", "categories") if key not in data]
    if not isinstance(data, dict) or missing:
        raise BadTable(
            f"expected the keys images, annotations and categories in {path}, but "
            f"{', '.join(missing)} are missing; name a folder of COCO's instances files"
        )
    return data


def _boxes(data: Mapping[str, Any]) -> Mapping[int, list[tuple[list[float], bool]]]:
    """Person boxes (xyxy pixels) and crowd flags by image id."""
    people = {entry["id"] for entry in data["categories"] if entry["name"] == "person"}
    if not people:
        raise ValueError("no category is called person")
    found: defaultdict[int, list[tuple[list[float], bool]]] = defaultdict(list)
    for note in data["annotations"]:
        if note["category_id"] in people:
            box = _box(note.get("bbox"))
            found[note["image_id"]].append((box, bool(note.get("iscrowd", 0))))
    return found


def _box(bbox: object) -> list[float]:
    """Corners of x, y, width, height; NaN where it is damaged, which is its photo's loss alone."""
    try:
        x, y, width, height = map(float, bbox)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return [math.nan] * 4
    return [x, y, x + width, y + height] if min(width, height) >= 0 else [math.nan] * 4


def _expect_once(images: list[Mapping[str, Any]]) -> None:
    """Boxes are joined to photos by id, so two of one id would each get all of them."""
    counts = Counter(image["id"] for image in images)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise ValueError(f"{len(twice)} ids of images are there twice, such as {twice[0]}")


def _folder(root: Path, split: str, images: list[Mapping[str, Any]]) -> Path:
    """Where the photos are: the first of the usual places that has one of them."""
    places = [root / split, root / "images" / split, root / "images", root]
    for place in places:
        if any((place / image["file_name"]).is_file() for image in images[:100]):
            return place
    return places[0]


def _photo(
    image: Mapping[str, Any],
    folder: Path,
    split: str,
    boxes: list[tuple[list[float], bool]],
    licences: Mapping[int, str],
) -> PersonsPhoto:
    part = "val" if split.startswith("val") else "train" if split.startswith("train") else split
    return PersonsPhoto(
        path=folder / image["file_name"],
        file=f"{split}/{image['file_name']}",
        width=int(image["width"]),
        height=int(image["height"]),
        boxes=np.array([box for box, _ in boxes], np.float32).reshape(-1, 4),
        crowd=tuple(crowd for _, crowd in boxes),
        framing=None,
        has_crowd=any(crowd for _, crowd in boxes),
        boxes_truncated=False,
        split=part,
        licence=licences.get(image.get("license", -1), ""),
    )
