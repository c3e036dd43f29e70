"""The ledger of annotation on a terminal."""

from typing import TYPE_CHECKING

from garmentloop.console import out, table

if TYPE_CHECKING:
    from annotate.studio.outcomes import Ledger, Tally
    from annotate.studio.report.figures import Anchoring
    from annotate.studio.team import Team


def print_ledger(ledger: "Ledger", team: "Team | None" = None) -> None:
    """Print what became of proposals by attribute and tagger version, and how long it took.

    With a `team` also how far people agree, how well they answer, and what was adjudicated.
    """
    from annotate.studio.outcomes import Outcome
    from annotate.studio.report.figures import anchoring, versions

    if not ledger.visits:
        out.print("Nobody has answered yet, or nothing was pulled: `garmentloop annotate pull`.")
        return
    kinds = [outcome for outcome in Outcome if outcome is not Outcome.OPEN]
    rows = [
        (version.attribute, version.name, *(tally.counts[kind] for kind in kinds), _rate(tally))
        for version, tally in versions(ledger)
    ]
    if rows:
        table(["attribute", "tagger", *kinds, "edited"], rows, "Pre-filled")
    blind = [
        (one.attribute, one.blind.shown, _rate(one.blind), f"{one.alike} of {one.pairs}")
        for one in anchoring(ledger)
        if one.blind and one.blind.shown
    ]
    if blind:
        header = ["attribute", "not shown", "would be edited", "two people alike"]
        table(header, blind, "\nBlind")
    _print_anchoring(ledger)
    if team:
        _print_team(team)
    _print_times(ledger)


def _print_anchoring(ledger: "Ledger") -> None:
    """How much more often people differ from the tagger where they do not see its answer."""
    from annotate.studio.report.figures import anchoring

    rows = [
        (one.attribute, _rate(one.filled), _rate(one.blind), f"{one.gap:+.1%}", _span(one))
        for one in anchoring(ledger)
        if one.compared and one.filled and one.blind
    ]
    if rows:
        header = ["attribute", "edited pre-filled", "edited blind", "gap", "95 %"]
        table(header, rows, "\nHow far a pre-fill leads people")


def _print_team(team: "Team") -> None:
    agreed = [
        (
            one.attribute,
            "blind" if one.blind else "pre-filled",
            one.overall.garments,
            f"{one.overall.alike:.1%}",
            _within(one.cohen.value, one.cohen.interval) if one.cohen else "",
            _within(one.fleiss.value, one.fleiss.interval) if one.fleiss else "",
            _within(one.overall.alpha, one.overall.alpha_interval),
        )
        for one in team.agreements
    ]
    if agreed:
        header = ["attribute", "form", "garments", "alike", "Cohen", "Fleiss", "alpha"]
        table(header, agreed, "\nAgreement of annotators (in brackets 95 % intervals)")
    gold = [
        (one.annotator, one.attribute, one.answers, f"{one.accuracy:.1%}", _percents(one.interval))
        for one in team.scores
    ]
    if gold:
        table(["annotator", "attribute", "answers", "right", "95 %"], gold, "\nAgainst gold")
    _print_adjudication(team)


def _print_adjudication(team: "Team") -> None:
    verdicts = [
        (one.attribute, one.count, one.kept, one.changed, one.settled, one.own)
        for one in team.adjudication.verdicts
    ]
    if verdicts:
        header = ["attribute", "verdicts", "kept what held", "changed it", "settled it", "own"]
        table(header, verdicts, "\nAdjudicated")
    if team.disputes:
        open_ = ", ".join(f"{name} {count}" for name, count in team.disputes.items())
        out.print(f"\nDisputed: {open_}; `garmentloop annotate adjudicate`", markup=False)


def _span(one: "Anchoring") -> str:
    low, high = one.gap_interval
    return f"{low:+.1%} to {high:+.1%}"


def _within(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{value:.2f} ({low:.2f} to {high:.2f})" if value == value else ""


def _percents(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.1%} to {interval[1]:.1%}"


def _print_times(ledger: "Ledger") -> None:
    from annotate.studio.report.figures import Times, saving

    filled, blind = (Times(tuple(ledger.seconds(of_blind))) for of_blind in (False, True))
    parts = [
        f"{times.median:.1f} s {words} (median of {times.count:,})"
        for words, times in (("pre-filled", filled), ("blind", blind))
        if times.count
    ]
    if parts:
        out.print(f"\nA garment took {', '.join(parts)}", markup=False)
    if saved := saving(filled.values, blind.values):
        out.print(
            f"A pre-fill saves {saved.share:.0%} of the time ({saved.low:.0%} to {saved.high:.0%})",
            markup=False,
        )


def _rate(tally: "Tally") -> str:
    return f"{tally.rate:.1%}" if tally.shown else ""
