"""OpenVINO as an engine: the optional package behind the extra `speed`."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import openvino
import torch

from extract.accelerate.engines import Inputs
from extract.accelerate.processor import has_bf16
from extract.accelerate.streams import stream_count

OFTEN = 3
"""Batches of one size after which a graph for just that size is worth its compilation."""

SIZES_AT_ONCE = 4
"""Graphs for one size that are kept at once."""


class OpenVinoEngine:
    """Independent streams of one thread each, which is what CPUs do most work with."""

    def __init__(self, graphs: Callable[[int], Any], precision: str) -> None:
        """`graphs` gives the one for a batch size; that for batches of one is asked for now.

        With int8, what of a graph is not quantised is reckoned in bf16 where the processor has it.
        """
        self.graphs = graphs
        low = precision == "bf16" or (precision == "int8" and has_bf16("cpu"))
        self._hint = "bf16" if low else "f32"
        self._streams = stream_count()
        self.name = f"openvino {precision}, {self._streams} streams"
        self._queues: OrderedDict[tuple[tuple[int, ...], ...], Any] = OrderedDict()
        self._any_size: dict[int, Any] = {}
        self._seen: Counter[tuple[tuple[int, ...], ...]] = Counter()
        self._lock = threading.Lock()
        graphs(1)

    def run(self, batches: Iterable[Inputs]) -> list[Inputs]:
        """See `extract.accelerate.engines.Engine.run`."""
        outputs: list[Inputs] = []
        running: list[Any] = []
        with self._lock:
            for index, batch in enumerate(batches):
                queue = self._queue(batch)
                if queue not in running:
                    # the last one is not waited for: its streams run dry one by one, and what the
                    # new one begins meanwhile takes their place
                    for before in running[:-1]:
                        before.wait_all()
                    running = [*running[-1:], queue]
                outputs.append(())
                arrays = [tensor.numpy() for tensor in batch]
                # not shared: of arrays that are not contiguous OpenVINO would share a copy that
                # is freed while the network reads it
                queue.start_async(arrays, (outputs, index), share_inputs=False)
            for queue in running:
                queue.wait_all()
        return outputs

    def _queue(self, batch: Inputs) -> Any:
        """What runs batches of that size: for sizes that come often, a graph for just them."""
        shapes = tuple(tuple(tensor.shape) for tensor in batch)
        count = shapes[0][0]
        graph = self.graphs(count)
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
                "INFERENCE_PRECISION_HINT": self._hint,
                "NUM_STREAMS": self._streams,
                "INFERENCE_NUM_THREADS": self._streams,
                # pinned threads of two processes would share some cores and leave others idle
                "ENABLE_CPU_PINNING": False,
            },
        )
        queue = openvino.AsyncInferQueue(compiled, self._streams)
        queue.set_callback(_keep)
        return queue


def _keep(request: Any, job: tuple[list[Inputs], int]) -> None:
    """Store a finished request's outputs, before the request is used again."""
    outputs, index = job
    outputs[index] = tuple(
        torch.from_numpy(tensor.data.copy()).float() for tensor in request.output_tensors
    )
