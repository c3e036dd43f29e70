"""Where the loop stands, in words: what a round brought, and what is to be done next."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from garmentloop.loop import ORDER
from garments.rounds import Round

if TYPE_CHECKING:
    from garments.status import Status

ALL = "all"
"""All attributes together, as in `garmentloop.loop.edit_rate`, which takes longer to import."""

MEASURED = {"before": "measure", "after": "report"}
"""Steps that keep the edit rate with the taggers in force before a round, and after it."""

ROUND_COLUMNS = ("round", "labelled", "edit rate before", "after", "promoted")


def next_step(done: Collection[str]) -> str:
    """The step of a round that comes after those that are done."""
    return next((name for name in ORDER if name not in done), ORDER[-1])


def round_rows(known: Sequence[Round]) -> Iterator[tuple[str, int, str, str, str]]:
    """Lines of a table of rounds, as `ROUND_COLUMNS` names them."""
    rates = edit_rates_by_round(known)
    for one in known:
        promoted = ", ".join(one.of("promote").get("promoted") or {})
        ended = "none" if "promote" in one.done else ""
        before, after = (rate_text(rates[one.name][when].get(ALL) or {}) for when in MEASURED)
        yield one.name, labels_of(one), before, after, promoted or ended


def labels_of(round_: Round) -> int:
    """Garments that people had labelled when the round took its answers in, 0 before."""
    return int(round_.of("pull").get("garments") or 0)


def rate_of(round_: Round, when: str, attribute: str = ALL) -> Mapping[str, Any]:
    """An edit rate `before` the round or `after` it, as it was measured then."""
    found: Mapping[str, Any] = (round_.of(MEASURED[when]).get("all_answers") or {}).get(
        attribute
    ) or {}
    return found


def rate_text(found: Mapping[str, Any]) -> str:
    """An edit rate as people read it, blank without answers."""
    if found.get("rate") is None:
        return ""
    return f"{found['rate']:.1%} ({found['low']:.0%} to {found['high']:.0%})"


def verdict_text(round_: Round) -> str:
    """What was promoted and refused in the round, and why, as one sentence; blank before."""
    found = round_.of("promote")
    promoted = ", ".join(found.get("promoted") or {})
    refused = "; ".join(f"{name}: {why}" for name, why in (found.get("refused") or {}).items())
    parts = [f"promoted for {promoted}" if promoted else "", f"refused for {refused}"]
    return "; ".join(part for part in parts if part and part != "refused for ")


def next_thing(status: "Status") -> str:
    """One sentence with the command that brings the data set on."""
    where = f"--dataset {status.folder}"
    if status.taking_down:
        return f"Finish the takedown that was stopped: garmentloop takedown {where}"
    if not sum(status.garments.values()):
        return f"Cut garments out of photos: garmentloop extract PHOTOS {where} --prelabel"
    if status.loop.current:
        if next_step(status.loop.done) == "wait" and status.loop.waiting:
            return (
                f"Answer the {status.loop.waiting:,} tasks that wait "
                f"(garmentloop annotate open {where}), then: garmentloop loop {where}"
            )
        return f"Go on with {status.loop.current}: garmentloop loop {where}"
    if status.loop.rounds:
        return f"Begin the next round: garmentloop loop {where}"
    if not status.proposals:
        return f"Propose labels: garmentloop prelabel {where}"
    return f"Begin the first round: garmentloop loop {where}"


def edit_rates_by_round(known: Sequence[Round]) -> dict[str, dict[str, Any]]:
    """By round its edit rates before and after by attribute, on all answers of the newest report.

    So they can be compared: rounds that ended before it were measured again then.
    """
    reports = [one.of("report") for one in known if "report" in one.done]
    again = reports[-1].get("history") or {} if reports else {}
    return {
        one.name: {
            when: again.get(one.name, {}).get(when) or one.of(step).get("all_answers") or {}
            for when, step in MEASURED.items()
        }
        for one in known
    }


def step_text(step: str, details: Mapping[str, Any]) -> str:
    """What a step did, in words."""
    return _TEXTS[step](details) if step in _TEXTS else ""


def _parts_text(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def _rate_line(found: Mapping[str, Any]) -> str:
    rates = found.get("all_answers") or {}
    if not rates:
        return "no blind answers yet"
    return "edit rate " + "; ".join(f"{name} {_rate_words(rates[name])}" for name in rates)


def _rate_words(rate: Mapping[str, Any]) -> str:
    """An edit rate, and that of the answers about which something was proposed."""
    text = rate_text(rate)
    if rate.get("empty") and rate.get("shown_rate") is not None:
        text += f", {rate['shown_rate']:.1%} of what was proposed"
    return text


def _promoted_text(found: Mapping[str, Any]) -> str:
    return verdict_text(Round("", done={"promote": found})) or "nothing to judge"


_TEXTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "propose": lambda found: f"{found['proposals']:,} proposals made",
    "select": lambda found: f"{found['garments']:,} garments chosen ({found['strategy']})",
    "push": lambda found: f"{found['tasks']:,} tasks sent, {found['blind']:,} of them blind",
    "wait": lambda found: f"{found['total'] - found['waiting']:,} of {found['total']:,} answered",
    "pull": lambda found: (
        f"{found['garments']:,} garments labelled: {_parts_text(found['labels'])}"
    ),
    "measure": _rate_line,
    "sync": lambda found: found.get("skipped") or f"{found.get('garments', 0):,} garments written",
    "split": lambda found: f"{found['version']}: {_parts_text(found['garments'])}",
    "release": lambda found: (
        f"{found['name']} ({found['hash'][:12]}): " + _parts_text(found["splits"])
    ),
    "finetune": lambda found: f"{found['model']} ({found['mode']} on {found['backbone']})",
    "evaluate": lambda found: (
        f"{found['items']:,} test garments, attributes " + (", ".join(found["figures"]) or "none")
    ),
    "promote": _promoted_text,
    "prelabel": lambda found: f"{found['proposals']:,} proposals made",
    "refresh": lambda found: f"{found['updated']:,} tasks that nobody touched were updated",
    "report": _rate_line,
}
"""What is told of each step's record."""
