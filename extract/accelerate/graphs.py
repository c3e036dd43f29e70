"""OpenVINO graphs of a network, by batch size: converted and checked once, then kept."""

import warnings
from typing import Any

import openvino
import torch
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import Tensor, nn

from extract.accelerate import kept
from extract.accelerate.engines import Inputs, Work
from extract.accelerate.identity import work_identity
from extract.accelerate.torch_engine import TorchEngine
from garments.errors import ModelError
from garments.ids import stable_id

TOLERANCE = 1e-3
"""Largest difference of any output for a graph to count as equal; a share of values above 1."""

RECIPE = 1
"""Version of how graphs are converted; raise it when they change."""


class Converted:
    """Graphs of one network, made when a batch size is first asked for."""

    def __init__(self, work: Work) -> None:
        """`identity` is that of the work, by which its graphs are kept."""
        self.identity = work_identity(work)
        self._work: Work | None = work
        self._wanted = {1, work.batch}
        self._graphs: dict[int, Any] = {}

    def __call__(self, batch: int) -> Any:
        """The graph for batches of that size; `ModelError` where it would answer otherwise."""
        if batch not in self._graphs:
            key = stable_id("openvino", RECIPE, openvino.__version__, self.identity, batch)
            graph = kept.read(key)
            if graph is None:
                assert self._work is not None
                graph = converted(self._work, batch)
                kept.write(key, graph)
            self._graphs[batch] = graph
        if self._wanted <= self._graphs.keys():
            self._work = None  # the graphs have their own copies of the weights
        return self._graphs[batch]


def converted(work: Work, batch: int) -> Any:
    """The graph for batches of one size; `ModelError` where it answers otherwise than torch.

    Checked in fp32 whatever is asked for: it is the graph that is in doubt, not the rounding.
    """
    traced, other = work.examples(batch)
    sized = [t.shape for t in traced] == [t.shape for t in other]
    expected = TorchEngine(work.network, "cpu", "fp32").run([other])[0]
    graph = convert(work.network, traced, any_size=not sized)
    compiled = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled([tensor.numpy() for tensor in other])
    got = [torch.from_numpy(found[port].copy()) for port in compiled.outputs]
    if [a.shape for a in got] != [b.shape for b in expected]:
        raise ModelError("the traced graph does not follow the size of its input")
    worst = max(_apart(a.float(), b) for a, b in zip(got, expected, strict=True))
    if not worst <= TOLERANCE:
        raise ModelError(f"its outputs differ from torch's by up to {worst:.2g}")
    return graph


def _apart(got: Tensor, expected: Tensor) -> float:
    """Largest difference, as a share of the largest value where that is more than 1."""
    return float((got - expected).abs().max() / expected.abs().max().clamp(min=1))


def convert(network: nn.Module, example: Inputs, any_size: bool) -> Any:
    """OpenVINO graph of `network`, traced on `example`.

    It takes images of any height and width, or else of the example's alone.

    The front end is called directly because `openvino.convert_model` reports home.
    """
    with torch.inference_mode(), warnings.catch_warnings():
        # tracing warns of every size that becomes a constant; `converted` checks the result
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
