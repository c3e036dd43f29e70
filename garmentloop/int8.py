"""int8 on trial: the same figures in fp32 and in int8, and whether the loss may be had."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from extract.accelerate.engines import Runner
from extract.accelerate.int8 import quantise
from garments.errors import BadInput, BadSetting

Figures = Mapping[str, Any]

QUALITY = {
    "extract": (
        "parser_pixel_accuracy",
        "parser_miou5",
        "garment_box_iou",
        "garment_found",
        "garment_precision",
    ),
    "people": ("people_ap50", "accepted_precision", "accepted_recall"),
}
"""Figures in [0, 1] of which none may fall by more than the bound."""

TAGGER_QUALITY = ("_accuracy", "_weighted_f1")
"""How the figures of a tagger end that are its own; those of baselines end so too and stay."""


@dataclass(frozen=True)
class Trial:
    """Figures of fp32 and of int8, the largest fall of any that count, and where that was."""

    exact: Figures
    rough: Figures
    loss: float
    worst: str
    accepted: bool

    def rows(self) -> list[tuple[str, Any, Any]]:
        """Each figure with its value in fp32 and in int8."""
        return [(name, value, self.rough[name]) for name, value in self.exact.items()]

    def __str__(self) -> str:
        verdict = (
            "accepted: --precision int8 may be used with these models on this machine"
            if self.accepted
            else "not accepted: the loss is above the bound (--max-loss)"
        )
        return f"{self.worst} falls by {self.loss:.4f}; {verdict}"


def quality(kind: str, figures: Figures) -> list[str]:
    """Names of the figures that count, for extract, people or a tagger."""
    names = QUALITY.get(kind)
    if names is not None:
        return [name for name in names if name in figures]
    return [name for name in figures if name.endswith(TAGGER_QUALITY)]


def try_int8(
    measure: Callable[[], Figures],
    models: Sequence[Any],
    kind: str,
    max_loss: float,
    record: Mapping[str, Any],
) -> Trial:
    """Measure `models` (run by OpenVINO in fp32), quantise them by what they saw, measure again.

    Where no figure that counts falls by more than `max_loss`, int8 is accepted for them, with
    `record` and the figures as the reason.
    """
    runners = [_runner(model) for model in models]
    for runner in runners:
        runner.heard = []
    exact = measure()
    unused = [m.reference for m, r in zip(models, runners, strict=True) if not r.heard]
    if unused:
        raise BadInput(
            f"expected photos that give {', '.join(unused)} something to do, but there was nothing "
            "to quantise by; use more photos"
        )
    made = [quantise(runner) for runner in runners]
    rough = measure()
    falls = {name: float(exact[name]) - float(rough[name]) for name in quality(kind, exact)}
    worst = max(falls, key=lambda name: falls[name])
    trial = Trial(exact, rough, falls[worst], worst, falls[worst] <= max_loss)
    if trial.accepted:
        why = {"max_loss": max_loss, "loss": falls[worst], "fp32": exact, "int8": rough}
        for one in made:
            one.accept({**record, **why})
    return trial


def _runner(model: Any) -> Runner:
    runner = getattr(model, "runner", None)
    if not isinstance(runner, Runner):
        raise BadSetting(
            f"{model.reference} has no network that int8 is made for; choose another precision"
        )
    return runner
