"""Which releases a data set has."""

from dataclasses import dataclass

from curate.release.manifest import Manifest, read_manifest
from curate.release.names import release_names
from garments.dataset import Dataset
from garments.errors import DatasetError


@dataclass(frozen=True)
class Listed:
    """One release; without a manifest where that cannot be read, and then with the reason."""

    name: str
    manifest: Manifest | None
    problem: str = ""


def releases(dataset: Dataset) -> list[Listed]:
    """All releases, the first that was made first. It reads manifests only; see `verify`."""
    found = [_listed(dataset, name) for name in release_names(dataset)]
    return sorted(found, key=lambda one: one.manifest.created_at if one.manifest else "")


def _listed(dataset: Dataset, name: str) -> Listed:
    try:
        return Listed(name, read_manifest(dataset.releases / name))
    except DatasetError as error:
        return Listed(name, None, str(error))
