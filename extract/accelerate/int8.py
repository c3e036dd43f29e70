"""Networks in 8-bit integers: made by looking at inputs, and used once their loss was measured.

An accepted network is a folder in the user's cache with a graph for each batch size and the record
of what was measured. Its name is the network's identity: other weights, or another version of a
library, have to be measured anew.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from extract.accelerate import kept
from extract.accelerate.engines import Engine, Inputs, Runner, Work
from extract.accelerate.identity import work_identity
from garments.errors import ModelError
from garments.whole import write_whole

RECORD = "accepted.json"


class Quantised:
    """Graphs in 8-bit integers, by batch size."""

    def __init__(self, name: str, graphs: dict[int, Any]) -> None:
        """`name` is the identity of the network in fp32."""
        self.identity, self._graphs = name, graphs

    def __call__(self, batch: int) -> Any:
        """The graph for batches of that size."""
        return self._graphs[batch]

    def accept(self, record: Mapping[str, Any]) -> Path:
        """Keep the graphs for later runs, with the `record` of how good they were."""
        folder = _folder(self.identity)
        with suppress(OSError):
            (folder / RECORD).unlink()
        for batch, graph in self._graphs.items():
            kept.keep(folder / str(batch), graph)
        write_whole(folder / RECORD, json.dumps(record, indent=2) + "\n")
        return folder / RECORD


def quantise(runner: Runner) -> Quantised:
    """Let `runner` reckon in int8 from now on, by what it `heard` in fp32."""
    from extract.accelerate.vino import OpenVinoEngine

    engine = runner.engine
    if not isinstance(engine, OpenVinoEngine) or not runner.heard:
        raise ModelError("expected a network that OpenVINO runs, and inputs that it was given")
    made = {n: _quantised(engine.graphs(n), runner.heard, n) for n in sorted(set(runner.sizes))}
    found = Quantised(engine.graphs.identity, made)  # type: ignore[attr-defined]
    runner.replace_engine(OpenVinoEngine(found, "int8"))
    return found


def accepted_engine(work: Work) -> Engine:
    """The engine of a network whose loss was accepted; `ModelError` says how to measure it."""
    from extract.accelerate.vino import OpenVinoEngine

    name = work_identity(work)
    folder = _folder(name)
    graphs = {size: kept.read_folder(folder / str(size)) for size in {1, work.batch}}
    if not (folder / RECORD).is_file() or None in graphs.values():
        raise ModelError(
            f"precision 'int8' was not accepted for the weights of {work.name} on this machine: "
            "measure what it loses on your own photos by `garmentloop evaluate extract --data DIR "
            "--precision int8` (or `people`, `tagger` instead of extract) with the same models, or "
            "set precision to 'auto'"
        )
    return OpenVinoEngine(Quantised(name, graphs), "int8")


def _folder(name: str) -> Path:
    return kept.cache_folder() / "int8" / name


def _quantised(graph: Any, heard: Sequence[Inputs], size: int) -> Any:
    """The graph with what gains by it in int8."""
    nncf = _nncf()
    batches = [[t.numpy() for t in batch] for batch in _joined(heard, size)]
    return nncf.quantize(
        graph,
        nncf.Dataset(batches),
        subset_size=len(batches),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER,
    )


def _joined(heard: Sequence[Inputs], size: int) -> list[Inputs]:
    """Inputs as batches of that size; the last ones are repeated where there are too few."""
    if size == 1:
        return list(heard)
    padded = [*heard, *[heard[-1]] * (-len(heard) % size)]
    groups = (padded[start : start + size] for start in range(0, len(padded), size))
    return [tuple(map(torch.cat, zip(*group, strict=True))) for group in groups]


def _nncf() -> Any:
    """The package, imported so that it cannot report home."""
    os.environ.setdefault("NNCF_CI", "1")
    before, loggers = sys.modules.get("openvino_telemetry"), logging.getLoggerClass()
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # a missing package
    try:
        import nncf
    except ImportError as error:
        raise ModelError(
            "precision 'int8' needs nncf, which is not installed; pip install 'garmentloop[speed]'"
        ) from error
    finally:
        logging.setLoggerClass(loggers)  # it makes everybody's loggers of its own kind
        del sys.modules["openvino_telemetry"]
        if before is not None:
            sys.modules["openvino_telemetry"] = before
    logging.getLogger("nncf").setLevel(logging.ERROR)
    return nncf
