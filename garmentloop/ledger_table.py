"""The ledger of annotation on a terminal."""

from typing import TYPE_CHECKING

from garmentloop.console import out, table

if TYPE_CHECKING:
    from annotate.studio.outcomes import Ledger, Tally


def print_ledger(ledger: "Ledger") -> None:
    """Print what became of proposals by attribute and tagger version, and how long it took."""
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
    _print_times(ledger)


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
