"""Annotated pictures in a folder, under their photos' names."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from garmentloop.tag.photo import TaggedPhoto
from garmentloop.tag.picture import annotated
from garments.errors import BadSetting, DatasetError
from garments.images import encode_jpeg
from garments.whole import write_whole

QUALITY = 92


class Album:
    """A folder of annotated pictures: JPEG, each under its photo's name.

    Of photos of one name the second gets `-2` behind it, and so on. What another run wrote there
    is replaced.
    """

    def __init__(self, folder: Path, sources: Sequence[str]) -> None:
        """`BadSetting` for a folder that holds the photos, or lies below a folder of them."""
        self._folder = folder.resolve()
        self._names: dict[str, int] = {}
        for source in map(Path, sources):
            place = source if source.is_dir() else source.parent
            if source.is_dir() and self._folder.is_relative_to(source.resolve()):
                raise self._refusal(place)
            self._check(place)

    def add(self, photo: TaggedPhoto) -> Path:
        """Draw a photo that came with its pixels; where that was written."""
        if "://" not in photo.origin:
            self._check(Path(photo.origin).parent)
        path = self._folder / f"{self._name(photo.origin)}.jpg"
        try:
            write_whole(path, encode_jpeg(annotated(photo), QUALITY))
        except OSError as error:
            raise DatasetError(
                f"expected to write {path}, but {error.strerror or error}; make room there, or "
                "name another folder"
            ) from error
        return path

    def _name(self, origin: str) -> str:
        last = origin.partition("?")[0] if "://" in origin else origin
        name = re.sub(r"[^\w. -]", "_", PurePath(last).stem)[:100] or "photo"
        while True:
            count = self._names[name] = self._names.get(name, 0) + 1
            if count == 1:
                return name
            name = f"{name}-{count}"

    def _check(self, place: Path) -> None:
        """An annotated picture must never be written over a photo."""
        if place.resolve() == self._folder:
            raise self._refusal(place)

    def _refusal(self, place: Path) -> BadSetting:
        return BadSetting(
            f"expected a folder of its own for annotated pictures, but {self._folder} holds the "
            f"photos or lies among them ({place}); name another one with --out"
        )
