"""What was said in an evaluation, as proposals of the catalogue: so FiftyOne shows it too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from annotate.record import Recorder
from finetune.evaluate.hear import Voice
from finetune.evaluate.held_out import HeldOut
from garments.calibrate import record_model_calibrations
from garments.tagger import Tagger, Tags

if TYPE_CHECKING:
    from garments.dataset import Dataset


def propose(
    dataset: "Dataset", held_out: HeldOut, taggers: Sequence[Tagger], voices: Sequence[Voice]
) -> int:
    """Append what the taggers said about the test garments; how many proposals were made.

    A proposal that is there already is not added again.
    """
    recorder = Recorder(dataset.catalog, seconds=float("inf"))
    crops = list(zip(held_out.garment_ids, held_out.crop_shas, strict=True))
    every, made = np.ones(len(held_out), bool), 0
    for tagger, voice in zip(taggers, voices, strict=True):
        record_model_calibrations(dataset, tagger)
        tags = Tags(voice.logits, voice.activations)
        made += recorder.add(tagger, crops, tags, dict.fromkeys(voice.logits, every))
    recorder.close()
    return made
