"""Taking a data set out of FiftyOne, to be written anew without what was taken down.

MongoDB keeps deleted samples in its files, compressed and in its journal. So our own database is
deleted as a whole once the curator's tags are read back, and the next sync writes it anew.
"""

import getpass
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curate.fiftyone import app, decisions, mongod
from curate.fiftyone.environment import garments_name, photos_name, plain
from curate.fiftyone.window import Window, one_at_a_time, open_window
from garments.dataset import Dataset

_GONE = ".gone"


@dataclass(frozen=True)
class Forgotten:
    """What became of FiftyOne: `read_back` came from the App before, `closed` if that was open.

    `elsewhere` is a MongoDB of others, which may keep deleted samples in its own files.
    """

    deleted: bool = False
    read_back: str = ""
    closed: bool = False
    elsewhere: str = ""


def forget_fiftyone(
    dataset: Dataset, mongo: str | None = None, who: str | None = None
) -> Forgotten:
    """Read tags back, then delete the FiftyOne datasets of a data set, our own database included.

    `mongo` is the address of a MongoDB of others that has them; `who` is the curator whose tags
    they are, by default the user of this machine. Raises `FiftyOneError` where that
    cannot be reached, or our own does not start.
    """
    folder = dataset.run / "fiftyone"
    if not folder.is_dir() and mongo is None:
        return Forgotten()
    ours = folder / "mongod"
    shutil.rmtree(ours.with_name(ours.name + _GONE), ignore_errors=True)
    shown = app.running(dataset)
    others = mongo or (shown.mongo if shown and shown.mongo != mongod.last_uri(dataset) else None)
    found = Forgotten()
    if others is not None:
        with _opened(dataset, others, who) as (window, said):
            for name in (garments_name(dataset), photos_name(dataset)):
                if window.fo.dataset_exists(name):
                    window.fo.delete_dataset(name)
        found = Forgotten(True, said, elsewhere=plain(others))
    closed = app.stop(dataset)
    if ours.is_dir():
        with _opened(dataset, None, who) as (_, said):
            pass
        found = Forgotten(True, found.read_back or said, elsewhere=found.elsewhere)
        _remove(dataset, ours)
    return Forgotten(found.deleted, found.read_back, closed, found.elsewhere)


@contextmanager
def _opened(dataset: Dataset, mongo: str | None, who: str | None) -> Iterator[tuple[Window, str]]:
    """The datasets there, once their tags are read back; and what came of that, "" for nothing."""
    with open_window(dataset, mongo, create=False) as window:
        said = ""
        if not window.empty:
            said = str(decisions.read_back(window, who or getpass.getuser()))
        yield window, said


def _remove(dataset: Dataset, ours: Path) -> None:
    """Delete the database; under another name first, as half of one could not be opened."""
    with one_at_a_time(dataset, timeout=600):
        mongod.stop(dataset)
        gone = ours.with_name(ours.name + _GONE)
        if ours.is_dir():
            ours.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        mongod.log_path(dataset).unlink(missing_ok=True)
        app.log_path(dataset).unlink(missing_ok=True)
