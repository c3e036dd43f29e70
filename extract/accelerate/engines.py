"""What runs a network: torch, or OpenVINO where it is installed and gives the same answers."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from extract.accelerate.compute import Compute
from extract.accelerate.normalised import FromPixels
from garments.errors import ModelError

Inputs = tuple[Tensor, ...]

MOST_HEARD = 64
"""Inputs that a runner keeps where it is asked to."""

log = logging.getLogger(__name__)


class Engine(Protocol):
    """Runs one network over batches of inputs."""

    name: str

    def run(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """Outputs of each batch, in order, as float32 on the CPU."""
        ...


@dataclass(frozen=True, eq=False)
class Work:
    """A network with what an engine has to know of it.

    `examples` gives two inputs of a batch size, of different heights and widths where the network
    takes any: a graph is traced on the first and has to agree with torch on the second. `batch` is
    the largest one that is worth it on a CPU by OpenVINO, `on_torch` and `on_gpu` likewise; `name`
    is the model's reference.
    """

    network: FromPixels
    examples: Callable[[int], tuple[Inputs, Inputs]]
    batch: int = 1
    on_torch: int = 1
    on_gpu: int = 32
    name: str = "this model"


class Runner:
    """Runs a `Work` by the engine that `compute` chooses, which is built when it is needed."""

    def __init__(self, work: Work, compute: Compute) -> None:
        """Nothing is built yet. Where `heard` is a list, it takes up some inputs, one by one."""
        self.heard: list[Inputs] | None = None
        self._work: Work | None = work
        self._sizes = _sizes(work, compute)
        self._compute = compute
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine; `ModelError` where the one that was asked for cannot run the network."""
        if self._engine is None:
            assert self._work is not None
            self._engine = build_engine(self._work, self._compute)
            self._work = None  # the engine may have its own copy of the weights
        return self._engine

    def run(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """See `Engine.run`."""
        return self.engine.run(batches if self.heard is None else self._hearing(batches))

    def replace_engine(self, engine: Engine) -> None:
        """Run by another engine from now on."""
        self._engine, self.heard = engine, None

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of batches that are used."""
        return self._sizes

    def _hearing(self, batches: Iterable[Inputs]) -> Iterator[Inputs]:
        for batch in batches:
            if self.heard is not None and len(self.heard) < MOST_HEARD:
                self.heard += [tuple(t[i : i + 1] for t in batch) for i in range(len(batch[0]))]
            yield batch

    def batches(self, count: int) -> Iterator[slice]:
        """In what batches `count` inputs are best given to `run`."""
        start = 0
        while start < count:
            fitting = (size for size in self._sizes if size <= count - start)
            size = next(fitting, self._sizes[-1])
            yield slice(start, min(start + size, count))
            start += size


def _sizes(work: Work, compute: Compute) -> tuple[int, ...]:
    """Sizes of batches, the largest first; the last one may be cut short."""
    if compute.device != "cpu":
        return (work.on_gpu,)
    if compute.chosen_engine == "torch":
        return (work.on_torch,)
    return (work.batch, 1)  # OpenVINO's graphs have one size each


def build_engine(work: Work, compute: Compute) -> Engine:
    """The fastest engine that answers as the network does.

    Engine "auto" falls back to torch where OpenVINO cannot convert the network or disagrees.
    """
    from extract.accelerate.torch_engine import TorchEngine

    if compute.chosen_engine == "torch":
        return TorchEngine(work.network, compute.device, compute.chosen_precision)
    if compute.precision == "int8":
        from extract.accelerate.int8 import accepted_engine

        return accepted_engine(work)
    try:
        from extract.accelerate.graphs import Converted
        from extract.accelerate.vino import OpenVinoEngine

        return OpenVinoEngine(Converted(work), compute.chosen_precision)
    except Exception as error:  # whatever stops the conversion, torch can do the work
        if compute.engine == "openvino":
            raise ModelError(
                f"OpenVINO cannot run this network ({error}); set engine to 'auto' or 'torch'"
            ) from error
        log.info("OpenVINO cannot run this network, torch does: %s", error)
        return TorchEngine(work.network, compute.device, compute.chosen_precision)


def noise(shape: tuple[int, ...], seed: int, like: Tensor) -> Tensor:
    """Random pixels, whole ones where `like` has such."""
    generator = torch.Generator().manual_seed(seed)
    if like.dtype == torch.uint8:
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    return torch.randn(shape, generator=generator)
