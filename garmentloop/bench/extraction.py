"""`extract` with the starter models, as a user runs it: photos/s, peak memory, resuming."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from garmentloop.bench import Figure, Size
from garmentloop.bench.process import Ran, garmentloop

DIFFERENT = 40
"""Pictures that are drawn; more photos than that are the same pictures as other files."""


def measure(folder: Path, size: Size) -> Iterator[Figure]:
    """Extract `size.photos`, then `size.many_photos`, then the same again."""
    pictures = draw(folder / "street")
    photos = copies(pictures, folder / "photos", size.photos)
    some = extract(photos, folder / "some")
    yield Figure("extract_peak_mb", some.peak_mb, "MB", f"{size.photos} photos")
    shutil.rmtree(folder / "some")
    many = extract(copies(pictures, photos, size.many_photos), folder / "many")
    note = f"{size.many_photos} photos; must be flat and under 2,500"
    yield Figure("extract_peak_mb_many", many.peak_mb, "MB", note)
    note = f"{size.many_photos} photos, models, start-up and contact sheet included"
    yield Figure("extract_photos_per_second", size.many_photos / many.seconds, "1/s", note)
    again = extract(photos, folder / "many")
    yield Figure("resume_seconds", again.seconds, "s", "the same again; must be under 3")


def extract(photos: Path, dataset: Path) -> Ran:
    """Run `garmentloop extract photos --dataset dataset`."""
    return garmentloop("extract", photos, "--dataset", dataset)


def draw(folder: Path) -> list[Path]:
    """Draw the street; its pictures."""
    from garments.synthetic import write_street

    for _ in write_street(folder, DIFFERENT, 11, "unseen"):
        pass
    return sorted((folder / "photos").iterdir())


def copies(pictures: list[Path], folder: Path, count: int) -> Path:
    """`count` files that are `count` photos: bytes after a JPEG's end make it another file."""
    folder.mkdir(exist_ok=True)
    for index in range(len(list(folder.iterdir())), count):
        picture = pictures[index % len(pictures)]
        copy = folder / f"{index:05d}{picture.suffix}"
        copy.write_bytes(picture.read_bytes() + index.to_bytes(4, "big"))
    return folder
