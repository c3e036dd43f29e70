"""What people said that could not be taken, kept with its reason in run/labelstudio."""

import json
from pathlib import Path
from typing import Any

from annotate.studio.project import studio_folder
from garments.dataset import Dataset
from garments.ids import stable_id

_FILE = "set-aside.jsonl"


def aside_path(dataset: Dataset) -> Path:
    """The file with a JSON object a line."""
    return studio_folder(dataset) / _FILE


class SetAside:
    """Appends to the file; what is there already is not added again."""

    def __init__(self, dataset: Dataset) -> None:
        self.path = aside_path(dataset)
        self._known, self._size = set[str](), 0

    def unknown(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that are not in the file yet, each once, with their ids."""
        self._look()
        named = {_id(entry): {"id": _id(entry), **entry} for entry in entries}
        return [entry for name, entry in named.items() if name not in self._known]

    def add(self, entries: list[dict[str, Any]]) -> None:
        """Append what `unknown` gave."""
        if not entries:
            return
        text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        with self.path.open("ab+") as file:
            if file.tell() and not self._ends_with_newline():
                text = "\n" + text  # somebody was killed while writing a line
            file.write(text.encode())

    def _ends_with_newline(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) == b"\n"

    def _look(self) -> None:
        """Read the file where it has grown: others add to it too."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == self._size:
            return
        self._known, self._size = set(), size
        for line in self.path.read_bytes().splitlines():
            try:
                self._known.add(str(json.loads(line)["id"]))
            except (ValueError, KeyError, TypeError):
                continue  # cut off by a kill; its annotation is read again


def _id(entry: dict[str, Any]) -> str:
    return stable_id("aside", json.dumps(entry, ensure_ascii=False, sort_keys=True))
