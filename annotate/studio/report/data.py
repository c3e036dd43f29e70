"""The report's figures as JSON, for whoever goes on to compute with them."""

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from annotate.studio.agreement import AttributeAgreement
from annotate.studio.outcomes import Ledger, Tally
from annotate.studio.report import figures
from annotate.studio.team import Team

if TYPE_CHECKING:
    from garments.agreement import Kappa
    from garments.dataset import Dataset


def as_data(dataset: "Dataset", ledger: Ledger, team: Team) -> dict[str, Any]:
    """All figures of the page; what is not known is null, intervals are [low, high] of 95 %."""
    return {
        "dataset": dataset.settings.name,
        "simulated": dataset.settings.simulated,
        "proposals": [
            {"attribute": version.attribute, "tagger": version.tagger, "model": version.model}
            | {str(outcome): count for outcome, count in sorted(tally.counts.items())}
            | {"edit_rate": _rate(tally)}
            for version, tally in figures.versions(ledger)
        ],
        "anchoring": [
            {
                "attribute": one.attribute,
                "pre_filled": _rate(one.filled),
                "blind": _rate(one.blind),
                "gap": _with(one.gap, one.gap_interval),
            }
            for one in figures.anchoring(ledger)
        ],
        "agreement": [_agreement(one) for one in team.agreements],
        "gold": [
            {**vars(one), "accuracy": _with(one.accuracy, one.interval)} for one in team.scores
        ],
        "disputes": dict(team.disputes),
        "adjudication": {
            "verdicts": [vars(one) | {"count": one.count} for one in team.adjudication.verdicts],
            "annotators": [
                {**vars(one), "share": _with(one.right / one.answers, one.interval)}
                for one in team.adjudication.sided
            ],
        },
    }


def _agreement(one: AttributeAgreement) -> dict[str, Any]:
    overall = one.overall
    return {
        "attribute": one.attribute,
        "blind": one.blind,
        "garments": overall.garments,
        "alike": _with(overall.alike, overall.alike_interval),
        "alpha": _with(overall.alpha, overall.alpha_interval),
        "fleiss": _kappa(one.fleiss),
        "cohen": {
            "mean": _kappa(one.cohen),
            "pairs": [{"annotators": pair.people, **_kappa(pair.kappa)} for pair in one.pairs],
        },
        "differences": [
            {"answers": [sorted(answer) for answer in d.answers], "count": d.count, "said": d.said}
            for d in one.differences
        ],
    }


def _kappa(kappa: "Kappa | None") -> dict[str, Any]:
    if kappa is None:
        return {}
    found = _with(kappa.value, kappa.interval)
    return {"people": kappa.people, "garments": kappa.garments, **found}


def _rate(tally: Tally | None) -> dict[str, Any] | None:
    if tally is None or not tally.shown:
        return None
    return {"shown": tally.shown, "edited": tally.edited} | _with(tally.rate, tally.interval)


def _with(value: float, interval: Sequence[float]) -> dict[str, Any]:
    return {"value": _known(value), "interval": [_known(end) for end in interval]}


def _known(value: float) -> float | None:
    return None if isnan(value) else round(value, 6)
