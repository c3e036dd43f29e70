"""Promotions as rows of the catalogue: who was put in force when, and how that is taken back.

Each row of a promotion names one attribute, and all rows of one promotion are written at once.
Taking one back writes rows too: they restore what the promotion before it had put in force, or
name no model, where that were the settings. So the rows of an attribute are a stack, and whoever
takes back twice goes back two steps.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from garments.catalog.lock import exclusive
from garments.errors import BadSetting, DatasetError
from garments.ids import stable_id
from garments.migration.history import History

if TYPE_CHECKING:
    from garments.dataset import Dataset

Row = Mapping[str, Any]

_UNDOES = "undoes"
"""In the evidence of a row that takes another one back: which."""


@dataclass(frozen=True)
class RolledBack:
    """One attribute: the model that is no longer in force, and what is (empty: the settings')."""

    attribute: str
    model: str
    restored: str


@contextmanager
def alone(dataset: "Dataset") -> Iterator[None]:
    """One at a time changes who is in force."""
    dataset.run.mkdir(parents=True, exist_ok=True)
    with exclusive(dataset.run / "promote.lock"):
        yield


def promotion_row(
    attribute: str, model: str, tagger: str, evidence: Row, last: Row | None, who: str
) -> dict[str, Any]:
    """A row of `promotions`; `last` is the newest one of its attribute.

    The same promotion after the same history has the same id, so that a replay adds nothing.
    """
    before = last["promotion_id"] if last else None
    return {
        "promotion_id": stable_id("tagger", attribute, tagger, before),
        "kind": "tagger",
        "attribute": attribute,
        "model": model,
        "tagger": tagger,
        "evidence": json.dumps(_plain(evidence)),
        "who": who,
    }


def rollback(dataset: "Dataset", attributes: Sequence[str] | None = None) -> list[RolledBack]:
    """Take the newest promotion back, or what it did to some `attributes`.

    What was in force before it is in force again; done twice, the one before it is taken back as
    well. Raises `DatasetError` where nothing is promoted, `BadSetting` for an unknown attribute.
    """
    known = [attribute.id for attribute in dataset.taxonomy.attributes]
    if unknown := [name for name in attributes or () if name not in known]:
        raise BadSetting(
            f"expected some of the attributes {', '.join(known)}, but got {', '.join(unknown)}"
        )
    wanted = known if attributes is None else [name for name in known if name in attributes]
    with alone(dataset):
        history = _history(dataset)
        stacks = {name: rows for name in wanted if (rows := _stack(history[name]))}
        if not stacks:
            raise DatasetError(
                f"expected a promotion to take back in {dataset.folder}, but the settings' "
                f"taggers are in force{' for these attributes' if attributes else ''} already"
            )
        newest = max((rows[-1] for rows in stacks.values()), key=lambda row: int(row["seq"]))
        mine = {name: rows for name, rows in stacks.items() if _together(rows[-1], newest)}
        dataset.catalog.add(
            "promotions", [_undoing(name, s, history[name][-1]) for name, s in mine.items()]
        )
    return [
        RolledBack(name, s[-1]["model"], s[-2]["model"] if len(s) > 1 else "")
        for name, s in mine.items()
    ]


def newest_rows(dataset: "Dataset") -> dict[str, Row]:
    """The newest row of each attribute, those that take back among them."""
    return {name: rows[-1] for name, rows in _history(dataset).items() if rows}


def _history(dataset: "Dataset") -> dict[str, list[Row]]:
    """All rows about taggers by attribute, oldest first."""
    every = [attribute.id for attribute in dataset.taxonomy.attributes]
    rows = dataset.catalog.rows("promotions", where="kind = 'tagger'").to_pylist()
    found: dict[str, list[Row]] = defaultdict(list)
    migrations = History.of(dataset.folder)
    for row in sorted(rows, key=lambda row: int(row["seq"])):
        names = [migrations.attribute(row["attribute"])] if row["attribute"] else every
        for name in names:
            if name:
                found[name].append(row)
    return found


def _stack(rows: Sequence[Row]) -> list[Row]:
    """Promotions of an attribute that nobody took back, oldest first."""
    found: list[Row] = []
    for row in rows:
        undone = _evidence(row).get(_UNDOES)
        if undone is None:
            found.append(row)
        else:
            found = [one for one in found if one["promotion_id"] != undone]
    return found


def _together(one: Row, other: Row) -> bool:
    """Whether two rows were written at once."""
    return bool(one["created_at"] == other["created_at"] and one["who"] == other["who"])


def _undoing(attribute: str, stack: Sequence[Row], last: Row) -> dict[str, Any]:
    undone, before = stack[-1], stack[-2] if len(stack) > 1 else None
    evidence = {_UNDOES: undone["promotion_id"], "instead_of": undone["model"]}
    model, tagger = (before["model"], before["tagger"] or "") if before else ("", "")
    return promotion_row(attribute, model, tagger, evidence, last, "garmentloop models rollback")


def _evidence(row: Row) -> dict[str, Any]:
    try:
        found = json.loads(row["evidence"] or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(evidence: Row) -> dict[str, Any]:
    """JSON has no NaN."""
    return {name: None if value != value else value for name, value in evidence.items()}
