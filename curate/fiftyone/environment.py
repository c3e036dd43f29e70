"""Where FiftyOne keeps its things for a data set, and what it is told when it starts."""

import importlib.util
import os
import re
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from garments.dataset import Dataset
from garments.errors import FiftyOneError
from garments.whole import write_whole

INSTALL = "pip install -c constraints.txt -e '.[curate]'"

DATASET_VARIABLE = "GARMENTLOOP_APP_DATASET"
"""Tells the plugin inside the App which data set it shows: its folder."""

PLUGIN = "garmentloop"
"""Folder of our plugin, beside those that users add."""

DATABASE = "fiftyone"
"""Name of the database where the URI names none: FiftyOne's own default."""

_FOLDERS = (
    "DATABASE_DIR",
    "DEFAULT_DATASET_DIR",
    "DATASET_ZOO_DIR",
    "MODEL_ZOO_DIR",
    "PLUGINS_DIR",
)
_CONFIGS = (
    "CONFIG_PATH",
    "APP_CONFIG_PATH",
    "BRAIN_CONFIG_PATH",
    "EVALUATION_CONFIG_PATH",
    "ANNOTATION_CONFIG_PATH",
)


def fiftyone_folder(dataset: Dataset) -> Path:
    """DIR/run/fiftyone, made where it is missing."""
    folder = dataset.run / "fiftyone"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FiftyOneError(
            f"expected to make {folder}, but {error.strerror or error}; make room there, then run "
            "the same command again"
        ) from error
    return folder


def garments_name(dataset: Dataset) -> str:
    """Name of the FiftyOne dataset with a sample a crop: `<slug>-garments`."""
    return f"{slug(dataset.settings.name, '-')}-garments"


def photos_name(dataset: Dataset) -> str:
    """Name of the FiftyOne dataset with a sample a photo: `<slug>-photos`."""
    return f"{slug(dataset.settings.name, '-')}-photos"


def slug(text: str, between: str = "_") -> str:
    """Lower-case letters and digits of `text`, everything else as `between`."""
    return re.sub(r"[^a-z0-9]+", between, text.lower()).strip(between) or "dataset"


def environment(dataset: Dataset, uri: str) -> dict[str, str]:
    """FIFTYONE_* variables: every path below the folder, that database, no telemetry."""
    folder = fiftyone_folder(dataset).resolve()
    paths = {name: folder / name.removesuffix("_DIR").lower() for name in _FOLDERS}
    paths |= {name: folder / f"{name.removesuffix('_PATH').lower()}.json" for name in _CONFIGS}
    return {f"FIFTYONE_{name}": str(path) for name, path in paths.items()} | {
        "FIFTYONE_DATABASE_URI": uri,
        "FIFTYONE_DATABASE_NAME": database_name(uri),
        "FIFTYONE_DATABASE_VALIDATION": "false",  # it warns that our MongoDB is an old one
        "FIFTYONE_PLUGINS_CACHE_ENABLED": "true",  # else all are read anew at each request
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        "FIFTYONE_LOGGING_LEVEL": "WARNING",
    }


def install_plugin(dataset: Dataset) -> Path:
    """Put our plugin where the App looks for plugins; its folder."""
    folder = fiftyone_folder(dataset) / "plugins" / PLUGIN
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("__init__.py", "fiftyone.yml"):
        ours = resources.files("curate") / "plugin" / name
        write_whole(folder / name, ours.read_bytes())
    return folder


def database_name(uri: str) -> str:
    """The database that a MongoDB URI names; `FiftyOneError` where it is no such URI."""
    expect_installed()
    from pymongo.errors import InvalidURI
    from pymongo.uri_parser import parse_uri

    try:
        return str(parse_uri(uri)["database"] or DATABASE)
    except (InvalidURI, ValueError) as error:
        raise FiftyOneError(
            f"expected the address of a MongoDB like mongodb://127.0.0.1:27017, but got {uri!r} "
            f"({error}); leave it out to use our own"
        ) from error


def expect_installed() -> None:
    """Raise `FiftyOneError` where FiftyOne is not installed."""
    if importlib.util.find_spec("fiftyone") is None:
        raise FiftyOneError(f"expected FiftyOne, but it is not installed; run {INSTALL}")


def load_fiftyone(dataset: Dataset, uri: str) -> Any:
    """The module `fiftyone`, connected to the database at `uri`, whatever it was before."""
    expect_installed()
    wanted = environment(dataset, uri)
    before = "fiftyone" in sys.modules
    os.environ.update(wanted)
    import fiftyone as fo
    import fiftyone.core.odm.database as database

    if before:
        disconnect()
        for name in ("database_uri", "database_name", "database_dir", "default_dataset_dir"):
            setattr(fo.config, name, wanted[f"FIFTYONE_{name.upper()}"])
    try:
        database.get_db_conn()
    except Exception as error:  # from half a dozen packages
        disconnect()
        raise FiftyOneError(
            f"expected to connect to MongoDB at {plain(uri)}, but {first_line(error)}; does it run?"
        ) from error
    return fo


def disconnect() -> None:
    """Close the connection, so that neither the end of the process nor a new URI meets it."""
    if "fiftyone" not in sys.modules:
        return
    import fiftyone as fo
    import fiftyone.core.odm.database as database
    import fiftyone.factory.repo_factory as repositories

    # A process of FiftyOne's is meant to keep one database for life: there is no public way to
    # leave it, and what would still be found by name would be in the old one.
    database._disconnect()
    fo.Dataset._instances.clear()
    repositories._db = None
    repositories.RepositoryFactory.repos.clear()


def plain(uri: str) -> str:
    """The address without user name and password."""
    return re.sub(r"//[^@/]*@", "//", uri)


def first_line(error: BaseException) -> str:
    """What an error says, without the state of the whole cluster behind it."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].split(", Timeout:")[0][:300]
