"""Two pictures shown as one, with a share of what is true of each."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from finetune.mixing import shown_as_one


def mixed(batch: Mapping[str, Tensor], rng: np.random.Generator) -> dict[str, Tensor]:
    """The batch with two pictures in each.

    `batch` is one of `Shown`. Values count by their shares; known is what is known of both, allowed
    what either allows.
    """
    shown, other, share = shown_as_one(batch["pixels"], rng)
    values = batch["values"]
    return {
        **batch,
        "pixels": shown,
        "values": values.lerp(values[other], 1 - share),
        "known": batch["known"] & batch["known"][other],
        "allowed": batch["allowed"] | batch["allowed"][other],
    }
