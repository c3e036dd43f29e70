"""The starter parser: a small U-Net over person crops, 8 parts."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from extract.accelerate.compute import Compute
from extract.accelerate.engines import Inputs, Runner, Work, noise
from extract.accelerate.normalised import FromPixels
from extract.base import CROP_SIZE
from extract.letterbox import PADDING
from extract.starter.blocks import WIDTHS, Encoder, Fuse, fold_batch_norms, load_weights
from garments.errors import UnfitModel
from garments.modelfolder import read_config, weights_hash
from garments.parts import PARTS

STRIDE = 32


class ParserNet(nn.Module):
    """U-Net (Ronneberger et al., 2015) on the narrow ResNet, with logits at stride 2."""

    def __init__(
        self, parts: int = len(PARTS), decoder: tuple[int, ...] = (128, 80, 56, 32)
    ) -> None:
        """`parts` output channels; `decoder` channels at strides 16, 8, 4 and 2."""
        super().__init__()
        self.encoder = Encoder()
        coarse = (WIDTHS[-1], *decoder[:-1])
        fine = WIDTHS[-2::-1]
        self.fuses = nn.ModuleList(
            Fuse(c, f, o) for c, f, o in zip(coarse, fine, decoder, strict=True)
        )
        self.head = nn.Conv2d(decoder[-1], parts, 1)

    def features(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 255], multiples of 32 -> (N, decoder[-1], H / 2, W / 2)."""
        features = self.encoder(pixels)
        x: Tensor = features[-1]
        for fuse, fine in zip(self.fuses, features[-2::-1], strict=True):
            x = fuse(x, fine)
        return x

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 255], multiples of 32 -> logits (N, parts, H / 2, W / 2)."""
        return self.head(self.features(pixels))  # type: ignore[no-any-return]


class StarterParser:
    """`Parser` over `ParserNet`; only the columns that hold photo are computed."""

    def __init__(
        self,
        net: nn.Module,
        reference: str,
        fingerprint: str,
        compute: Compute | None = None,
        side: int = CROP_SIZE,
    ) -> None:
        """Wrap a net in eval mode; see `load` for the usual way. 32 divides `side`."""
        self.reference = reference
        compute = (compute or Compute()).for_starter()
        self.fingerprint = compute.identity(fingerprint)
        self.side = side
        self.runner = Runner(
            Work(FromPixels(_Mirrored(net)), self._examples, name=reference), compute
        )

    @classmethod
    def load(
        cls, folder: Path, compute: Compute | None = None, reference: str = "starter"
    ) -> "StarterParser":
        """Read `model.safetensors` and `config.json` of a folder that `finetune parser` wrote."""
        config = read_config(folder)
        if tuple(config.settings.get("parts", ())) != PARTS:
            raise UnfitModel(
                f"expected a parser of the parts {', '.join(PARTS)}, but {folder} is a "
                f"{config.kind} of {config.settings.get('parts')}; train one with "
                "`garmentloop finetune parser`"
            )
        net = load_weights(ParserNet(), folder)
        side = int(config.settings.get("side", CROP_SIZE))
        return cls(fold_batch_norms(net.eval()), reference, weights_hash(folder), compute, side)

    def parse(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `extract.base.Parser`: (N, S, S, 3) -> (N, 8, S / 2, S / 2) probabilities."""
        half = self.side // 2
        out = np.zeros((len(crops), len(PARTS), half, half), np.float32)
        out[:, 0] = 1.0
        margins = [_empty_margin(crop) for crop in crops]
        pairs = zip(crops, margins, strict=True)
        answers = self.runner.run((self._prepared(*pair),) for pair in pairs) if margins else []
        for row, margin, (seen,) in zip(out, margins, answers, strict=True):
            row[:, :, margin // 2 : half - margin // 2] = seen[0].numpy()
        return out

    def _prepared(self, crop: NDArray[np.uint8], margin: int) -> Tensor:
        """One crop without its margins.

        By itself, because convolutions round differently in batches of another size, and what a
        photo gives must not depend on which photos came with it.
        """
        used = np.ascontiguousarray(crop[:, margin : self.side - margin])
        return torch.from_numpy(used).permute(2, 0, 1)[None]

    def _examples(self, batch: int) -> tuple[Inputs, Inputs]:
        """Crops of two widths."""
        like = torch.zeros(0, dtype=torch.uint8)
        wide, narrow = (
            (noise((batch, 3, self.side, width), seed, like),)
            for seed, width in enumerate((self.side, self.side - STRIDE))
        )
        return wide, narrow


class _Mirrored(nn.Module):
    """Probabilities of the parts: the mean over a crop and its mirror image.

    The mirror image is worth 0.7 points of mean IoU on CCP's val.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        seen = F.softmax(self.net(torch.cat([pixels, pixels.flip(3)])), dim=1)
        straight, mirrored = seen.chunk(2)
        return ((straight + mirrored.flip(3)) / 2,)


def _empty_margin(crop: NDArray[np.uint8]) -> int:
    """Columns of padding on both sides of a crop, rounded down so that the rest divides by 32."""
    used = np.flatnonzero((crop != PADDING).any(axis=(0, 2)))
    if not used.size:
        return 0
    free = min(int(used[0]), crop.shape[1] - 1 - int(used[-1]))
    return free // (STRIDE // 2) * (STRIDE // 2)
