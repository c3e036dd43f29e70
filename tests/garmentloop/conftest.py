"""The data set from which photos are taken down, made once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from garments.dataset import Dataset


@pytest.fixture(scope="session")
def copied_world(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Dataset]:
    """Copy it into a folder; photos keep their places, which are elsewhere."""
    import withdrawing

    original = tmp_path_factory.mktemp("takedown") / "world"
    withdrawing.world(original)

    def copied(folder: Path) -> Dataset:
        folder.mkdir(parents=True)
        shutil.copytree(original / "data", folder / "data")
        (folder / "photos").symlink_to(original / "photos")
        return Dataset.open(folder / "data")

    return copied


@pytest.fixture
def dataset(copied_world: Callable[[Path], Dataset], tmp_path: Path) -> Dataset:
    """One copy."""
    return copied_world(tmp_path / "world")
