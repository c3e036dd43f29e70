"""Checking a release: that every file is there, whole, and as it was written."""

import hashlib
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from curate.release import snapshot
from curate.release.manifest import FileEntry, Manifest, Withdrawal, files_in, read_manifest
from curate.release.names import release_folder
from garments.dataset import Dataset

_READ_BYTES = 8 * 2**20


@dataclass(frozen=True)
class VerifyProgress:
    """How many bytes of how many were read, and what was found wrong so far.

    `problems` are about files. `notes` are about the catalogue, which may go on without the
    release, as the release may without it. `withdrawn` are garments that were taken down since it
    was frozen, which is no damage.
    """

    read: int
    size: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    hash: str = ""
    withdrawn: tuple[Withdrawal, ...] = ()
    skipped: int = 0

    @property
    def done(self) -> int:
        """Megabytes that were read."""
        return math.ceil(self.read / 10**6)

    @property
    def total(self) -> int:
        """Megabytes of the whole release."""
        return math.ceil(self.size / 10**6)


def verify(dataset: Dataset, name: str) -> Iterator[VerifyProgress]:
    """Read every file of a release and compare it with the manifest; yields as it reads.

    Raises `DatasetError` where there is no such release, or its manifest itself was changed.
    """
    folder = release_folder(dataset, name)
    manifest = read_manifest(folder)
    last = VerifyProgress(0, manifest.bytes, tuple(_strangers(folder, manifest)))
    for path, entry in manifest.files.items():
        last = yield from _read(folder, path, entry, last)
    notes = tuple(_untagged(dataset, manifest))
    yield replace(last, notes=notes, hash=manifest.hash, withdrawn=manifest.withdrawn)


def _strangers(folder: Path, manifest: Manifest) -> Iterator[str]:
    for path in files_in(folder):
        if path not in manifest.files:
            yield f"{path}: is not of this release; move it elsewhere"


def _read(
    folder: Path, path: str, entry: FileEntry, before: VerifyProgress
) -> Generator[VerifyProgress, None, VerifyProgress]:
    """Read one file, which follows `before`; what it returns says what is wrong with it."""
    digest, size = hashlib.sha256(), 0
    try:
        with (folder / path).open("rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
                size += len(block)
                yield replace(before, read=before.read + min(size, entry.bytes))
        problem = _difference(entry, size, digest.hexdigest())
    except FileNotFoundError:
        problem = "is missing"
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    problems = (*before.problems, f"{path}: {problem}") if problem else before.problems
    return replace(before, read=before.read + entry.bytes, problems=problems)


def _difference(entry: FileEntry, size: int, sha256: str) -> str:
    if size != entry.bytes:
        return f"has {size:,} bytes instead of {entry.bytes:,}"
    return "" if sha256 == entry.sha256 else "was changed: its SHA-256 is another"


def _untagged(dataset: Dataset, manifest: Manifest) -> Iterator[str]:
    """Tables whose tag is gone or elsewhere: they can no longer be read as they were.

    Where something was withdrawn that has to be so: the tags kept what was taken down.
    """
    if manifest.withdrawn:
        return
    tagged = snapshot.tagged_versions(dataset, manifest.tag)
    lost = [name for name, table in manifest.catalogue.items() if tagged.get(name) != table.version]
    if lost:
        yield (
            f"the catalogue no longer has {', '.join(lost)} at the tag {manifest.tag}: what this "
            "release was made from cannot be looked up there (a takedown of photos drops it)"
        )
