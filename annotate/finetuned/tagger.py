"""`garments.tagger.Tagger` over a model folder that `finetune tagger` wrote."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.finetuned.folder import Made, load_net
from annotate.finetuned.layout import answerable
from annotate.finetuned.net import TaggerNet
from annotate.finetuned.picture import inputs
from extract.accelerate.streams import Streams
from garments.calibration import Calibration
from garments.migration.history import History
from garments.modelfolder import weights_hash
from garments.tagger import Crop, TaggerVersion, Tags
from garments.taxonomy import Taxonomy

BATCH = 32
"""Crops that go through the network at once."""


class FineTunedTagger:
    """Answers those attributes of a taxonomy that it was trained for.

    It has no embeddings: those of the image-text model stay the ones that crops are compared by.
    """

    def __init__(
        self,
        net: TaggerNet,
        made: Made,
        taxonomy: Taxonomy,
        reference: str,
        weights_hash: str,
        attributes: Sequence[str] | None = None,
        calibrations: Mapping[str, Calibration] | None = None,
        device: str = "cpu",
        history: History | None = None,
    ) -> None:
        """`attributes` None asks for all that it can; `UnfitModel` where it cannot.

        By `history` it answers in the words that migrations have made of those that it learnt.
        """
        self.reference, self.weights_hash = reference, weights_hash
        self.made = made
        self._layout = made.layout.now(taxonomy, history or History(()))
        self._learnt = {
            now.attribute: head
            for now, head in zip(self._layout.heads, made.layout.heads, strict=True)
        }
        self._maps = answerable(self._layout, taxonomy, attributes, reference)
        self.attributes = tuple(self._maps)
        came = calibrations or {}
        self.calibrations = {
            name: came[head.attribute]
            for name, head in self._learnt.items()
            if name in self._maps and head.attribute in came
        }
        self._taxonomy, self._device = taxonomy, device
        self._net = net.to(device).to(memory_format=torch.channels_last).eval()
        # On a CPU a batch a thread: what is said does not hang on the number of cores.
        self._streams = Streams() if torch.device(device).type == "cpu" else None

    @classmethod
    def load(
        cls,
        folder: Path,
        reference: str,
        taxonomy: Taxonomy,
        attributes: Sequence[str] | None = None,
        device: str = "cpu",
        history: History | None = None,
    ) -> "FineTunedTagger":
        """Load a folder; `ModelError` where it is damaged, `UnfitModel` for another taxonomy."""
        from annotate.taggers import read_calibrations

        net, made = load_net(folder)
        digest, came = weights_hash(folder), read_calibrations(folder)
        return cls(net, made, taxonomy, reference, digest, attributes, came, device, history)

    def version(self, attribute: str) -> TaggerVersion:
        """See `garments.tagger.Tagger`; `prompt_version` tells a vocabulary that was mapped."""
        learnt = self._learnt[attribute]
        how = "mapped" if learnt == self._layout.head(attribute) else "migrated"
        return TaggerVersion(
            model=self.reference,
            weights_hash=self.weights_hash,
            vocabulary_hash=self._taxonomy.vocabulary_hash(attribute),
            prompt_version="" if self._maps[attribute].same else f"{how}-{learnt.vocabulary}",
            crop_preparation=self.made.background,
        )

    def tag(self, crops: Sequence[Crop]) -> Tags:
        """See `garments.tagger.Tagger`; `ModelError` where the weights make no finite numbers."""
        return self._tags(self.logits(crops))

    def tags_of(self, features: NDArray[np.float32]) -> Tags:
        """As `tag`, from what the backbone made of N crops before: (N, width)."""
        with torch.inference_mode():
            made = self._net.logits(torch.from_numpy(features).to(self._device))
        return self._tags(made.float().cpu().numpy())

    def _tags(self, logits: NDArray[np.float32]) -> Tags:
        places = self._layout.slices()
        found = {name: one.apply(logits[:, places[name]]) for name, one in self._maps.items()}
        kinds = {name: self._layout.head(name).activation for name in self._maps}
        return Tags(found, kinds)

    def logits(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        """(N, all logits) in the order of the model's own layout."""
        batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
        each = self._streams.map if self._streams else map
        made = [np.zeros((0, self.made.layout.size), np.float32), *each(self._of_batch, batches)]
        return np.concatenate(made)

    def _of_batch(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        pixels = torch.from_numpy(inputs(crops, self.made.background, self.made.backbone.side))
        with torch.inference_mode():
            return np.asarray(self._net(pixels.to(self._device)).float().cpu().numpy())
