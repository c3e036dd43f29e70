"""What a training of the tagger is asked to do, and what it tells about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from annotate.preparation import Background
from garments.errors import BadSetting

Mode = Literal["probe", "lora", "full"]
Imbalance = Literal["none", "adjust", "weight"]
Plan = Literal["cosine", "plateau"]
Seen = Literal["stages", "pooled"]


@dataclass(frozen=True)
class Recipe:
    """How the tagger learns; all of it goes into the model's card.

    `backbone` is a model reference, `side` another input size in pixels than its own. `mode`:
    `probe` fits the heads on features of the backbone as it is, `lora` also low-rank changes of its
    weights (Hu, 2106.09685), `full` all weights. A probe is fitted to what all `stages` of a
    convolutional backbone see, or to its `pooled` features alone; with `words` it begins with what
    the backbone says zero-shot. With `heads_first` the other modes begin with a probe's heads
    (Kumar, 2202.10054). With `mirror` the tagger looks at a crop and at its mirror image, which
    takes twice as long and is right more often. `imbalance`: `adjust` learns logits above the log
    prior (Menon, 2007.07314), `weight` counts a value by the root of its rarity. `soft` learns from
    the shares of annotators' answers instead of from the answer that holds. `plan` is how the rate
    falls: by a cosine, or by a third whenever the held-out loss stops falling. `patience` is after
    how many epochs without progress training stops. `average` is the decay of the moving average of
    weights that is kept. `mix` is the share of batches in which two pictures are shown as one,
    `drop_path` that of the last block's inputs that skip it (stochastic depth, Huang, 1603.09382).
    `minutes` ends a training sooner.
    """

    backbone: str = "starter"
    mode: Mode = "probe"
    side: int | None = None
    features: Seen = "stages"
    words: bool = True
    heads_first: bool = True
    from_scratch: bool = False
    mirror: bool = True
    background: Background = "grey"
    imbalance: Imbalance = "none"
    soft: bool = False
    smoothing: float = 0.05
    epochs: int = 30
    minutes: float | None = None
    batch: int = 64
    rate: float | None = None
    weight_decay: float = 0.05
    dropout: float = 0.2
    plan: Plan = "cosine"
    patience: int = 8
    average: float = 0.998
    mix: float = 0.5
    drop_path: float = 0.0
    rank: int = 8
    seed: int = 0
    threads: int = 2

    def __post_init__(self) -> None:
        choices = (("mode", Mode), ("imbalance", Imbalance), ("plan", Plan), ("features", Seen))
        for name, known in choices:
            if getattr(self, name) not in get_args(known):
                raise BadSetting(
                    f"expected {name} to be one of {', '.join(get_args(known))}, but got "
                    f"{getattr(self, name)!r}"
                )
        bad = [
            n for n in ("epochs", "batch", "threads", "rank", "patience") if getattr(self, n) < 1
        ]
        bad += [] if self.side is None or self.side >= 32 else ["side"]
        bad += [] if self.minutes is None or self.minutes > 0 else ["minutes"]
        bad += [] if self.rate is None or self.rate > 0 else ["rate"]
        bad += [] if 0 <= self.mix <= 1 else ["mix"]
        bad += [
            n
            for n in ("smoothing", "dropout", "average", "drop_path")
            if not 0 <= getattr(self, n) < 1
        ]
        if bad:
            values = ", ".join(f"{name}={getattr(self, name)}" for name in bad)
            raise BadSetting(
                f"expected sizes of at least 1, a side of at least 32 and shares below 1, but got "
                f"{values}"
            )

    @property
    def begins_with_heads(self) -> bool:
        """Whether heads are fitted to the backbone as it is, before anything else or at all."""
        return self.mode == "probe" or (self.heads_first and not self.from_scratch)

    @property
    def first_rate(self) -> float:
        """The rate that training begins with: as asked, else what suits the mode."""
        return self.rate or {"probe": 1.0, "lora": 1e-3, "full": 1.5e-3}[self.mode]


@dataclass(frozen=True)
class TaggerOptions:
    """What is trained on what.

    `release` of the data set; `name` of the model, None for the next free v1, v2, ...;
    `attributes` to learn, None for all that have labels. `device` is auto, cpu, cuda or cuda:N.
    """

    release: str
    name: str | None = None
    attributes: tuple[str, ...] | None = None
    recipe: Recipe = field(default_factory=Recipe)
    device: str = "auto"


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training is: `what` is being done, how much of it.

    `metrics` are of the held-out part. The last one has the `folder` and `reference` of the model.
    """

    what: str
    done: int = 0
    total: int = 0
    minutes: float = 0.0
    loss: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    folder: Path | None = None
    reference: str = ""
