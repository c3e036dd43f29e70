"""What a release may be called, and where it lies."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from garments.errors import BadSetting, DatasetError

if TYPE_CHECKING:
    from garments.dataset import Dataset

MANIFEST = "manifest.json"
"""The file that makes a folder a release; it is written last."""

LONGEST = 64
"""Characters of a name."""

_NAME = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")


def checked_name(name: str) -> str:
    """The name, if folders, tags and the hub all take it; else `BadSetting`."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST or name.lower().endswith(".lock"):
        raise BadSetting(
            f"expected a name of letters and digits, joined by single . _ or -, such as v1 or "
            f"2026-05.b, at most {LONGEST} characters, but got {name!r}; give another name"
        )
    return name


def release_names(dataset: "Dataset") -> list[str]:
    """Names of all releases, the first that was made first."""
    found = [path.parent for path in dataset.releases.glob(f"*/{MANIFEST}")]
    found = [folder for folder in found if not folder.name.startswith(".")]
    return [f.name for f in sorted(found, key=lambda f: ((f / MANIFEST).stat().st_mtime, f.name))]


def release_folder(dataset: "Dataset", name: str) -> Path:
    """Folder of a release that is there; `DatasetError` names those that are."""
    folder = dataset.releases / checked_name(name)
    if (folder / MANIFEST).is_file():
        return folder
    if folder.is_dir():
        raise DatasetError(
            f"expected a release in {folder}, but it has no {MANIFEST}; it was not made by "
            "`garmentloop curate release`, or that file was lost"
        )
    names = ", ".join(release_names(dataset))
    there = f"one of {names}" if names else "but there is none yet"
    raise DatasetError(
        f"expected a release of {dataset.folder}, {there}, but got {name!r}; "
        f"`garmentloop curate release {name} --dataset {dataset.folder}` makes it"
    )


def expect_new(dataset: "Dataset", name: str) -> Path:
    """The folder that a new release will have; `DatasetError` where there is one already."""
    folder = dataset.releases / checked_name(name)
    if folder.exists() or folder.is_symlink():
        raise DatasetError(
            f"expected a new name, but {folder} exists already and a release is never changed; "
            "give another name"
        )
    return folder
