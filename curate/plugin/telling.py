"""What operators say to the curator, as plain text and as Markdown."""

from collections.abc import Sequence

from curate.fiftyone.bulk import Done
from curate.fiftyone.history import Event, History, Now, decided

MOST = 8
"""Reasons that are told one by one."""


def summary(what: str, done: Done) -> str:
    """One line about what was done to a selection."""
    count = len(done.garments)
    told = f"{what}: {crops(count)}"
    if done.same:
        told += f" ({done.same:,} of them already)" if done.same < count else " (already so)"
    if skipped := done.skipped.total():
        told += f"; {skipped:,} skipped"
    return told


def details(what: str, done: Done) -> str:
    """All that is to be known beyond the number, as Markdown; "" where there is nothing."""
    reasons = done.skipped.most_common()
    lines = [f"- **{count:,} skipped**: {reason}" for reason, count in reasons[:MOST]]
    if rest := sum(count for _, count in reasons[MOST:]):
        lines.append(f"- **{rest:,} skipped** for {len(reasons) - MOST} more reasons")
    lines += [f"- {note}" for note in done.notes]
    if done.heard:
        lines.append(f"- before that, what you had done at these crops was read: {done.heard}")
    return "\n".join([f"**{summary(what, done)}**", "", *lines]) if lines else ""


def crops(count: int) -> str:
    """So many crops."""
    return f"{count:,} crop" if count == 1 else f"{count:,} crops"


def explained(found: History) -> str:
    """The history of a garment as Markdown."""
    garment = found.garment
    about = [garment.region, str(garment.state), *decided(garment), *garment.flags]
    parts = [f"**Garment `{garment.garment_id}`**: {', '.join(dict.fromkeys(about))}", ""]
    parts += ["**What holds now, and why**", ""]
    parts += _table(("", "holds", "because", "proposed"), [_row(now) for now in found.holds])
    parts += ["", "**What happened, the newest first**", ""]
    if not found.events:
        return "\n".join([*parts, "Nobody has said or decided anything yet."])
    events = [_event(event) for event in reversed(found.events)]
    return "\n".join([*parts, *_table(("when (UTC)", "who", "what"), events)])


def _row(now: Now) -> tuple[str, ...]:
    label = f"**{_plain(now.label)}**" if now.label else "nothing yet"
    return now.attribute, label, _plain(now.why), "; ".join(map(_plain, now.proposed))


def _event(event: Event) -> tuple[str, ...]:
    what = f"~~{_plain(event.what)}~~ (taken back)" if event.undone else _plain(event.what)
    return f"{event.at:%Y-%m-%d %H:%M}", _plain(event.who) or "garmentloop", what


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _plain(text: str) -> str:
    """Text of people, which must not be taken for Markdown."""
    text = " ".join(text.split())
    for sign in "\\`*_{}[]<>|~#":
        text = text.replace(sign, f"\\{sign}")
    return text
