"""Which network this is: weights, shape and the libraries that it is made of."""

from importlib import metadata

from torch import nn

from extract.accelerate.engines import Work
from extract.checkpoints import hash_tensors
from garments.ids import stable_id

LIBRARIES = ("torch", "transformers", "timm", "open-clip-torch", "segmentation-models-pytorch")


def work_identity(work: Work) -> str:
    """The same with how its inputs look: a network may take a mask, or be given one size alone."""
    inputs = [[(t.dtype, tuple(t.shape)) for t in example] for example in work.examples(1)]
    return stable_id(identity(work.network), inputs)


def identity(network: nn.Module) -> str:
    """Hash that differs wherever outputs might, for a network on the CPU in eval mode.

    Beside the weights count the numbers and words that each module keeps (heads, strides, ...),
    buffers that are not saved, and the versions of the libraries whose code it runs.
    """
    buffers = {f"buffer {name}": tensor for name, tensor in network.named_buffers()}
    weights = hash_tensors({**network.state_dict(), **buffers})
    shape = [
        (name, type(module).__qualname__, sorted(_plain(module).items()))
        for name, module in network.named_modules()
    ]
    configs = {str(getattr(module, "config", "")) for module in network.modules()}
    return stable_id("network", weights, shape, sorted(configs), *map(_version, LIBRARIES))


def _plain(module: nn.Module) -> dict[str, str]:
    kinds = (bool, int, float, str, tuple)
    return {name: repr(value) for name, value in vars(module).items() if isinstance(value, kinds)}


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
