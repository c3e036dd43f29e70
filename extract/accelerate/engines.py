"""What runs a network: torch, or OpenVINO where it is installed and gives the same answers."""

import logging
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor, nn

from garments.errors import BadSetting, ModelError

Inputs = tuple[Tensor, ...]
Precision = Literal["auto", "fp32", "bf16"]
EngineName = Literal["auto", "torch", "openvino"]

TOLERANCE = 1e-3
"""Largest difference of any output (logits, boxes in [0, 1]) for an engine to count as equal."""

log = logging.getLogger(__name__)


class Engine(Protocol):
    """Runs one network over batches of inputs."""

    name: str

    def run(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """Outputs of each batch, in order, as float32 on the CPU."""
        ...


class TorchEngine:
    """The network as it is, on any device."""

    def __init__(self, network: nn.Module, device: str, precision: Precision) -> None:
        """Move `network` (a tuple of tensors in, a tuple of tensors out) to `device`."""
        self.name = f"torch {precision} on {device}"
        self._device = torch.device(device)
        # weights in bfloat16, not autocast: autocast converts them anew in every call
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        to: Any = network.to  # its stub does not know memory formats
        self._network = to(self._device, self._dtype, memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """See `Engine.run`."""
        return [
            tuple(output.float().cpu() for output in self._network(*map(self._placed, batch)))
            for batch in batches
        ]

    def _placed(self, tensor: Tensor) -> Tensor:
        dtype = self._dtype if tensor.is_floating_point() else tensor.dtype
        layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
        return tensor.to(self._device, dtype, memory_format=layout)


def resolved_precision(precision: str) -> Literal["fp32", "bf16"]:
    """What "auto" stands for: fp32, since bf16 changes one pixel's label in a hundred."""
    if precision not in get_args(Precision):
        raise BadSetting(
            f"expected precision to be one of {', '.join(get_args(Precision))}, but got "
            f"{precision!r}"
        )
    return "bf16" if precision == "bf16" else "fp32"


def build_engine(
    network: nn.Module,
    examples: tuple[Inputs, Inputs],
    device: str,
    precision: Precision = "auto",
    engine: EngineName = "auto",
) -> Engine:
    """The fastest engine that answers as `network` does.

    `examples` are two inputs of batch size 1, of different sizes where the network takes any:
    OpenVINO's graph is traced on the first and has to agree with torch on the second. Engine
    "auto" falls back to torch where OpenVINO is missing, cannot convert the network or disagrees.
    """
    exact = resolved_precision(precision)
    if engine not in get_args(EngineName):
        known = ", ".join(get_args(EngineName))
        raise BadSetting(f"expected engine to be one of {known}, but got {engine!r}")
    possible = device == "cpu" and find_spec("openvino") is not None
    if engine == "torch" or (engine == "auto" and not possible):
        return TorchEngine(network, device, exact)
    if not possible:
        raise BadSetting(
            f"engine 'openvino' needs the device cpu (got {device}) and the package openvino: "
            "pip install 'garmentloop[speed]', or set engine to 'auto'"
        )
    try:
        return _checked_openvino(network, examples, exact)
    except Exception as error:  # whatever stops the conversion, torch can do the work
        if engine == "openvino":
            raise ModelError(
                f"OpenVINO cannot run this network ({error}); set engine to 'auto' or 'torch'"
            ) from error
        log.info("OpenVINO cannot run this network, torch does: %s", error)
        return TorchEngine(network, device, exact)


def _checked_openvino(
    network: nn.Module, examples: tuple[Inputs, Inputs], precision: Precision
) -> Engine:
    """OpenVINO's engine, after it gave what torch gives on the second example."""
    from extract.accelerate.vino import OpenVinoEngine, convert

    traced, other = examples
    sized = [t.shape for t in traced] == [t.shape for t in other]
    graph = convert(network, traced, any_size=not sized)
    expected = TorchEngine(network, "cpu", "fp32").run([other])[0]
    # checked in fp32 whatever is asked for: it is the graph that is in doubt, not the rounding
    exact = OpenVinoEngine(graph, "fp32")
    got = exact.run([other])[0]
    if [a.shape for a in got] != [b.shape for b in expected]:
        raise ModelError("the traced graph does not follow the size of its input")
    worst = max(float((a - b).abs().max()) for a, b in zip(got, expected, strict=True))
    if not worst <= TOLERANCE:
        raise ModelError(f"its outputs differ from torch's by up to {worst:.2g}")
    return exact if precision == "fp32" else OpenVinoEngine(graph, precision)
