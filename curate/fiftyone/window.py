"""An open connection to the two FiftyOne datasets of a data set."""

import contextlib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from curate.fiftyone import app, mongod
from curate.fiftyone.environment import (
    disconnect,
    fiftyone_folder,
    first_line,
    garments_name,
    load_fiftyone,
    photos_name,
    plain,
)
from curate.fiftyone.journal import keep, kept, owner
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import CatalogError, FiftyOneError


@dataclass(frozen=True, eq=False)
class Window:
    """`fo` is the module `fiftyone`, connected to `uri`; `garments` and `photos` its datasets.

    What their samples hold is told by `curate.fiftyone.fields` and `curate.fiftyone.photos`.
    """

    dataset: Dataset
    uri: str
    fo: Any
    garments: Any
    photos: Any

    @property
    def empty(self) -> bool:
        """Whether no garments are there: nothing was written yet, or it was deleted by hand."""
        return self.garments is None or len(self.garments) == 0

    def emptied(self) -> "Window":
        """The same with both datasets deleted and made again, without views, tags and journal."""
        names = garments_name(self.dataset), photos_name(self.dataset)
        for name in names:
            self.fo.delete_dataset(name)
        made = (_loaded(self.fo, name, self.dataset) for name in names)
        return replace(self, **dict(zip(("garments", "photos"), made, strict=True)))


@contextmanager
def open_window(
    dataset: Dataset, mongo: str | None = None, *, timeout: float = 600.0, create: bool = True
) -> Iterator[Window]:
    """Hold the data set's FiftyOne lock, with both datasets loaded.

    Where one is missing it is made, empty; unless `create`: then it is None.

    `mongo` is the URI of another MongoDB; without it that of an App that runs is taken, or our own
    is started, and stopped again at the end unless an App runs on it. Whoever comes second waits
    for at most `timeout` seconds. What MongoDB does not survive inside comes out as
    `FiftyOneError`.
    """
    with one_at_a_time(dataset, timeout):
        try:
            with connected(dataset, mongo, create=create) as window:
                yield window
        finally:
            _stop_if_idle(dataset)


@contextmanager
def connected(
    dataset: Dataset, mongo: str | None = None, *, create: bool = True
) -> Iterator[Window]:
    """The same without the lock, for who takes it only while acting; our own MongoDB stays up."""
    uri = mongo or _uri(dataset)
    try:
        with mongo_errors(uri):
            fo = load_fiftyone(dataset, uri)
            garments = _loaded(fo, garments_name(dataset), dataset, create)
            photos = _loaded(fo, photos_name(dataset), dataset, create)
            yield Window(dataset, uri, fo, garments, photos)
    except FiftyOneError as error:
        if ended := mongod.why_it_ended(dataset, uri):
            raise ended from error
        raise
    finally:
        disconnect()


def _uri(dataset: Dataset) -> str:
    """The database of the App that runs, else our own, which is started where it does not run."""
    shown = app.running(dataset)
    if shown and shown.mongo != mongod.last_uri(dataset):
        return shown.mongo
    return mongod.start(dataset)[0].uri


def _stop_if_idle(dataset: Dataset) -> None:
    """Stop our own MongoDB unless an App shows what is in it."""
    ours, shown = mongod.running(dataset), app.running(dataset)
    if ours and not (shown and shown.mongo == ours.uri):
        mongod.stop(dataset)


@contextmanager
def one_at_a_time(dataset: Dataset, timeout: float) -> Iterator[None]:
    """Hold the lock of everything that changes FiftyOne's side of this data set."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(fiftyone_folder(dataset) / "sync.lock", timeout))
        except CatalogError as error:
            raise FiftyOneError(
                f"expected to open FiftyOne's datasets of {dataset.folder}, but another process "
                f"has been at it for {timeout:.0f} s; wait for it or stop it, then run this again"
            ) from error
        yield


@contextmanager
def mongo_errors(uri: str) -> Iterator[None]:
    """Turn what a database says that is gone or full into advice."""
    errors = importlib.import_module("pymongo.errors")
    try:
        yield
    except errors.PyMongoError as error:
        raise FiftyOneError(
            f"expected MongoDB at {plain(uri)} to do its work, but {first_line(error)}; run the "
            "same command again: what was finished is kept"
        ) from error


def _loaded(fo: Any, name: str, dataset: Dataset, create: bool = True) -> Any:
    """The FiftyOne dataset of that name, made where it is missing; never somebody else's."""
    if not fo.dataset_exists(name):
        if not create:
            return None
        made = fo.Dataset(name, persistent=True)
        made.media_type = "image"
        keep(made, owner=owner(dataset))
        return made
    found = fo.load_dataset(name)
    expect_ours(found, dataset)
    return found


def expect_ours(shown: Any, dataset: Dataset) -> None:
    """Raise `FiftyOneError` where a FiftyOne dataset is not of this data set."""
    whose = kept(shown, "owner")
    if whose != owner(dataset):
        whose = "belongs to another data set" if whose else "is not ours"
        raise FiftyOneError(
            f"expected to make the FiftyOne dataset {shown.name}, but there is one of that name, "
            f"and it {whose}; give this data set another `name` in dataset.toml, or delete that one"
        )
