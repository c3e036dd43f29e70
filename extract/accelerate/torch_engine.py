"""Torch as an engine: on the CPU as the network is, on a GPU compiled and with copies beside it."""

import logging
from collections import deque
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from extract.accelerate.engines import Inputs
from extract.accelerate.normalised import FromPixels
from extract.accelerate.streams import Streams

COMPILE_AFTER = 16
"""Batches on a GPU after which the network is compiled, which takes about a minute."""

IN_FLIGHT = 2
"""Batches that a GPU has been given while the next one is prepared."""

log = logging.getLogger(__name__)


class TorchEngine:
    """The network as it is, on any device."""

    def __init__(self, network: FromPixels, device: str, precision: str) -> None:
        """Move `network` to `device`, with weights in `precision` (fp32 or bf16)."""
        self.name = f"torch {precision} on {device}"
        self._device = torch.device(device)
        # weights in bfloat16, not autocast: autocast converts them anew in every call
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._network: Any = network.at(self._device, dtype)
        self._given = 0
        self._streams = Streams() if self._device.type == "cpu" else None

    @torch.inference_mode()
    def run(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """See `Engine.run`."""
        if self._streams is not None:
            return self._streams.map(self._answered, batches)
        if self._device.type == "cuda":
            return self._overlapped(batches)
        return [self._answered(batch) for batch in batches]

    @torch.inference_mode()  # which every thread has to say for itself
    def _answered(self, batch: Inputs) -> Inputs:
        outputs = self._network(*map(self._placed, batch))
        return tuple(output.float().cpu() for output in outputs)

    def _placed(self, tensor: Tensor) -> Tensor:
        layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
        return tensor.to(self._device, memory_format=layout)

    def _overlapped(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """The GPU works on a batch while the next one is prepared, copied, and the last fetched."""
        done: list[Inputs] = []
        flying: deque[tuple[Inputs, Any]] = deque()
        upload = _cuda().Stream(self._device)
        for batch in batches:
            flying.append(self._begin(batch, upload))
            if len(flying) > IN_FLIGHT:
                done.append(_fetched(*flying.popleft()))
        return done + [_fetched(*one) for one in flying]

    def _begin(self, batch: Inputs, upload: Any) -> tuple[Inputs, Any]:
        """Give the GPU a batch; the outputs, and the event after which they are there."""
        compute = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(upload):
            inputs = [self._uploaded(tensor) for tensor in batch]
        compute.wait_stream(upload)
        for tensor in inputs:
            tensor.record_stream(compute)
        outputs = tuple(_download(output) for output in self._answer(inputs))
        event = _cuda().Event()
        event.record(compute)
        return outputs, event

    def _uploaded(self, tensor: Tensor) -> Tensor:
        return tensor.contiguous().pin_memory().to(self._device, non_blocking=True)

    def _answer(self, inputs: list[Tensor]) -> Inputs:
        self._given += 1
        if self._given == COMPILE_AFTER:
            self._compile(inputs)
        outputs: Inputs = self._network(*inputs)
        return outputs

    def _compile(self, inputs: list[Tensor]) -> None:
        """Compile for any size, if this machine has what it takes."""
        compiled: Any = torch.compile(self._network, dynamic=True)
        try:
            compiled(*inputs)
        except Exception as error:  # no C compiler, no triton, or a network with odd control flow
            log.info("torch cannot compile this network, it runs as it is: %s", error)
            return
        self._network = compiled


def _download(output: Tensor) -> Tensor:
    """A copy in pinned memory that is there once the stream has come so far."""
    there = torch.empty(output.shape, dtype=output.dtype, pin_memory=True)
    return there.copy_(output, non_blocking=True)


def _fetched(outputs: Inputs, event: Any) -> Inputs:
    event.synchronize()
    return tuple(output.float() for output in outputs)


def _cuda() -> Any:
    """Torch's module, of which parts are not typed."""
    return torch.cuda
