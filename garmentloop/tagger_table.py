"""What taggers reach, as the command line prints it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from garmentloop.console import out, table

if TYPE_CHECKING:
    from finetune.evaluate.figures import Figure
    from finetune.evaluate.run import Evaluation

OWN = {
    "n": "labels",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "p1": "P@1",
    "ece": "ECE",
}
BESIDE = {
    "weighted_f1": "weighted F1",
    "majority_weighted_f1": "majority",
    "knn_weighted_f1": "5-NN",
    "rule_weighted_f1": "rule:color",
    "coverage": "coverage",
    "precision_at_threshold": "precision",
}
"""Figures of a tagger's columns as they are titled in two tables."""

COLUMNS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "precision_at_1": "P@1",
    "precision_at_3": "P@3",
    "ece": "ECE",
    "coverage": "coverage",
    "precision": "precision",
}
SPREAD = ("accuracy", "macro_f1", "ece")
"""Figures that are printed with their interval; the page and the JSON have all of them."""


def print_evaluation(found: "Evaluation") -> None:
    """A table for each attribute, a row for each tagger, and what to beware of."""
    held_out = found.held_out
    out.print(
        f"Release {held_out.name} ({held_out.hash[:12]}): {len(held_out):,} test garments; "
        "95 % intervals in brackets",
        markup=False,
    )
    for name, by_key in found.scored.items():
        rows = [
            (
                _who(found, name, keys),
                *(_cell(figure, by_key[keys[0]].figures[figure]) for figure in COLUMNS),
            )
            for keys in found.alike(name)
        ]
        count = len(next(iter(by_key.values())))
        out.print()
        table((f"{name}, {count:,} labels", *COLUMNS.values()), rows)
    if held_out.other_values:
        out.print(
            f"\nNot scored, for their values were others when it was frozen: "
            f"{', '.join(held_out.other_values)}",
            markup=False,
        )
    for model, why in found.leaks.items():
        out.print(f"\nThe figures of {model} mean nothing: {why}.", style="red", markup=False)


def _who(found: "Evaluation", attribute: str, keys: Sequence[str]) -> str:
    model = found.contenders[keys[0]].model(attribute)
    roles = ", ".join(dict.fromkeys(found.contenders[key].title for key in keys))
    return roles if roles == model else f"{roles}: {model}"


def _cell(name: str, figure: "Figure") -> str:
    if figure.value != figure.value:
        return "none"
    spread = f" ({figure.low:.2f}-{figure.high:.2f})" if name in SPREAD else ""
    return f"{figure.value:.3f}{spread}"


def print_columns(figures: Mapping[str, float | int], title: str) -> None:
    """A row for each column in two tables, and how far its calibration error is known."""
    columns = [key.removesuffix("_n") for key in figures if key.endswith("_n")]
    _print_some(OWN, columns, figures, f"{title}: {figures['items']:,} garments")
    _print_some(BESIDE, columns, figures, "Weighted F1 beside others', and what is answered")
    for name in columns:
        if f"{name}_ece_low" in figures:
            low, high = figures[f"{name}_ece_low"], figures[f"{name}_ece_high"]
            out.print(
                f"ECE of {name} is known from {figures[f'{name}_n']} labels only: 95 % interval "
                f"{low:.3f} to {high:.3f}",
                markup=False,
            )


def _print_some(
    titles: Mapping[str, str],
    columns: Sequence[str],
    figures: Mapping[str, float | int],
    title: str,
) -> None:
    there = {k: v for k, v in titles.items() if any(f"{name}_{k}" in figures for name in columns)}
    rows = [(name, *(figures.get(f"{name}_{key}") for key in there)) for name in columns]
    table(("column", *there.values()), rows, title=title)
