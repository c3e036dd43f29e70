"""A training in a process of its own, which a test may kill.

`python training_run.py DATA OUT [SECONDS]` trains a tiny network on DATA into OUT, with a pause
after each step so that there is time to be killed.
"""

import sys
import time
from pathlib import Path

from finetune.tagger.options import Recipe
from finetune.tagger.train import finetune_folder

RECIPE = Recipe(
    backbone="timm:test_resnet",
    from_scratch=True,
    mode="full",
    side=32,
    epochs=6,
    batch=8,
    dropout=0.1,
    average=0.9,
    threads=1,
)


def train(data: Path, out: Path, pause: float = 0.0, recipe: Recipe = RECIPE) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for event in finetune_folder(data, out, recipe=recipe):
        metrics = dict(event.metrics)
        time.sleep(pause)
    return metrics


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if sys.argv[3:] else 0.0)
