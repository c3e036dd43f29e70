"""Model cards for the models that extraction loads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.loop import Schedule, Step, has_bf16
from garments.modelfolder import weights_hash


@dataclass(frozen=True)
class Card:
    """What somebody has to know before using a model, as Markdown by `text`."""

    title: str
    summary: str
    data: Sequence[str]
    recipe: Sequence[str]
    figures: Mapping[str, float]
    figures_note: str
    limits: Sequence[str]

    def text(self) -> str:
        """The card as Markdown with the sections that model hubs expect."""
        rows = [f"| `{name}` | {_number(value)} |" for name, value in self.figures.items()]
        parts = [
            f"# {self.title}",
            self.summary,
            "## Training data",
            _bullets(self.data),
            "## Recipe",
            _bullets(self.recipe),
            "## Figures",
            self.figures_note,
            "\n".join(["| figure | value |", "| --- | --- |", *rows]),
            "## Limits",
            _bullets(self.limits),
        ]
        return "\n\n".join(parts) + "\n"


CCP_LICENCE = (
    "Clothing Co-Parsing (Yang, Luo, Lin, CVPR 2014), train split: 800 photos with pixel labels, "
    "Apache-2.0; the photos were gathered by the authors, whose repository does not state the "
    "photographers' terms"
)
PERSONS_LICENCE = (
    "A subset of COCO 2017, train part: photos under CC BY 2.0, CC BY-SA 2.0 or without known "
    "copyright restrictions, annotations CC BY 4.0"
)
STREET_LICENCE = "The synthetic street of this project, look `train` (`garmentloop street`)"


def started_from(start: Path | None) -> str | None:
    """The hash of the model that a training learns on from, for its checkpoint."""
    return weights_hash(start) if start else None


def recipe_lines(
    what: str, schedule: Schedule, report: Step, went_on: bool = False
) -> tuple[str, ...]:
    """How a model was trained, for its card; `went_on` from an earlier model of the recipe."""
    precision = "bf16" if has_bf16() else "fp32"
    before = f"Learnt on, by `--start`, from weights that `garmentloop finetune {what}` had made"
    return (
        f"`garmentloop finetune {what}`, seed {schedule.seed}",
        f"{report.step} steps of {schedule.batch} in {report.minutes:.0f} minutes on "
        f"{schedule.threads} processor core{'s' if schedule.threads > 1 else ''}",
        f"AdamW, rate {schedule.rate:g} falling by a cosine, weight decay "
        f"{schedule.weight_decay:g}, {precision}, weights averaged with decay {schedule.average:g}",
        *([before] if went_on else []),
    )


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
