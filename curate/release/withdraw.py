"""Taking rows out of frozen releases, whose other files stay what they were.

A release is written anew beside its place, without the rows, and then changes places with what was
there. Whoever is killed in between leaves the one or the other, and the same call finishes.
"""

import csv
import os
import shutil
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate.release.amend import amend_card, amend_datasheet
from curate.release.manifest import (
    FileEntry,
    Manifest,
    Withdrawal,
    file_entry,
    files_in,
    read_manifest,
)
from curate.release.names import MANIFEST
from curate.release.rows import expect_unchanged
from curate.release.sources import LEFT_OUT, SOURCES
from curate.release.thin import Gone, Thinned, has_any, photos_in, thin
from curate.release.touched import Touched, data_files, lines_with, split_of, touched_by
from curate.release.withdrawn import WITHDRAWN, Row, as_frozen, read_withdrawn, write_withdrawn
from curate.release.write import CARD, DATASHEET, to_disk
from garments.dataset import TAXONOMY_FILE
from garments.errors import DatasetError
from garments.taxonomy import Taxonomy

if TYPE_CHECKING:
    from garments.dataset import Dataset

_STAGED, _OLD = ".withdrawn-", ".gone-"


@dataclass(frozen=True)
class Takedown:
    """Which takedown this is, in the data set's log, and when (UTC, ISO 8601)."""

    id: str
    at: str


def withdraw(dataset: "Dataset", gone: Gone, takedown: Takedown) -> list[Touched]:
    """Take it out of every release that has something of it; these. Hold the releases' lock.

    `DatasetError` where one is damaged, after all others are done: it stays as it is then.
    """
    recover(dataset)
    found, problems = touched_by(dataset, gone)
    for one in found:
        folder = dataset.releases / one.name
        try:
            _Rewriting(folder, gone, takedown).run()
        except DatasetError as error:
            problems.append(str(error))
        except OSError as error:
            raise DatasetError(
                f"expected to write {folder} anew, but {error.strerror or error}; make room there "
                "and run the same command again"
            ) from error
    if problems:
        raise DatasetError(" ".join(problems))
    return found


def recover(dataset: "Dataset") -> None:
    """Finish, or clear away, what a killed withdrawal left."""
    for old in dataset.releases.glob(f"{_OLD}*"):
        folder = old.with_name(old.name.removeprefix(_OLD))
        staged = old.with_name(_STAGED + folder.name)
        if not folder.exists():
            (staged if (staged / MANIFEST).is_file() else old).rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    for staged in dataset.releases.glob(f"{_STAGED}*"):
        shutil.rmtree(staged)


class _Rewriting:
    """One release, written anew beside its place."""

    def __init__(self, folder: Path, gone: Gone, takedown: Takedown) -> None:
        self.folder, self.gone, self.takedown = folder, gone, takedown
        self.before = read_manifest(folder)
        self.staged = folder.with_name(_STAGED + folder.name)
        self.rewritten: dict[str, Thinned] = {}

    def run(self) -> None:
        """Write it, then let it change places with what is there."""
        shutil.rmtree(self.staged, ignore_errors=True)
        for path in files_in(self.folder):
            self._file(path)
        manifest = self._sealed()
        old = self.folder.with_name(_OLD + self.folder.name)
        made = (self.folder / MANIFEST).stat()
        (self.staged / MANIFEST).write_text(manifest.dumps(), encoding="utf-8")
        os.utime(self.staged / MANIFEST, ns=(made.st_atime_ns, made.st_mtime_ns))  # it tells order
        to_disk(self.staged)
        self.folder.rename(old)
        self.staged.rename(self.folder)
        shutil.rmtree(old)

    def _file(self, name: str) -> None:
        """One file: thinned where it has something of what goes, else the same."""
        source, target = self.folder / name, self.staged / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.startswith("data/") and has_any(source, self.gone):
            expect_unchanged(self.folder, self.before, name)
            self.rewritten[name] = thin(source, target, self.gone)
        elif name in (SOURCES, LEFT_OUT):
            key, names = _KEYS[name], (self.gone.photos, self.gone.garments)[name == LEFT_OUT]
            if lines_with(source, key, names):
                expect_unchanged(self.folder, self.before, name)
                _without_lines(source, target, key, names)
            else:
                _same(source, target)
        elif name in (CARD, DATASHEET, WITHDRAWN):
            expect_unchanged(self.folder, self.before, name)  # written below, from what it says
        else:
            _same(source, target)

    def _sealed(self) -> Manifest:
        """The list of what went, the pages, and the manifest of all that."""
        self._list()
        counted = self._counted()
        folder, taxonomy = self.folder, Taxonomy.load(self.staged / TAXONOMY_FILE)
        if (folder / DATASHEET).is_file():
            text = (folder / DATASHEET).read_text(encoding="utf-8")
            text = amend_datasheet(text, self.staged, counted, taxonomy)
            (self.staged / DATASHEET).write_text(text, encoding="utf-8")
        if (folder / CARD).is_file():
            text = (folder / CARD).read_text(encoding="utf-8")
            text = amend_card(text, counted, self._sizes(counted))
            (self.staged / CARD).write_text(text, encoding="utf-8")
        return counted.model_copy(update={"files": self._entries()})

    def _list(self) -> None:
        known = read_withdrawn(self.folder)
        rows = list(known)
        for name, thinned in self.rewritten.items():
            earlier = [row.row for row in known if row.file == name]
            places = as_frozen(thinned.gone, earlier)
            rows += [Row(name, place, self.takedown.id, self.takedown.at) for place in places]
        write_withdrawn(self.staged, rows)

    def _counted(self) -> Manifest:
        """The manifest with the numbers of now, but with the pages of before."""
        went: Counter[str] = Counter()
        photos: set[str] = set()
        for name, thinned in self.rewritten.items():
            went[split_of(name)] += len(thinned.gone)
            photos |= thinned.photos
        splits = {name: n - went[name] for name, n in self.before.splits.items()}
        out = _left_out(self.staged / LEFT_OUT, self.before)
        one = Withdrawal(
            takedown=self.takedown.id,
            at=self.takedown.at,
            garments={name: count for name, count in went.items() if count},
            photos=len(photos),
            left_out=sum(self.before.left_out.values()) - sum(out.values()),
            before=self.before.hash,
        )
        return self.before.model_copy(
            update={
                "splits": {name: count for name, count in splits.items() if count},
                "photos": photos_in(data_files(self.staged)),
                "left_out": out,
                "files": self._entries(),
                "withdrawn": (*self.before.withdrawn, one),
            }
        )

    def _sizes(self, manifest: Manifest) -> dict[str, int]:
        """Bytes in memory of splits all of whose files were written anew or can be told."""
        import pyarrow.parquet as pq

        found: Counter[str] = Counter()
        changed = {split_of(name) for name in self.rewritten} & manifest.splits.keys()
        for path in data_files(self.staged):
            name = f"data/{path.name}"
            if split_of(name) in changed:
                thinned = self.rewritten.get(name)
                found[split_of(name)] += thinned.bytes if thinned else pq.read_table(path).nbytes
        return dict(found)

    def _entries(self) -> dict[str, FileEntry]:
        """What is written anew is hashed; what stayed is what it was, damaged or not."""
        known = self.before.files
        fresh = {*self.rewritten, SOURCES, LEFT_OUT, CARD, DATASHEET, WITHDRAWN}
        return {
            name: file_entry(self.staged / name) if name in fresh else known[name]
            for name in files_in(self.staged)
            if name in known or name in fresh
        }


_KEYS = {SOURCES: "photo_id", LEFT_OUT: "garment_id"}


def _same(source: Path, target: Path) -> None:
    """The same file under both names: it is never written to."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def _without_lines(source: Path, target: Path, column: str, names: Collection[str]) -> None:
    """A table without the rows that have one of these names in that column."""
    with (
        source.open(encoding="utf-8", newline="") as old,
        target.open("w", encoding="utf-8", newline="") as new,
    ):
        rows = csv.DictReader(old)
        writer = csv.DictWriter(new, rows.fieldnames or (), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row[column] not in names)


def _left_out(path: Path, before: Manifest) -> dict[str, int]:
    """Garments that were left out and still are, by reason."""
    if not path.is_file():
        return dict(before.left_out)
    with path.open(encoding="utf-8", newline="") as file:
        found = Counter(row["reason"] for row in csv.DictReader(file))
    return {reason: found[reason] for reason in before.left_out if found[reason]}
