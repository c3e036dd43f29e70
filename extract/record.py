"""Writing what was extracted to the catalogue, in an order that makes a replay harmless.

Photos and sources first, then people, then garments, and the rows that say "this photo is
finished" last. Whoever is killed in between does those photos again and writes the same rows.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from extract.outcome import Fate, Outcome
from extract.rematch import keep_garment_ids, keep_person_ids
from garments.catalog import Catalog, one_of
from garments.catalog.rows import (
    garment_from_row,
    garment_row,
    person_from_row,
    person_row,
    photo_row,
    retire_row,
    run_row,
    source_row,
)
from garments.idset import IdSet
from garments.records import Garment, Person, PhotoState

MOST_SOURCES = 1024
"""Sources without a new photo are written at the latest when so many have come together."""

COMPACT_EVERY = 32
"""Commits after which the catalogue's many small pieces are put together, to be read quickly."""

COMPACT_AT_END = 8
"""Commits of a run from which that is worth while at its end."""


@dataclass(frozen=True)
class Before:
    """What the catalogue knows of the photos of one commit, by photo id.

    `runs` has the newest extraction of those that were extracted before this run.
    """

    people: dict[str, list[Person]]
    garments: dict[str, list[Garment]]
    retired: set[str]
    runs: dict[str, str]


class Recorder:
    """Collects outcomes and writes them in groups."""

    def __init__(self, catalog: Catalog, config: str, photos: int, seconds: float) -> None:
        """Write as configuration `config`, at every so many photos or seconds."""
        self._catalog, self._config = catalog, config
        self._photos, self._seconds = photos, seconds
        self._waiting: list[Outcome] = []
        self._extracted = self._commits = 0
        self._since = time.monotonic()
        self._known_until = int(catalog.highest("extractions", "seq") or 0)
        self.done = IdSet(catalog.extracted(config))

    def fetched(self) -> dict[str, str]:
        """Photo ids behind the URLs that were fetched before."""
        where = "state = 'ok' AND photo_id IS NOT NULL AND origin LIKE 'http%'"
        rows = self._catalog.rows("sources", ["origin", "photo_id"], where)
        return dict(
            zip(rows.column("origin").to_pylist(), rows.column("photo_id").to_pylist(), strict=True)
        )

    def add(self, outcome: Outcome) -> None:
        """Take one outcome, and write all that wait when it is time."""
        if outcome.fate is Fate.TAKEN_DOWN:
            return  # its name alone would be a trace
        self._waiting.append(outcome)
        self._extracted += outcome.fate is Fate.EXTRACTED
        due = self._extracted and time.monotonic() - self._since >= self._seconds
        if due or self._extracted >= self._photos or len(self._waiting) >= MOST_SOURCES:
            self.flush()

    def flush(self) -> None:
        """Write all that wait. After an error they still wait, so this may be called again."""
        if self._waiting:
            self._write(self._waiting)
            self._commits += 1
            if self._commits >= COMPACT_EVERY:
                self._compact()
        self._waiting, self._extracted = [], 0
        self._since = time.monotonic()

    def close(self) -> None:
        """Write all that wait and leave the catalogue quick to read."""
        self.flush()
        if self._commits >= COMPACT_AT_END:
            self._compact()

    def _compact(self) -> None:
        self._catalog.optimize()
        self._commits = 0

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        extracted = [o for o in outcomes if o.fate is Fate.EXTRACTED and o.photo]
        # 1. Where the photos came from, and what they are.
        self._catalog.add("sources", [source_row(o.source) for o in outcomes])
        photos = [o.photo for o in outcomes if o.photo]
        self._catalog.add("photos", [photo_row(p) for p in photos if p.state != PhotoState.OK])
        # put, because what could not be read once may be readable with another library
        self._catalog.put("photos", [photo_row(p) for p in photos if p.state == PhotoState.OK])
        if not extracted:
            return
        # 2. People and garments, under the ids that an earlier extraction gave them.
        before = self._before([o.source.photo_id or "" for o in extracted])
        named = [self.named(outcome, before) for outcome in extracted]
        people = [person for outcome in named for person in outcome.people]
        garments = [garment for outcome in named for garment in outcome.garments]
        self._catalog.put("people", [person_row(p, self._config) for p in people])
        self._catalog.put("garments", [garment_row(g, self._config) for g in garments])
        self.also(named)
        # 3. That they are finished, in one commit with what is no longer or again there.
        self._catalog.add("extractions", [r for o in named for r in self._closing(o, before)])

    def named(self, outcome: Outcome, before: Before) -> Outcome:
        """The outcome with the ids of people and garments that were known before."""
        return _named(outcome, before)

    def also(self, outcomes: Sequence[Outcome]) -> None:
        """Write what else is known of photos, before they count as finished; here nothing."""

    def _before(self, photo_ids: Sequence[str]) -> Before:
        where = one_of("photo_id", photo_ids)
        runs = self._catalog.newest_runs(f"{where} AND seq <= {self._known_until}")
        named = zip(
            *(runs.column(n).to_pylist() for n in ("photo_id", "extraction_id")), strict=True
        )
        before = Before({p: [] for p in photo_ids}, {p: [] for p in photo_ids}, set(), dict(named))
        for row in self._catalog.rows("people", where=where).to_pylist():
            before.people[row["photo_id"]].append(person_from_row(row))
        for row in self._catalog.rows("garments", where=where).to_pylist():
            before.garments[row["photo_id"]].append(garment_from_row(row))
        if any(before.garments.values()):
            before = replace(before, retired=self._catalog.retired_garments(where))
        return before

    def _closing(self, outcome: Outcome, before: Before) -> list[dict[str, Any]]:
        """Rows of `extractions` for one photo; that of the run itself comes last."""
        photo_id = outcome.source.photo_id or ""
        after = before.runs.get(photo_id, "")
        now = {garment.garment_id for garment in outcome.garments}
        rows = []
        for garment in before.garments[photo_id]:
            gone, retired = garment.garment_id not in now, garment.garment_id in before.retired
            if gone != retired:
                rows.append(retire_row(garment, self._config, after, revive=retired))
        counts = len(outcome.people), len(outcome.garments)
        return [*rows, run_row(photo_id, self._config, *counts, after)]


def _named(outcome: Outcome, before: Before) -> Outcome:
    """The outcome with the ids of people and garments that were known before."""
    photo_id = outcome.source.photo_id or ""
    people = keep_person_ids(before.people[photo_id], outcome.people)
    names = {
        own.person_id: kept.person_id for own, kept in zip(outcome.people, people, strict=True)
    }
    garments = [
        replace(g, person_id=names[g.person_id] if g.person_id else None) for g in outcome.garments
    ]
    old = before.garments[photo_id]
    kept = keep_garment_ids(
        [g for g in old if g.garment_id not in before.retired],
        [g for g in old if g.garment_id in before.retired],
        garments,
    )
    return replace(outcome, people=tuple(people), garments=tuple(kept))
