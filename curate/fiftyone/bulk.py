"""What a curator does to many crops at once in the App: answers set, decisions taken.

It is appended to the catalogue by the functions that a sync appends with, and the samples are
written anew at once. First what was typed or tagged at these very samples is read back, or it would
be lost. The next sync finds nothing of it to read; it brings photos and measures up to date.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.curator import Row, Word, append, decision_rows, label_rows, withdrawals
from curate.fiftyone import evaluate, measures
from curate.fiftyone.decisions import read_back
from curate.fiftyone.documents import Collection
from curate.fiftyone.facts import Facts, facts, origins_of
from curate.fiftyone.fields import garment_documents, holds, label_of
from curate.fiftyone.selected import Selected, selected
from curate.fiftyone.standing import Standing
from curate.fiftyone.window import mongo_errors, one_at_a_time
from curate.state import Decision
from garments.answers import NOT_VISIBLE, Answer
from garments.atwork import at_work
from garments.catalog import one_of
from garments.errors import BadInput
from garments.taxonomy import Attribute

if TYPE_CHECKING:
    from curate.fiftyone.window import Window

PATIENCE = 20.0
"""Seconds for which a takedown, a sync or another curator is waited for, each."""

CHUNK = 1000
"""Garments that are gathered and written at once."""

UNREAD = "whose typed label is none of the taxonomy: put it right first"


@dataclass(frozen=True)
class Done:
    """What became of a selection.

    `garments` are those that it was said of, `same` how many of them it had been said of before;
    `skipped` counts others by reason; `heard` came from the App before; `notes` is what to know.
    """

    garments: tuple[str, ...] = ()
    same: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    heard: str = ""
    notes: tuple[str, ...] = ()


def set_answer(
    window: "Window", sample_ids: Sequence[str], attribute: str, answer: Answer, who: str
) -> Done:
    """Say of all selected crops that `answer` holds for `attribute`; `who` says it.

    Garments that it cannot hold for are skipped. Raises `BadInput` where it is no answer of the
    taxonomy in force, `DatasetError` or `FiftyOneError` where others are at work for too long.
    """
    asked = answerable(window, attribute, answer)
    with _acting(window, sample_ids, who) as (chosen, heard):
        standing = Standing.of(window.dataset)
        if asked.parent and answer - {NOT_VISIBLE}:
            chosen = chosen.without(_unfit(standing, list(chosen.rows), asked, answer))
        chosen = chosen.without(_not_asked(window, chosen, attribute))
        words = [Word(name, row.crop_sha, attribute, answer) for name, row in chosen.rows.items()]
        labels = label_rows(window.dataset, words, who)
        append(window.dataset, labels, [])
        notes = list[str]()
        for known in refresh(window, list(chosen.rows), standing):
            notes += _notes(standing, known, asked, answer)
        _unjudge(window, [row["garment_id"] for row in labels])
    same = len(words) - len(labels)
    return Done(tuple(chosen.rows), same, chosen.skipped, heard, (*dict.fromkeys(notes),))


def take_back(window: "Window", sample_ids: Sequence[str], attribute: str, who: str) -> Done:
    """Take back what `who` said last about all selected crops; of others nothing is taken back.

    Raises as `set_answer` does.
    """
    answerable(window, attribute, frozenset())
    with _acting(window, sample_ids, who) as (chosen, heard):
        labels = withdrawals(window.dataset, list(chosen.rows), attribute, who)
        append(window.dataset, labels, [])
        mine = [row["garment_id"] for row in labels]
        for _ in refresh(window, list(chosen.rows), Standing.of(window.dataset)):
            pass
        _unjudge(window, mine)
    return Done(tuple(chosen.rows), len(chosen.rows) - len(mine), chosen.skipped, heard)


def decide(
    window: "Window",
    sample_ids: Sequence[str],
    kind: Decision,
    who: str,
    *,
    note: str | None = None,
    take_back: bool = False,
) -> Done:
    """Take a decision about all selected crops, with a `note` (why), or take it back.

    What is decided so already stays as it is, whoever decided it. Raises as `set_answer` does.
    """
    with _acting(window, sample_ids, who) as (chosen, heard):
        changes = [(name, kind) for name in chosen.rows]
        added, removed = ([], changes) if take_back else (changes, [])
        decided, withdrawn = decision_rows(window.dataset, added, removed, who, note)
        append(window.dataset, [], decided + withdrawn)
        for _ in refresh(window, list(chosen.rows), Standing.of(window.dataset)):
            pass
    changed = {row["garment_id"] for row in decided + withdrawn}
    return Done(tuple(chosen.rows), len(chosen.rows) - len(changed), chosen.skipped, heard)


def answerable(window: "Window", attribute: str, answer: Answer) -> Attribute:
    """The attribute, where `answer` is one of the taxonomy in force; else `BadInput`."""
    taxonomy = window.dataset.taxonomy
    asked = next((one for one in taxonomy.attributes if one.id == attribute), None)
    if asked is None:
        raise BadInput(
            f"expected an attribute, one of {', '.join(a.id for a in taxonomy.attributes)}, but "
            f"got {attribute!r}; the taxonomy was changed meanwhile: open the form again"
        )
    if unknown := sorted(answer - {NOT_VISIBLE, *asked.ids}):
        raise BadInput(
            f"expected values of {attribute}, but {', '.join(map(repr, unknown))} is none in the "
            "taxonomy that is in force now; it was changed meanwhile: open the form again"
        )
    if len(answer) > 1 and (NOT_VISIBLE in answer or not asked.multiple):
        raise BadInput(f"expected one value of {attribute}, but got {label_of(sorted(answer))}")
    return asked


def refresh(window: "Window", garments: Sequence[str], standing: Standing) -> Iterator[Facts]:
    """Write the samples of these garments anew; what is known of them, some at a time.

    Fields that FiftyOne does not have yet are left to the next sync, which knows that all are due.
    """
    declared = set(window.garments.get_field_schema())
    for start in range(0, len(garments), CHUNK):
        part = garments[start : start + CHUNK]
        known = _known(standing, part)
        documents = garment_documents(standing, known, part)
        samples = Collection(window.garments, "garment_id")
        there = samples.look(part)
        samples.write(
            {name: value for name, value in document.items() if name in declared}
            for document in documents
            if document["garment_id"] in there
        )
        yield known


@contextmanager
def _acting(
    window: "Window", sample_ids: Sequence[str], who: str
) -> Iterator[tuple[Selected, str]]:
    """The garments to act on, and what was read back of them; with takedown and sync kept out."""
    if not who.strip():
        raise BadInput("expected the name of whoever says this, but got none; fill it in")
    window.dataset.catalog.patience = PATIENCE
    with (
        at_work(window.dataset, PATIENCE),
        one_at_a_time(window.dataset, PATIENCE),
        mongo_errors(window.uri),
    ):
        chosen = selected(window, sample_ids)
        said = read_back(window, who, only=list(chosen.rows))
        yield chosen.without({garment: UNREAD for garment, _ in said.unknown}), str(said)


def _unjudge(window: "Window", relabelled: Sequence[str]) -> None:
    """What was found out about labels that are others now."""
    measures.forget_suspicion(window, relabelled)
    evaluate.mark(window, relabelled)


def _known(standing: Standing, garments: Sequence[str]) -> Facts:
    rows: list[Row] = standing.dataset.catalog.rows(
        "garments", ["photo_id"], one_of("garment_id", garments)
    ).to_pylist()
    photos = sorted({row["photo_id"] for row in rows})
    return facts(standing, garments, origins_of(standing.dataset, photos))


def _unfit(
    standing: Standing, garments: Sequence[str], asked: Attribute, answer: Answer
) -> Mapping[str, str]:
    """Garments whose parent value (the category of a sub-category) is another than the answer's."""
    found: dict[str, str] = {}
    above = {asked.value(value).parent for value in answer - {NOT_VISIBLE}}
    for start in range(0, len(garments), CHUNK):
        part = garments[start : start + CHUNK]
        known = _known(standing, part)
        for name in part:
            held = holds(known, name, asked.parent or "")
            if held is None or not above <= set(held[0]):
                now = label_of(held[0]) if held else "not known yet"
                found[name] = (
                    f"whose {asked.parent} is {now}, which {label_of(sorted(answer))} does not "
                    "belong to"
                )
    return found


def _not_asked(window: "Window", chosen: Selected, attribute: str) -> Mapping[str, str]:
    """Garments of regions about which this is not asked."""
    taxonomy = window.dataset.taxonomy
    regions = {row.region for row in chosen.rows.values()}
    not_asked = {region for region in regions if attribute not in taxonomy.asked(region)}
    return {
        name: f"of the region {row.region}, about which {attribute} is not asked"
        for name, row in chosen.rows.items()
        if row.region in not_asked
    }


def _notes(standing: Standing, known: Facts, asked: Attribute, answer: Answer) -> Iterator[str]:
    """What does not hold though it was said, and what no longer fits it."""
    names = [row.garment_id for row in known.rows]
    now = {name: holds(known, name, asked.id) for name in names}
    other = sum(held is None or set(held[0]) != answer for held in now.values())
    if other:
        yield f"{other} were adjudicated: that verdict holds, and your word is kept beside it"
    for child in standing.taxonomy.attributes:
        if child.parent == asked.id and (wrong := sum(_misfits(known, n, child) for n in names)):
            yield f"{wrong} have a {child.title.lower()} that is of another {asked.title.lower()}"


def _misfits(known: Facts, garment: str, child: Attribute) -> bool:
    """Whether the value that holds stands under another one than that which holds above it."""
    held, above = holds(known, garment, child.id), holds(known, garment, child.parent or "")
    values = set(held[0]) & set(child.ids) if held else set()
    return any(child.value(value).parent not in (above[0] if above else ()) for value in values)
