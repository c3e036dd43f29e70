"""OpenVINO as an engine: the optional package behind the extra `speed`."""

import threading
import warnings
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Any

import openvino
import torch
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import Tensor, nn

from extract.accelerate import kept
from extract.accelerate.engines import Inputs, Work
from extract.accelerate.identity import identity
from extract.accelerate.torch_engine import TorchEngine
from garments.errors import ModelError
from garments.ids import stable_id

MOST_STREAMS = 8
"""Streams at most: each keeps the activations of one batch, a gigabyte for large detectors."""

OFTEN = 3
"""Batches of one size after which a graph for just that size is worth its compilation."""

SIZES_AT_ONCE = 2
"""Graphs for one size that are kept at once."""

TOLERANCE = 1e-3
"""Largest difference of any output for a graph to count as equal; a share of values above 1."""

RECIPE = 1
"""Version of how graphs are converted; raise it when they change."""


class OpenVinoEngine:
    """Independent streams of one thread each, which is what CPUs do most work with."""

    def __init__(self, work: Work, precision: str) -> None:
        """Convert the network for batches of one, or read it from the cache."""
        self._work: Work | None = work
        self._precision = precision
        self._streams = min(torch.get_num_threads(), MOST_STREAMS)
        self.name = f"openvino {precision}, {self._streams} streams"
        self._identity = identity(work.network)
        self._graphs: dict[int, Any] = {}
        self._queues: OrderedDict[tuple[tuple[int, ...], ...], Any] = OrderedDict()
        self._any_size: dict[int, Any] = {}
        self._seen: Counter[tuple[tuple[int, ...], ...]] = Counter()
        self._lock = threading.Lock()
        self._graph(1)

    def run(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """See `extract.accelerate.engines.Engine.run`."""
        outputs: list[Inputs] = []
        running: Any = None
        with self._lock:
            for index, batch in enumerate(batches):
                queue = self._queue(batch)
                if running not in (None, queue):
                    running.wait_all()
                running = queue
                outputs.append(())
                arrays = [tensor.numpy() for tensor in batch]
                # not shared: of arrays that are not contiguous OpenVINO would share a copy that
                # is freed while the network reads it
                queue.start_async(arrays, (outputs, index), share_inputs=False)
            if running is not None:
                running.wait_all()
        return outputs

    def _queue(self, batch: Inputs) -> Any:
        """What runs batches of that size: for sizes that come often, a graph for just them."""
        shapes = tuple(tuple(tensor.shape) for tensor in batch)
        count = shapes[0][0]
        graph = self._graph(count)
        if not graph.is_dynamic():
            return self._of_one_size(shapes, graph)
        self._seen[shapes] += 1
        if self._seen[shapes] >= OFTEN:
            return self._of_one_size(shapes, graph)
        if count not in self._any_size:
            self._any_size[count] = self._compiled(graph)
        return self._any_size[count]

    def _of_one_size(self, shapes: tuple[tuple[int, ...], ...], graph: Any) -> Any:
        if shapes not in self._queues:
            fixed = graph
            if graph.is_dynamic():
                fixed = graph.clone()
                ports = zip(fixed.inputs, shapes, strict=True)
                fixed.reshape({port: openvino.PartialShape(list(shape)) for port, shape in ports})
            self._queues[shapes] = self._compiled(fixed)
            while len(self._queues) > SIZES_AT_ONCE:
                self._queues.popitem(last=False)
        self._queues.move_to_end(shapes)
        return self._queues[shapes]

    def _compiled(self, graph: Any) -> Any:
        """As many requests as torch would use threads."""
        compiled = openvino.Core().compile_model(
            graph,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if self._precision == "bf16" else "f32",
                "NUM_STREAMS": self._streams,
                "INFERENCE_NUM_THREADS": self._streams,
                # pinned threads of two processes would share some cores and leave others idle
                "ENABLE_CPU_PINNING": False,
            },
        )
        queue = openvino.AsyncInferQueue(compiled, self._streams)
        queue.set_callback(_keep)
        return queue

    def _graph(self, batch: int) -> Any:
        """The graph for batches of that size, kept from an earlier run or converted and checked."""
        if batch not in self._graphs:
            key = stable_id(
                "openvino", RECIPE, openvino.__version__, self._identity, batch, "fp32 weights"
            )
            graph = kept.read(key)
            if graph is None:
                assert self._work is not None
                graph = converted(self._work, batch)
                kept.write(key, graph)
            self._graphs[batch] = graph
        if self._work and {1, self._work.batch} <= self._graphs.keys():
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


def _keep(request: Any, job: tuple[list[Inputs], int]) -> None:
    """Store a finished request's outputs, before the request is used again."""
    outputs, index = job
    outputs[index] = tuple(
        torch.from_numpy(tensor.data.copy()).float() for tensor in request.output_tensors
    )
