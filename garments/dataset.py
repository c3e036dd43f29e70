"""A data set is one folder; moving it moves everything.

dataset.toml, taxonomy.toml   settings; the taxonomy in force
taxonomies/                   taxonomies that were ever in force by hash, and their migrations
catalog/                      the tables, unless `storage.tables` names another place
previews/ab/....jpg           photos, made smaller (the originals stay where they are)
crops/ab/....jpg              garment crops by content
models/, releases/, report/   what training, releasing and reporting made
run/                          data, logs and pids of services
takedowns/                    what was taken down, as keyed hashes, and their key
"""

import os
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from garments.catalog import Catalog
from garments.errors import DatasetError
from garments.settings import FORMAT, Settings, read_settings, settings_toml
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.taxonomy import Taxonomy

SETTINGS_FILE = "dataset.toml"
TAXONOMY_FILE = "taxonomy.toml"


class Dataset:
    """One data set folder: its settings, its taxonomy, its catalogue and where files go."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        self.catalog = Catalog(folder / "catalog", settings.storage.tables)

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        settings: Settings | None = None,
        *,
        name: str | None = None,
        detector: str | None = None,
        parser: str | None = None,
    ) -> "Dataset":
        """Make a new data set, named after its folder unless told otherwise.

        Raises `DatasetError` where it exists already or the folder has other things in it.
        """
        path = Path(folder)
        cls.expect_new(path)
        settings = settings or Settings(name=path.resolve().name or "dataset")
        asked = {"name": name, "models.detector": detector, "models.parser": parser}
        settings = settings.changed({key: value for key, value in asked.items() if value})
        try:
            (path / "catalog").mkdir(parents=True, exist_ok=True)
            _write_new(path / TAXONOMY_FILE, _default_taxonomy())
            _write_new(path / SETTINGS_FILE, settings_toml(settings).encode())
        except OSError as error:
            raise DatasetError(f"expected to make a data set in {path}, but {error}") from error
        return cls.open(path)

    @staticmethod
    def expect_new(path: Path) -> None:
        """Raise `DatasetError` where no data set can be made."""
        if (path / SETTINGS_FILE).exists():
            raise DatasetError(
                f"expected a new folder, but {path} is a data set already; give another name"
            )
        if path.exists() and not (path.is_dir() and _is_ours(path)):
            raise DatasetError(
                f"expected a new or empty folder, but {path} holds other things; give another name"
            )

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> "Dataset":
        """Open a data set; `DatasetError` when the folder is none or of another format."""
        path = Path(folder)
        if not (path / SETTINGS_FILE).is_file():
            what = "has no dataset.toml" if path.exists() else "does not exist"
            raise DatasetError(
                f"expected a data set folder, but {path} {what}; make one with "
                f"`garmentloop init {path}`"
            )
        settings = read_settings(path / SETTINGS_FILE)
        if settings.format != FORMAT:
            raise DatasetError(
                f"expected a data set of format {FORMAT}, but {path} has format "
                f"{settings.format}; use the version of garmentloop that made it"
            )
        return cls(path, settings)

    @classmethod
    def open_or_create(
        cls, folder: str | os.PathLike[str], settings: Settings | None = None
    ) -> "Dataset":
        """Open the data set, or make it where there is none yet."""
        if (Path(folder) / SETTINGS_FILE).is_file():
            return cls.open(folder)
        try:
            return cls.create(folder, settings)
        except DatasetError:
            if (Path(folder) / SETTINGS_FILE).is_file():  # another process was faster
                return cls.open(folder)
            raise

    @cached_property
    def taxonomy(self) -> "Taxonomy":
        """The taxonomy in force; `DatasetError` while a migration is at work or was cut off."""
        from garments.migration.record import expect_settled
        from garments.taxonomy import Taxonomy

        expect_settled(self.folder)
        return Taxonomy.load(self.folder / TAXONOMY_FILE)

    def change(self, changes: dict[str, Any]) -> None:
        """Write other values for keys like `crops.margin` into dataset.toml, and use them."""
        settings = self.settings.changed(changes)
        write_whole(self.folder / SETTINGS_FILE, settings_toml(settings).encode())
        self.settings = settings

    def crop_path(self, crop_sha: str) -> Path:
        """Where the crop with this content is kept."""
        return self.folder / crop_name(crop_sha)

    def preview_path(self, photo_id: str) -> Path:
        """Where the small version of a photo is kept."""
        return self.folder / "previews" / photo_id[:2] / f"{photo_id}.jpg"

    @property
    def models(self) -> Path:
        """Folder of trained models."""
        return self.folder / "models"

    @property
    def releases(self) -> Path:
        """Folder of frozen releases."""
        return self.folder / "releases"

    @property
    def run(self) -> Path:
        """Folder for data, logs and pids of services."""
        return self.folder / "run"

    @property
    def reports(self) -> Path:
        """Folder of reports to be opened in a browser."""
        return self.folder / "report"


def crop_name(crop_sha: str) -> str:
    """Path of a crop relative to the data set's folder, with forward slashes."""
    return f"crops/{crop_sha[:2]}/{crop_sha}.jpg"


_NAMES = {SETTINGS_FILE, TAXONOMY_FILE, "taxonomies", "catalog", "previews", "crops", "models"}
_NAMES |= {"releases", "report", "run"}


def _is_ours(folder: Path) -> bool:
    """Whether an init that was killed may have left what is in `folder`."""
    return all(entry.name in _NAMES or entry.name.startswith(".new-") for entry in folder.iterdir())


def _default_taxonomy() -> bytes:
    return (files("garments") / "data" / TAXONOMY_FILE).read_bytes()


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all; one that is there already stays."""
    if not path.exists():
        write_whole(path, data)
