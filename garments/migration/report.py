"""The report of a migration: a page for people, and the same figures as JSON."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from garments.migration.moves import Fate
from garments.migration.record import Record
from garments.migration.tally import Tally
from garments.whole import write_page

if TYPE_CHECKING:
    from garments.dataset import Dataset

WORDS: Mapping[Fate, str] = {
    Fate.KEPT: "kept",
    Fate.RENAMED: "renamed",
    Fate.MERGED: "merged",
    Fate.REDUCED: "reduced",
    Fate.AGAIN: "asked again",
    Fate.REMOVED: "removed",
    Fate.OVERRULED: "overruled before",
    Fate.OUTDATED: "outdated before",
}
"""Fates as people read them, in the order of tables."""


def report_paths(dataset: "Dataset", record: Record) -> tuple[Path, Path]:
    """Where page and JSON of a migration are."""
    return dataset.reports / f"{record.name}.html", dataset.reports / f"{record.name}.json"


def write_migration_report(dataset: "Dataset", record: Record, tally: Tally, waiting: int) -> Path:
    """Write both into the data set's reports; the page's path. `waiting` tasks are to be updated.

    `DatasetError` where they cannot be written.
    """
    page, figures = report_paths(dataset, record)
    again = f"`garmentloop taxonomy migrate --dataset {dataset.folder}`"
    content = {
        "migration": record.name,
        "id": record.id,
        "at": record.at,
        "from": record.old,
        "to": record.new,
        "map": dict(record.map),
        **tally.content(),
        "tasks_to_update": waiting,
    }
    write_page(figures, json.dumps(content, indent=2, ensure_ascii=False) + "\n", again)
    write_page(page, _html(dataset, record, tally, waiting), again)
    return page


def _html(dataset: "Dataset", record: Record, tally: Tally, waiting: int) -> str:
    from jinja2 import Environment, StrictUndefined

    text = (files("garments") / "data" / "migration.html.jinja").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    totals = tally.totals
    return environment.from_string(text).render(
        name=dataset.settings.name,
        record=record,
        tally=tally,
        fates=[(fate, word) for fate, word in WORDS.items() if totals[fate]],
        totals=totals,
        words=WORDS,
        waiting=waiting,
    )
