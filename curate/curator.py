"""What a curator says and decides, as rows of the catalogue.

Whoever hears it comes here: a sync that reads FiftyOne back, or an operator in the App. Rows are
only appended. What this curator has said already, and what is decided already, is not said again,
so that whoever was stopped in between may repeat it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.state import Decision, decisions_in_force
from garments.answers import Answer, value_of
from garments.catalog import one_of
from garments.ids import stable_id
from garments.said import Held, Key, LabelKind, people_say
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.dataset import Dataset

SEND_FILE = "send.txt"
"""In DIR/run/curate: garments that a curator wants annotated, for `annotate push --select`."""

Row = dict[str, Any]
Change = tuple[str, Decision]
"""(garment_id, kind)"""


@dataclass(frozen=True)
class Word:
    """A curator's answer about one attribute of one garment, seen on that crop."""

    garment_id: str
    crop_sha: str
    attribute: str
    answer: Answer


def label_rows(dataset: "Dataset", words: Sequence[Word], who: str) -> list[Row]:
    """Rows of `labels` for what `who` says, without what is their word already.

    Where another curator said something else meanwhile, it is said again: the last of them counts.
    """
    often, holds = _words_before(dataset, {word.garment_id for word in words}, who)
    rows = []
    for word in words:
        key, value = (word.garment_id, word.attribute), value_of(word.answer)
        last = holds.get(key)
        if last and (last.value, last.who) == (value, who):
            continue
        rows.append(
            {
                "label_id": stable_id("curator", *key, value, who, often[key]),
                "garment_id": word.garment_id,
                "crop_sha": word.crop_sha,
                "attribute": word.attribute,
                "value": value,
                "kind": str(LabelKind.CURATOR),
                "annotator": who,
                "vocabulary_hash": dataset.taxonomy.vocabulary_hash(word.attribute),
            }
        )
    return rows


def withdrawals(dataset: "Dataset", garments: Iterable[str], attribute: str, who: str) -> list[Row]:
    """Rows of `labels` that take back what `who` said last, as curator, about these garments.

    What others said counts again; what `who` had said before stays superseded.
    """
    where = f"{one_of('garment_id', garments)} AND kind = '{LabelKind.CURATOR}'"
    rows = dataset.catalog.rows("labels", where=where).sort_by("seq").to_pylist()
    gone = {row["withdraws"] for row in rows if row["withdraws"]}
    mine = {
        row["garment_id"]: row
        for row in rows
        if (row["attribute"], row["annotator"]) == (attribute, who) and not row["withdraws"]
    }
    same = ["garment_id", "crop_sha", "attribute", "value", "kind", "annotator", "vocabulary_hash"]
    return [
        {name: row[name] for name in same}
        | {"label_id": stable_id("withdraw", row["label_id"]), "withdraws": row["label_id"]}
        for row in mine.values()
        if row["label_id"] not in gone
    ]


def decision_rows(
    dataset: "Dataset",
    added: Iterable[Change],
    removed: Iterable[Change],
    who: str,
    note: str | None = None,
) -> tuple[list[Row], list[Row]]:
    """New decisions with a `note` (why), and rows that withdraw old ones."""
    rows = dataset.catalog.rows("decisions").to_pylist()
    in_force = decisions_in_force(rows)
    taken = Counter((row["garment_id"], row["kind"]) for row in rows if not row["withdraws"])
    decided = [
        {
            "decision_id": stable_id("decision", garment, kind, who, taken[garment, kind]),
            "garment_id": garment,
            "kind": str(kind),
            "note": note,
            "who": who,
        }
        for garment, kind in added
        if kind not in in_force.get(garment, {})
    ]
    withdrawn = [
        {
            "decision_id": stable_id("withdraw", row["decision_id"]),
            "garment_id": garment,
            "kind": str(kind),
            "who": who,
            "withdraws": row["decision_id"],
        }
        for garment, kind in removed
        for row in in_force.get(garment, {}).get(kind, [])
    ]
    return decided, withdrawn


def append(dataset: "Dataset", labels: Sequence[Row], decisions: Sequence[Row]) -> None:
    """Append these rows, each table once, and write `send.txt` anew."""
    dataset.catalog.add("decisions", decisions)
    dataset.catalog.add("labels", labels)
    write_send_file(dataset)


def send_file(dataset: "Dataset") -> Path:
    """The file for `annotate push --select`."""
    return dataset.run / "curate" / SEND_FILE


def write_send_file(dataset: "Dataset") -> int:
    """Write the active garments that a curator wants annotated, a line each; how many."""
    rows = dataset.catalog.rows("decisions").to_pylist()
    decided = decisions_in_force(rows)
    active = dataset.catalog.active_garments(columns=["garment_id"]).column(0).to_pylist()
    wanted = [name for name in active if Decision.SEND in decided.get(name, {})]
    path = send_file(dataset)
    if wanted or path.exists():
        write_whole(path, "".join(f"{name}\n" for name in wanted))
    return len(wanted)


def _words_before(
    dataset: "Dataset", garments: Iterable[str], who: str
) -> tuple[Counter[Key], Mapping[Key, Held]]:
    """How often this curator spoke, and which curator's word holds, by garment and attribute."""
    where = f"{one_of('garment_id', garments)} AND kind = '{LabelKind.CURATOR}'"
    rows = dataset.catalog.rows("labels", where=where).to_pylist()
    mine = (row for row in rows if row["annotator"] == who and not row["withdraws"])
    often = Counter((row["garment_id"], row["attribute"]) for row in mine)
    return often, people_say(rows)
