"""Taggers on the frozen test split of a release, side by side: figures, intervals, a page.

test rows of the release (`held_out`) -> raw logits of every tagger, kept (`hear`) -> answers as
they are read everywhere (`contenders`) -> figures with intervals (`figures`, `resample`) -> page.
"""

from finetune.evaluate.run import evaluate_release

__all__ = ["evaluate_release"]
