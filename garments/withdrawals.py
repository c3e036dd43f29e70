"""What was taken down: a log that names nobody, and the refusal of what it stands for.

takedowns/key           32 random bytes, hexadecimal, for its owner's eyes only
takedowns/log.jsonl     a JSON object a takedown; photos and handles as keyed hashes (HMAC-SHA-256)
takedowns/pending.json  the takedown that has not ended: what it still needs, gone when it ends

Without the key nobody can tell from the log whether some photo was taken down; with it, that is
all that can be told.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from garments.errors import DatasetError
from garments.handles import same_handle
from garments.whole import in_place_of

if TYPE_CHECKING:
    from garments.dataset import Dataset

FOLDER, KEY, LOG, PENDING = "takedowns", "key", "log.jsonl", "pending.json"

PHOTO, HANDLE = "photo", "handle"
"""Kinds of things that are taken down."""


@dataclass(frozen=True)
class Entry:
    """One takedown. `photos` and `handle` are marks: keyed hashes, no names.

    `counts` says how much went, `releases` and `models` which of them it touched.
    """

    takedown: str
    at: str
    kind: str
    photos: tuple[str, ...]
    handle: str = ""
    by: str = ""
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    releases: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """What must not come back: marks of photos and handles, and the key that makes marks."""

    key: bytes = b""
    photos: frozenset[str] = frozenset()
    handles: frozenset[str] = frozenset()

    def photo(self, photo_id: str) -> bool:
        """Whether the photo was taken down."""
        return bool(self.photos) and mark(self.key, PHOTO, photo_id) in self.photos

    def handle(self, handle: str) -> bool:
        """Whether all photos of the handle were taken down."""
        return bool(self.handles) and mark(self.key, HANDLE, handle) in self.handles


class Withdrawals:
    """The takedowns of one data set."""

    def __init__(self, dataset: "Dataset") -> None:
        self.folder = dataset.folder / FOLDER

    def mark(self, kind: str, name: str) -> str:
        """The keyed hash of a photo's id or a handle; the key is made where there is none yet."""
        return mark(self._key, kind, name)

    @cached_property
    def _key(self) -> bytes:
        if not (self.folder / KEY).exists():
            if self.entries():
                raise self._lost()
            self._make_key()
        return self._read_key()

    def entries(self) -> list[Entry]:
        """All takedowns that ended, oldest first; `DatasetError` where the log is damaged."""
        try:
            lines = (self.folder / LOG).read_text(encoding="utf-8").splitlines()
            return [_entry(json.loads(line)) for line in lines if line.strip()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DatasetError(
                f"expected a takedown a line in {self.folder / LOG}, but {error}; restore the file "
                "from a backup: without it photos that were taken down could come back"
            ) from error

    def add(self, entry: Entry) -> None:
        """Append to the log; one that is there already is not added again."""
        known = [one for one in self.entries() if one.takedown != entry.takedown]
        lines = [json.dumps(asdict(one), ensure_ascii=False) for one in [*known, entry]]
        self._write(LOG, "".join(f"{line}\n" for line in lines))

    def pending(self) -> dict[str, Any] | None:
        """What the takedown that has not ended needs; None where all have."""
        try:
            found = json.loads((self.folder / PENDING).read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise TypeError(f"it is a {type(found).__name__}")
            return found
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise DatasetError(
                f"expected what is left of a takedown in {self.folder / PENDING}, but {error}; "
                "restore the file from a backup, or remove it and take the same things down again"
            ) from error

    def write_pending(self, content: Mapping[str, Any]) -> None:
        """Say what is about to be taken down; it has `marks`: `photos` and, if any, `handle`."""
        self._write(PENDING, json.dumps(content, ensure_ascii=False) + "\n")

    def clear_pending(self) -> None:
        """Forget what was needed: the takedown has ended."""
        (self.folder / PENDING).unlink(missing_ok=True)

    def refused(self) -> Refused:
        """What must not come back, also of a takedown that has not ended."""
        known, pending = self.entries(), self.pending()
        if not known and pending is None:
            return Refused()
        marks = pending["marks"] if pending else {}
        photos = {name for entry in known for name in entry.photos} | {*marks.get("photos", ())}
        handles = {entry.handle for entry in known} | {marks.get("handle", "")}
        return Refused(self._read_key(), frozenset(photos), frozenset(handles - {""}))

    def _make_key(self) -> None:
        """Another process may be faster: then its key counts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        made = self.folder / f".new-{os.getpid()}-{KEY}"
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(32).encode())
            os.fsync(descriptor)
            with suppress(FileExistsError):
                os.link(made, self.folder / KEY)
        finally:
            os.close(descriptor)
            made.unlink(missing_ok=True)

    def _read_key(self) -> bytes:
        try:
            return bytes.fromhex((self.folder / KEY).read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise self._lost() from error

    def _lost(self) -> DatasetError:
        return DatasetError(
            f"expected the key of the takedown log in {self.folder / KEY}, but it is missing or "
            "damaged; restore it from a backup: without it photos that were taken down could come "
            "back"
        )

    def _write(self, name: str, text: str) -> None:
        """Replace a file at once, for its owner's eyes only, and see that it is on the disk."""
        try:
            with in_place_of(self.folder / name) as temporary:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise DatasetError(
                f"expected to write {self.folder / name}, but {error.strerror or error}; make room "
                "there, then run the same command again"
            ) from error


def mark(key: bytes, kind: str, name: str) -> str:
    """HMAC-SHA-256 of a kind of thing and its name, hexadecimal; handles as they are compared."""
    text = same_handle(name) if kind == HANDLE else name
    return hmac.new(key, f"{kind}\x1f{text}".encode(), hashlib.sha256).hexdigest()


def _entry(content: Mapping[str, Any]) -> Entry:
    known = {one.name for one in fields(Entry)}
    given = {name: value for name, value in content.items() if name in known}
    return Entry(**{name: _plain(value) for name, value in given.items()})


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def named(entries: Iterable[Entry], mark_: str) -> Entry | None:
    """The newest takedown of the photo or handle with that mark, None where there is none."""
    found = [one for one in entries if mark_ in one.photos or mark_ == one.handle]
    return found[-1] if found else None
