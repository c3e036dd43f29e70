"""Calibration: what turns a tagger's raw logits into confidence that means something."""

from dataclasses import dataclass

from garments.errors import BadInput


@dataclass(frozen=True)
class Calibration:
    """For one attribute of one tagger.

    Exclusive values: softmax(logits / temperature). Several values: sigmoid((logits + bias) /
    temperature), for each value by itself. Below `threshold` (a probability) the tagger abstains.
    `items` is how many labels it was fitted on, 0 for the uncalibrated default.
    """

    temperature: float = 1.0
    bias: float = 0.0
    threshold: float = 0.0
    items: int = 0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise BadInput(f"expected a temperature above 0, but got {self.temperature}")
