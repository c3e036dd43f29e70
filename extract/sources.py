"""Finding photos: files, folders, globs, manifests, lists of URLs, URLs, Instagram folders."""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from extract.fetch import DEFAULT_LIMITS, Limits, Network, fetch, redacted
from extract.folders import Visited, walk
from extract.found import IMAGE_SUFFIXES, Found, PassedOver, found_file
from extract.manifest import read_csv, read_jsonl, read_url_list
from garments.errors import BadSource
from garments.files import MAX_FILE_BYTES, printable, read_bytes

__all__ = ["Found", "PassedOver", "find_sources", "load"]

URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
READERS = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".txt": read_url_list,
}


def find_sources(inputs: Sequence[str], passed_over: PassedOver | None = None) -> Iterator[Found]:
    """The photos that `inputs` name, in the order of `inputs`, folders by name; each origin once.

    An input is a photo, a folder (searched recursively; hidden files and what is no picture by its
    suffix are passed over, the latter counted in `passed_over`), a glob (files as in a folder), a
    manifest (.csv, .tsv, .jsonl), a list of URLs (.txt) or a URL. Folders downloaded from Instagram
    are recognised and give handle and time. Raises `BadSource` at once, before anything is read,
    for an input that does not exist, and `BadTable` on the way for a manifest without the needed
    columns; a damaged row becomes a `Found` with a `problem`.
    """
    counted = passed_over if passed_over is not None else PassedOver()
    # Not a generator itself: a wrong name is reported when this is called, not in mid-run.
    plan = [(text, _matches(text)) for text in inputs]
    visited: Visited = set()
    return _unique(
        found for text, paths in plan for found in _expand(text, paths, counted, visited)
    )


def load(
    found: Found,
    *,
    max_bytes: int = MAX_FILE_BYTES,
    limits: Limits = DEFAULT_LIMITS,
    network: Network | None = None,
) -> bytes:
    """The bytes of `found`. Raises `BadSource`, or its `UnsafeURL`, saying why there are none."""
    if found.problem:
        raise BadSource(found.problem)
    if found.path is not None:
        return read_bytes(found.path, max_bytes)
    if found.url is not None:
        return fetch(found.url, limits, network=network)
    raise BadSource(f"expected a path or a URL, but {found.origin} has neither")


def _matches(text: str) -> list[Path] | None:
    """The paths that an input means, None for a URL; `BadSource` where there is nothing."""
    if URL.match(text):
        return None
    if not text.strip():
        raise BadSource("expected a file, folder, glob or URL, but got an empty argument")
    if _exists(Path(text)):
        return [Path(text)]
    if not glob.has_magic(text):
        raise BadSource(
            f"expected a file, folder, glob or URL, but {text!r} does not exist: {_hint(text)}"
        )
    try:
        matches = sorted(_glob(Path(text)))
    except (ValueError, NotImplementedError):  # such as "**.jpg": ** must stand alone
        matches = []
    if not matches:
        raise BadSource(
            f"no file or folder matches {text!r}; check the pattern (/**/ is for all subfolders)"
        )
    return matches


def _glob(pattern: Path) -> Iterator[Path]:
    """What `pattern` matches; hidden files only if it says so, and `**` enters no linked folder."""
    fixed = next(at for at, part in enumerate(pattern.parts) if glob.has_magic(part))
    wanted = pattern.parts[fixed:]
    show_hidden = any(part.startswith(".") for part in wanted)
    for path in Path(*pattern.parts[:fixed]).glob(str(Path(*wanted))):
        if show_hidden or not any(part.startswith(".") for part in path.parts[fixed:]):
            yield path


def _exists(path: Path) -> bool:
    """Whether there is something, if only a broken link, or a place we may not look into."""
    try:
        path.lstat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _hint(text: str) -> str:
    """Where on the way to `text` the trouble starts."""
    missing = Path(text).absolute()
    while not _exists(missing.parent):
        missing = missing.parent
    return f"in {missing.parent} there is no {missing.name!r}; check the spelling"


def _expand(
    text: str, paths: list[Path] | None, counted: PassedOver, visited: Visited
) -> Iterator[Found]:
    """What one input that means `paths` (None: it is a URL) leads to."""
    if paths is None:
        yield Found(redacted(printable(text)), url=text)
        return
    by_glob = paths != [Path(text)]
    for path in paths:
        suffix = path.suffix.lower()
        if os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir it never raises
            yield from walk(path, counted, visited)
        elif by_glob and suffix not in IMAGE_SUFFIXES:
            counted[suffix] += 1
        elif suffix in READERS:
            yield from READERS[suffix](path)
        else:
            yield found_file(path)


def _unique(finds: Iterator[Found]) -> Iterator[Found]:
    seen: set[int] = set()  # hashes: a run over a million photos need not keep their names
    for found in finds:
        key = hash(found.origin)
        if key not in seen:
            seen.add(key)
            yield found
