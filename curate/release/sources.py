"""The CSV files of a release: where every photo came from, and what was left out and why."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from curate.release.choose import WORDS, Choice, Item, LeftOut, Origin

SOURCES, LEFT_OUT = "sources.csv", "left_out.csv"

_STATED = ("handle", "licence", "consent", "taken_at")
SOURCE_COLUMNS = ("photo_id", "source", *_STATED, "garments", "splits", "source_id")


def write_sources(path: Path, choice: Choice) -> None:
    """A row for every source of every photo that has a garment in the release.

    `source` is a URL, or the name of a file without its folders, which are nobody's business;
    `source_id` finds the whole of it in the catalogue.
    """
    by_photo: dict[str, list[Item]] = {}
    for item in choice.items:
        by_photo.setdefault(item.garment.photo_id, []).append(item)
    _write(path, SOURCE_COLUMNS, _source_rows(by_photo, choice.origins))


def write_left_out(path: Path, left_out: Mapping[str, LeftOut]) -> None:
    """A row for every garment of the data set that is not in the release."""
    rows = ((name, str(left_out[name]), WORDS[left_out[name]]) for name in sorted(left_out))
    _write(path, ("garment_id", "reason", "meaning"), rows)


def read_left_out(path: Path) -> dict[str, LeftOut]:
    """Inverse of `write_left_out`."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["garment_id"]: LeftOut(row["reason"]) for row in csv.DictReader(file)}


def _source_rows(
    by_photo: Mapping[str, Sequence[Item]], origins: Mapping[str, Origin]
) -> Iterable[Sequence[object]]:
    for photo in sorted(by_photo):
        splits = " ".join(Counter(item.split for item in by_photo[photo]))
        for source in origins.get(photo, Origin()).sources or ({},):
            stated = (source.get(name) or "" for name in _STATED)
            where = shown_origin(source.get("origin") or "")
            ending = len(by_photo[photo]), splits, source.get("source_id") or ""
            yield (photo, where, *stated, *ending)


def shown_origin(origin: str) -> str:
    """A URL as it is, a path without its folders."""
    return origin if "://" in origin else PurePath(origin).name


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
