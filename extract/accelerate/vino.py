"""OpenVINO as an engine: the optional package behind the extra `speed`."""

import threading
import warnings
from collections.abc import Iterable
from typing import Any

import openvino
import torch
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import nn

from extract.accelerate.engines import Inputs, Precision

MOST_STREAMS = 8
"""Streams at most: each keeps the activations of one image, a gigabyte for large detectors."""


def convert(network: nn.Module, example: Inputs, any_size: bool) -> Any:
    """OpenVINO graph of `network`, traced on `example` (batch size 1).

    It takes images of any height and width, or else of the example's alone.

    The front end is called directly because `openvino.convert_model` reports home.
    """
    with torch.inference_mode(), warnings.catch_warnings():
        # tracing warns of every size that becomes a constant; `build_engine` checks the result
        warnings.simplefilter("ignore")
        trace: Any = torch.jit.trace
        traced = trace(network.eval(), example, check_trace=False)
        decoder = TorchScriptPythonDecoder(traced.eval())
    front_end = FrontEndManager().load_by_framework("pytorch")
    graph = front_end.convert(front_end.load(decoder))
    shapes = {}
    for port, tensor in zip(graph.inputs, example, strict=True):
        size = [-1, -1] if any_size else tensor.shape[-2:]
        shapes[port] = openvino.PartialShape([*tensor.shape[:-2], *size])
    graph.reshape(shapes)
    return graph


class OpenVinoEngine:
    """Independent streams of one thread each, which is what CPUs do most work with."""

    def __init__(self, graph: Any, precision: Precision) -> None:
        """Compile `graph` for the CPU, with as many streams as torch would use threads."""
        streams = min(torch.get_num_threads(), MOST_STREAMS)
        self.name = f"openvino {precision}, {streams} streams"
        compiled = openvino.Core().compile_model(
            graph,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
                "NUM_STREAMS": streams,
                "INFERENCE_NUM_THREADS": streams,
                # pinned threads of two processes would share some cores and leave others idle
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._queue = openvino.AsyncInferQueue(compiled, streams)
        self._queue.set_callback(_keep)
        self._lock = threading.Lock()

    def run(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """See `extract.accelerate.engines.Engine.run`; batches of one image are the fastest."""
        outputs: list[Inputs] = []
        with self._lock:
            for index, batch in enumerate(batches):
                outputs.append(())
                arrays = [tensor.numpy() for tensor in batch]
                # not shared: of arrays that are not contiguous OpenVINO would share a copy that
                # is freed while the network reads it
                self._queue.start_async(arrays, (outputs, index), share_inputs=False)
            self._queue.wait_all()
        return outputs


def _keep(request: Any, job: tuple[list[Inputs], int]) -> None:
    """Store a finished request's outputs, before the request is used again."""
    outputs, index = job
    outputs[index] = tuple(
        torch.from_numpy(tensor.data.copy()).float() for tensor in request.output_tensors
    )
