"""Finding names in files, and taking them out again."""

import json
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

from garments.ids import ID_LENGTH
from garments.whole import in_place_of

_HEX = bytes(b"- "[chr(byte) not in "0123456789abcdef"] for byte in range(256))
"""Every byte as `-` where it is a hexadecimal digit, else a space: quicker than a pattern."""

_ENDING = 4
"""Last bytes of names, by which they are found: few endings have many names (`.jpg`)."""

_WORD = re.compile(rb"[\w-]")

_BLOCK = 2**22
_MASK = b"x"


class Terms:
    """Ids (16 hexadecimal digits) and names of files that must not stand anywhere."""

    def __init__(self, ids: Collection[str], names: Collection[str] = ()) -> None:
        self._ids = frozenset(name.encode() for name in ids)
        spelt = {form for name in names for form in _forms(name)}
        self._longest = max([ID_LENGTH, *(len(form) for form in spelt)])
        self._names: dict[bytes, set[bytes]] = {}
        for form in spelt:
            self._names.setdefault(form[-_ENDING:], set()).add(form)

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where they stand, as (start, end)."""
        for first, last in _runs(data) if self._ids else ():
            for start in range(first, last - ID_LENGTH + 1):
                if data[start : start + ID_LENGTH] in self._ids:
                    yield start, start + ID_LENGTH
        for ending, names in self._names.items():
            lengths = sorted({len(name) for name in names}, reverse=True)
            for end in _ends(data, ending):
                for start in (end - length for length in lengths if length <= end):
                    if data[start:end] in names and _stands_alone(data, start, end):
                        yield start, end

    def within(self, data: bytes | str) -> bool:
        """Whether any stands there."""
        data = _bytes(data) if isinstance(data, str) else data
        return next(iter(self.spans(data)), None) is not None

    def within_file(self, path: Path) -> bool:
        """Whether any stands in the file, read piece by piece; `OSError` where it cannot be."""
        with path.open("rb") as file:
            return self.within_stream(file)

    def within_stream(self, file: IO[bytes]) -> bool:
        """The same of an open file, to its end."""
        before = b""
        while block := file.read(_BLOCK):
            if self.within(before + block):
                return True
            before = block[-self._longest :]
        return False

    def replaced(self, text: str, by: str) -> str:
        """The text with another word in their place."""
        data, found, last = _bytes(text), [], 0
        for start, end in sorted(self.spans(data)):
            if start >= last:
                found += [data[last:start], by.encode()]
            last = max(last, end)
        return b"".join([*found, data[last:]]).decode("utf-8", "surrogateescape")


def drop_lines(path: Path, terms: Terms) -> int:
    """Take the lines out of a text file in which any of `terms` stands; how many."""
    if not path.is_file() or not terms.within_file(path):
        return 0
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not terms.within(line)]
    mode = path.stat().st_mode & 0o777
    with in_place_of(path) as temporary:
        temporary.write_bytes(b"".join(kept))
        temporary.chmod(mode)
    return len(lines) - len(kept)


def mask(path: Path, terms: Terms) -> bool:
    """Write over `terms` in a file, where they stand; whether there were any.

    The file stays as long as it is, so that a program that is writing its log there may go on.
    """
    if not path.is_file() or not terms.within_file(path):
        return False
    with path.open("r+b") as file:
        data = file.read()
        for start, end in terms.spans(data):
            file.seek(start)
            file.write(_MASK * (end - start))
        file.flush()
        os.fsync(file.fileno())
    return True


def _runs(data: bytes) -> Iterator[tuple[int, int]]:
    """Runs of digits in which an id may stand anywhere, as ids are part of longer names."""
    plain, least = data.translate(_HEX), b"-" * ID_LENGTH
    start = plain.find(least)
    while start >= 0:
        end = plain.find(b" ", start)
        end = len(data) if end < 0 else end
        yield start, end
        start = plain.find(least, end)


def _ends(data: bytes, ending: bytes) -> Iterator[int]:
    at = data.find(ending)
    while at >= 0:
        yield at + len(ending)
        at = data.find(ending, at + 1)


def _stands_alone(data: bytes, start: int, end: int) -> bool:
    """`1.jpg` is no part of `21.jpg`."""
    around = data[max(0, start - 1) : start], data[end : end + 1]
    return not any(_WORD.match(one) for one in around)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _forms(name: str) -> list[bytes]:
    """The name as it stands in plain text, in JSON and in a URL."""
    forms = (name, json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1], quote(name))
    return [_bytes(form) for form in forms if form]
