"""Where annotators' browsers get the pictures of tasks from."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from annotate.studio.client import Studio
from annotate.studio.context import ContextPictures, is_plain, media_folder
from annotate.studio.pictures import expect_no_link
from annotate.studio.project import Project
from annotate.studio.tasks import Pictures

Row = Mapping[str, Any]


class Media:
    """Pictures of one project: served from the data set's folder, or uploaded."""

    def __init__(self, studio: Studio, project: Project, contexts: ContextPictures) -> None:
        """A server on this machine is told which folders it may serve."""
        self._studio, self._project, self._contexts = studio, project, contexts
        folders = (studio.dataset.folder / "crops", media_folder(studio.dataset))
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            if studio.local:
                studio.local_storage(project, folder)

    def pictures(self, garments: Sequence[Row]) -> dict[str, Pictures]:
        """Addresses by garment, for rows of `garments` whose crops are there.

        Where there is no preview of the photo, the crop stands in for it.
        """
        by_photo: dict[str, list[Row]] = defaultdict(list)
        for row in garments:
            by_photo[row["photo_id"]].append(row)
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            drawn = pool.map(self._contexts.draw, by_photo.values())
            photos = {
                row["garment_id"]: path
                for rows, paths in zip(by_photo.values(), drawn, strict=True)
                for row, path in zip(rows, paths, strict=True)
            }
        crops = [self._studio.dataset.crop_path(row["crop_sha"]) for row in garments]
        pairs = [
            (crop, photos[row["garment_id"]] or crop)
            for row, crop in zip(garments, crops, strict=True)
        ]
        urls = self._urls({path for pair in pairs for path in pair})
        return {
            row["garment_id"]: Pictures(urls[crop], urls[photo])
            for row, (crop, photo) in zip(garments, pairs, strict=True)
        }

    def _urls(self, paths: set[Path]) -> dict[Path, str]:
        if self._studio.local:
            return {path: self._studio.file_url(path) for path in paths}
        there = self._studio.upload(self._project, {path.name: path for path in paths})
        return {path: there[path.name] for path in paths}


def without_crop(studio: Studio, garments: Sequence[Row]) -> set[str]:
    """Garments whose crop is no file that may be shown.

    Raises `StudioError` where crops lie behind a symbolic link: the server would follow it.
    """
    dataset = studio.dataset
    paths = {row["garment_id"]: dataset.crop_path(row["crop_sha"]) for row in garments}
    for folder in {path.parent for path in paths.values()}:
        expect_no_link(folder, dataset.folder)
    return {garment for garment, path in paths.items() if not is_plain(path)}
