"""`taxonomy migrate` itself: what is asked for is checked as a whole, then done or finished."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from garmentloop.migration.alone import alone
from garmentloop.migration.models import models_notes
from garments.dataset import TAXONOMY_FILE
from garments.errors import BadSetting, BadTaxonomy
from garments.migration.check import checked
from garments.migration.history import History, read_migration, settle
from garments.migration.labels import Migration
from garments.migration.mapfile import MigrationMap, read_map
from garments.migration.record import (
    Record,
    end_journal,
    read_journal,
    taxonomy_path,
    write_journal,
)
from garments.migration.report import report_paths, write_migration_report
from garments.migration.tally import Tally, step
from garments.rounds import unfinished
from garments.said import Rules
from garments.taxonomy import Taxonomy
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class Request:
    """Files of the new taxonomy, of the map, and of the old taxonomy, which is the data set's own.

    Without a map everything has to be in both taxonomies. Without a new taxonomy only a migration
    that was cut off is finished.
    """

    new: Path | None = None
    map: Path | None = None
    old: Path | None = None
    dry_run: bool = False


class State(StrEnum):
    """What came of a request. `finished`: one that had been cut off before."""

    DONE = "done"
    FINISHED = "finished"
    FORESEEN = "foreseen"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Outcome:
    """What was done or would be: `waiting` tasks get the new form, `page` is the report."""

    state: State
    record: Record
    tally: Tally | None = None
    waiting: int = 0
    page: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Asked:
    """A request that was checked: the migration, and its taxonomies as they are written."""

    migration: Migration
    texts: Mapping[str, bytes]


def migrate(dataset: "Dataset", request: Request) -> Outcome:
    """Bring a data set from its taxonomy to another one; the same call again changes nothing.

    Raises `BadTaxonomy` with everything that is wrong with the map, and `BadSetting` where there is
    nothing to do; then nothing was changed. `DatasetError` or `StudioError` where somebody else is
    at work. One that was cut off is finished first, whatever is asked for.
    """
    if request.dry_run:
        return _foreseen(dataset, request)
    if read_journal(dataset.folder) is None:
        _asked(dataset, request)  # tells what is wrong before anybody is kept out
    with alone(dataset):
        cut_off = read_journal(dataset.folder)
        if cut_off:
            outcome = _finish(dataset, cut_off, State.FINISHED)
            if request.new is None or Taxonomy.load(request.new).hash == cut_off.new:
                return outcome
        asked = _asked(dataset, request)
        if isinstance(asked, Record):
            settle(dataset, History.of(dataset.folder))
            return Outcome(State.NOTHING, asked, page=report_paths(dataset, asked)[0])
        for digest, text in asked.texts.items():
            _keep(taxonomy_path(dataset.folder, digest), text)
        write_journal(dataset.folder, asked.migration.record)
        return _finish(dataset, asked.migration.record, State.DONE)


def _foreseen(dataset: "Dataset", request: Request) -> Outcome:
    """The report of what would be done; nothing is written."""
    cut_off = read_journal(dataset.folder)
    history = History.of(dataset.folder)
    if cut_off:
        migration, state = read_migration(dataset.folder, cut_off), State.FINISHED
    else:
        asked = _asked(dataset, request)
        if isinstance(asked, Record):
            return Outcome(State.NOTHING, asked)
        migration, state = asked.migration, State.FORESEEN
    rows = dataset.catalog.rows("labels").to_pylist()
    found = step(rows, history, migration, Rules.of(dataset))
    notes = () if cut_off else _notes(dataset, migration.moves.new, history.then(migration))
    return Outcome(state, migration.record, found.tally, _waiting(dataset), notes=notes)


def _finish(dataset: "Dataset", record: Record, state: State) -> Outcome:
    """Do what the journal says, as far as it is not done; every part of it may be done twice."""
    folder, migration = dataset.folder, read_migration(dataset.folder, record)
    rows = dataset.catalog.rows("labels").to_pylist()
    found = step(rows, History.of(folder), migration, Rules.of(dataset))
    dataset.catalog.add("labels", found.rows)  # one commit: all of them or none
    write_whole(folder / TAXONOMY_FILE, taxonomy_path(folder, record.new).read_bytes())
    waiting = _waiting(dataset)
    page = write_migration_report(dataset, record, found.tally, waiting)
    end_journal(folder, record)
    dataset.__dict__.pop("taxonomy", None)  # what was read before is no longer in force
    notes = _notes(dataset, dataset.taxonomy, History.of(folder))
    return Outcome(state, record, found.tally, waiting, page, notes)


def _asked(dataset: "Dataset", request: Request) -> _Asked | Record:
    """What is asked for, checked; the record of the last migration where that did just this."""
    if request.new is None:
        raise BadSetting(
            "expected --to with the file of the new taxonomy, but got none, and no migration of "
            f"{dataset.folder} was cut off; `garmentloop taxonomy migrate --help` shows an example"
        )
    path = dataset.folder / TAXONOMY_FILE
    now, new = Taxonomy.load(path), Taxonomy.load(request.new)
    said = read_map(request.map) if request.map else MigrationMap()
    old = Taxonomy.load(request.old) if request.old else now
    history = History.of(dataset.folder)
    last = history.migrations[-1].record if history else None
    if last and _did(last, now, new, old, said if request.map else None):
        return last
    if old.hash != now.hash:
        raise BadTaxonomy(
            f"expected --from to be the taxonomy of {dataset.folder}, but {request.old} is another "
            f"one ({_differences(old, now)}); leave --from out, or give {path}"
        )
    if new.hash == now.hash:
        raise BadSetting(
            f"expected another taxonomy than that of {dataset.folder}, but {request.new} is the "
            "same: there is nothing to do"
        )
    moves = checked(now, new, said, history.steps)
    record = Record(
        number=len(history.migrations) + 1,
        old=now.hash,
        new=new.hash,
        map=said.model_dump(mode="json"),
        upto=int(dataset.catalog.highest("labels", "seq") or 0),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    texts = {now.hash: path.read_bytes(), new.hash: request.new.read_bytes()}
    return _Asked(Migration(record, moves), texts)


def _did(
    last: Record, now: Taxonomy, new: Taxonomy, old: Taxonomy, said: MigrationMap | None
) -> bool:
    """Whether the last migration did what is asked for now."""
    same_map = said is None or said.text == last.read_map().text
    return new.hash == now.hash == last.new and old.hash in (last.old, now.hash) and same_map


def _differences(one: Taxonomy, other: Taxonomy) -> str:
    """In which attributes two taxonomies differ, in words."""
    parts = {a.id: a for a in one.attributes}, {a.id: a for a in other.attributes}
    names = [name for name in {**parts[0], **parts[1]} if parts[0].get(name) != parts[1].get(name)]
    return f"it differs in {', '.join(names)}" if names else "its attributes have another order"


def _keep(path: Path, text: bytes) -> None:
    if not path.exists():
        write_whole(path, text)


def _waiting(dataset: "Dataset") -> int:
    """Tasks that nobody has dealt with; of those that check people, the gold ones."""
    gold = dataset.catalog.count("checks", "state = 'created' AND purpose = 'gold'")
    return dataset.catalog.count("tasks", "state = 'created'") + gold


def _notes(dataset: "Dataset", taxonomy: Taxonomy, history: History) -> tuple[str, ...]:
    """What else somebody should know."""
    found, notes = unfinished(dataset), list(models_notes(dataset, taxonomy, history))
    if found:
        notes.append(f"{found.name} has not ended: its next steps work with the new taxonomy")
    return tuple(notes)
