"""The manifest of a release: what it is, what it was made from, and the hash of every file."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curate.release.names import MANIFEST
from garments.errors import DatasetError

FORMAT = 1
"""Version of the layout of a release; another one is refused."""

_READ_BYTES = 2**20


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Part):
    """One file of the release."""

    bytes: int = Field(ge=0, title="Size")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", title="Of its content, hexadecimal")


class TableEntry(_Part):
    """One table of the catalogue, at the version that the release was made from."""

    version: int = Field(ge=0, title="Lance version, tagged with the release's tag")
    rows: int = Field(ge=0, title="How many rows it had")


class Withdrawal(_Part):
    """Rows that were taken out of a release after it was frozen; `withdrawn.csv` has their places.

    `before` is the release's hash until then: what was made from it names it by that.
    """

    takedown: str = Field(title="Of the data set's log of takedowns")
    at: str = Field(title="UTC, ISO 8601")
    garments: dict[str, int] = Field(title="How many went, by split")
    photos: int = Field(ge=0, title="How many photos they were on")
    left_out: int = Field(default=0, ge=0, title="How many went from the list of those left out")
    before: str = Field(title="Hash of the release until then")


class Manifest(_Part):
    """What a release is. `hash` covers all the rest, so that a flipped bit shows here too."""

    format: int = Field(default=FORMAT, title="Version of this layout")
    name: str = Field(title="Of the release")
    dataset: str = Field(title="Of the data set")
    created_at: str = Field(title="UTC, ISO 8601")
    note: str = Field(default="", title="Why it was made, in the curator's words")
    software: str = Field(title="Version of garmentloop")
    simulated: bool = Field(default=False, title="A rehearsal: simulated answers count as people's")
    licences: tuple[str, ...] = Field(default=(), title="Only photos under these; empty for any")
    taxonomy: str = Field(title="Hash of taxonomy.toml as a whole")
    attributes: dict[str, str] = Field(title="Vocabulary hash by attribute, in order")
    split_versions: tuple[str, ...] = Field((), title="Names of the splits that rows come from")
    tag: str = Field(title="Tag on every table of the catalogue")
    catalogue: dict[str, TableEntry] = Field(title="Tables that this was made from")
    splits: dict[str, int] = Field(title="Garments by split")
    photos: int = Field(ge=0, title="How many photos they are on")
    left_out: dict[str, int] = Field(title="Garments that were left out, by reason")
    files: dict[str, FileEntry] = Field(title="Every other file of the release")
    withdrawn: tuple[Withdrawal, ...] = Field(
        default=(), title="What was taken out since it was frozen"
    )

    @property
    def garments(self) -> int:
        """How many garments it holds."""
        return sum(self.splits.values())

    @property
    def bytes(self) -> int:
        """Size of all files but the manifest."""
        return sum(entry.bytes for entry in self.files.values())

    @property
    def hash(self) -> str:
        """SHA-256 of everything in this manifest, and so of the whole release."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def hashes(self) -> tuple[str, ...]:
        """Its hash, and those that it had before something was withdrawn."""
        return (self.hash, *(one.before for one in self.withdrawn))

    def withdrawn_since(self, hash_: str) -> int:
        """How many garments were withdrawn since the release had that hash; 0 for an unknown one.

        Only those of train and validation: nobody learns from test.
        """
        places = [at for at, one in enumerate(self.withdrawn) if one.before == hash_]
        since = self.withdrawn[places[0] :] if places else ()
        return sum(n for one in since for split, n in one.garments.items() if split != "test")

    def dumps(self) -> str:
        """The text of manifest.json."""
        content = {**self._content(), "hash": self.hash}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def _content(self) -> dict[str, Any]:
        """All of it; a release of which nothing was withdrawn does not speak of it."""
        content = self.model_dump(mode="json")
        if not self.withdrawn:
            del content["withdrawn"]
        return content


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a release; `DatasetError` where it is missing, damaged or was changed."""
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        _check_format(path, content)
        stated = content.pop("hash", None)
        manifest = Manifest.model_validate(content)
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise DatasetError(
            f"expected the manifest of a release in {path}, but {_plainly(error)}; take the "
            "release again from where it was copied"
        ) from error
    if manifest.hash != stated or manifest.dumps() != text:
        raise DatasetError(
            f"expected {path} as it was written, but its own hash does not fit its content, so it "
            "was changed or damaged; take the release again from where it was copied"
        )
    return manifest


def file_entry(path: Path) -> FileEntry:
    """Size and SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
            size += len(block)
    return FileEntry(bytes=size, sha256=digest.hexdigest())


def files_in(folder: Path) -> list[str]:
    """Paths of all files below `folder` but the manifest, with forward slashes, in order."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in paths if path != MANIFEST)


def _check_format(path: Path, content: dict[str, Any]) -> None:
    if content.get("format") != FORMAT:
        raise DatasetError(
            f"expected a release of format {FORMAT}, but {path} has format "
            f"{content.get('format')!r}; use the version of garmentloop that made it"
        )


def _plainly(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
