"""What one annotation in Label Studio says, and what of it cannot be taken as it is.

Drafts and predictions say nothing. What was answered under a vocabulary that was migrated since
counts in its own words, which the migration then brings to those of now. What was answered under
any other vocabulary counts as far as its values still exist; everything else is set aside with its
reason, never dropped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from annotate.studio.answers import FormAnswers, Values, read
from annotate.studio.controls import VERDICT, Control
from annotate.studio.vocabularies import Vocabulary
from garments.answers import NOT_VISIBLE, value_of
from garments.errors import BadInput
from garments.taxonomy import Attribute, Taxonomy

Raw = Mapping[str, Any]

BAD_CROP_KIND, NOTE_KIND = "bad_crop", "note"
"""Kinds of decisions."""

UNSEEN = (
    "the server made it from a prediction (Create Annotations From Predictions), nobody looked at "
    "it; submit the task in the form to make it count"
)


@dataclass(frozen=True)
class Aside:
    """Part of an annotation that was not taken, with the reason."""

    what: Any
    reason: str


@dataclass(frozen=True)
class Heard:
    """One annotation: who said when what, by attribute as stored, and decisions by kind.

    `number` is Label Studio's id, `stamp` its updated_at as written there. `seconds` is how long
    it took, None where that is not known. `vocabulary` has the hash of the values on offer where
    an attribute was not answered in the words of its task, but of another taxonomy.
    """

    number: int
    who: str
    stamp: str
    seconds: float | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, str] = field(default_factory=dict)
    aside: tuple[Aside, ...] = ()
    vocabulary: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """When it was last changed, UTC by the server's clock."""
        return moment(self.stamp)

    def key(self, task: int) -> str:
        """What rows of the catalogue call it."""
        return f"{task}/{self.number}"


def hear(
    raw: Raw,
    who: str,
    asked: Sequence[Control],
    taxonomy: Taxonomy,
    migrated: Sequence[Vocabulary] = (),
) -> Heard:
    """Read an annotation that was not cancelled: what `asked` says of the values of `taxonomy`.

    What is none of these, but was before a migration (`migrated`, the newest first), or is since
    one, is taken in the words in which it was said.
    """
    seconds = raw.get("lead_time")
    said = {
        "number": int(raw["id"]),
        "who": who,
        "stamp": raw["updated_at"],
        "seconds": None if seconds is None else float(seconds),
    }
    if raw.get("parent_prediction") and seconds is None:
        return Heard(**said, aside=(Aside(raw.get("result"), UNSEEN),))
    sound, aside = _sound(raw.get("result") or [])
    answers = _read(asked, sound, migrated)
    if answers.verdict == "bad_crop":
        aside += [_unknown(*pair) for pair in answers.unknown if pair[0] == VERDICT]
        values, under = dict[str, str](), dict[str, str]()
    else:
        aside += [_unknown(*pair) for pair in answers.unknown]
        rescued = _rescued(asked, answers.unknown)
        values, under, lost = _in_force({**rescued, **answers.values}, asked, taxonomy, migrated)
        aside += lost
    decisions = {BAD_CROP_KIND: answers.bad_crop_reason, NOTE_KIND: answers.note}
    held = {kind: text for kind, text in decisions.items() if text}
    return Heard(**said, values=values, decisions=held, aside=tuple(aside), vocabulary=under)


def author(raw: Raw) -> int | None:
    """Id of the user whose annotation it is."""
    found = raw.get("completed_by")
    return found.get("id") if isinstance(found, Mapping) else found


def moment(text: str) -> datetime:
    """A time as the server writes it, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _sound(result: Sequence[Any]) -> tuple[list[Raw], list[Aside]]:
    """Entries that a form of ours can have made, and the others."""
    sound, aside = [], []
    for entry in result:
        try:
            read((), [entry], tolerant=True)
            if not {"choices", "text"} & set(entry["value"]):
                raise BadInput("expected choices or a text, but it is something else")
            sound.append(entry)
        except BadInput as error:
            aside.append(Aside(entry, str(error)))
    return sound, aside


def _unknown(name: str, choice: str) -> Aside:
    return Aside([name, choice], f"{choice!r} is no choice of {name} any more")


def _rescued(asked: Sequence[Control], unknown: Sequence[tuple[str, str]]) -> Values:
    """Of a choice that names a value under another, the upper one where only that is left."""
    found: Values = {}
    for name, choice in unknown:
        for control in asked:
            upper = choice.rpartition("/")[0]
            if control.name == name and not control.multiple and upper in control.by_id:
                found |= {key: (value,) for key, value in control.by_id[upper].says.items()}
    return found


def _read(
    asked: Sequence[Control], sound: Sequence[Raw], migrated: Sequence[Vocabulary]
) -> FormAnswers:
    """What a form says; each field is read by the first form that has its choices.

    Somebody may have had an older form open than the task's, or answer an older task by a new one.
    """
    if not migrated:
        return read(asked, sound, tolerant=True)
    groups: dict[int, list[Raw]] = {0: []}
    books = [Vocabulary(tuple(asked), {}), *migrated]
    for entry in sound:
        name, choices = entry["from_name"], entry["value"].get("choices")
        fits = (at for at, book in enumerate(books) if choices and book.offers(name, choices))
        groups.setdefault(next(fits, 0), []).append(entry)
    first, *others = (
        read(books[at].asked, entries, tolerant=True) for at, entries in sorted(groups.items())
    )
    values = dict(first.values)
    for other in others:
        values |= other.values
    return replace(first, values=values)


def _in_force(
    said: Values, asked: Sequence[Control], taxonomy: Taxonomy, migrated: Sequence[Vocabulary]
) -> tuple[dict[str, str], dict[str, str], list[Aside]]:
    """Values as stored, of those that the taxonomy in force has, or one that was migrated; what
    they have not. Besides the vocabularies of values that the task's own form has not.
    """
    by_name = {attribute.id: attribute for attribute in taxonomy.attributes}
    own = Vocabulary(tuple(asked), {}).attributes
    values, under, aside = {}, {}, []
    for name, value in said.items():
        chosen = (value,) if isinstance(value, str) else value
        kept, reason = _kept(by_name.get(name), chosen)
        book = None
        if migrated and (reason or _kept(own.get(name), chosen)[1]):
            book = next((b for b in migrated if not _kept(b.attributes.get(name), chosen)[1]), None)
        if book:
            kept, reason, under[name] = list(chosen), "", book.hashes[name]
        if kept:
            values[name] = value_of(kept)
        if reason:
            aside.append(Aside({name: list(chosen)}, f"{name}: {reason}"))
    return values, under, aside


def _kept(attribute: Attribute | None, chosen: Sequence[str]) -> tuple[list[str], str]:
    """The values that still hold, and why the others do not."""
    if attribute is None:
        return [], "the taxonomy has no such attribute any more"
    kept = [one for one in chosen if one == NOT_VISIBLE or one in attribute.ids]
    if len(kept) > 1 and not attribute.multiple:
        return [], f"it takes one value by now, and {len(kept)} were chosen"
    lost = [one for one in chosen if one not in kept]
    return kept, f"the taxonomy has no {', '.join(lost)} any more" if lost else ""


def live(raw_task: Raw) -> Iterator[Raw]:
    """Annotations of a task that somebody submitted: no drafts, none that were skipped."""
    return (raw for raw in raw_task.get("annotations") or () if not raw.get("was_cancelled"))
