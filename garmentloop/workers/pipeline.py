"""The steps of a pipeline (see `extract.pipeline`) as operators of Ray Data.

A row is a batch of items, pickled, and stays one through all operators, so that order and results
are those of a local run. Where there are GPUs, each has an actor with the models, and other steps
are tasks on the cores; else an actor on each core does all steps. Ray Data holds back whoever is
ahead of the others. What is lost with a node is given out again.
"""

import gc
import os
import pickle
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extract.pipeline import Step
from garments.errors import GarmentLoopError

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

COLUMN = "batch"

ITEMS = 65_536
"""Items that are given to Ray Data together; a run over more starts the operators again."""

TRIES = 5
"""So often work is given out that brings no result, before what Ray says about it is told."""


@dataclass(frozen=True)
class Share:
    """What a step takes of a cluster: how many hold models, and the GPUs of each."""

    holders: int
    gpus: int

    @classmethod
    def of(cls, resources: Mapping[str, float], gpus: bool) -> "Share":
        """A holder of models for each GPU, if `gpus` shall be used, else for each core."""
        if gpus and (count := int(resources.get("GPU", 0))):
            return cls(count, gpus=1)
        return cls(max(1, int(resources.get("CPU", 1))), gpus=0)


class RayWorkers:
    """Workers (see `extract.pipeline`) on the Ray cluster that this process is connected to."""

    elsewhere = True

    def __init__(self, gpus: bool = True) -> None:
        """Without `gpus` models run on CPUs even where there are GPUs."""
        self._gpus = gpus

    def run(
        self, items: Iterable[Any], steps: Sequence[Step], batch: int
    ) -> Generator[Any, None, None]:
        """See `Workers`; a `GarmentLoopError` of a step is raised here, in its place."""
        batches = _batches(items, batch)
        while some := list(islice(batches, max(1, ITEMS // batch))):
            yield from self._surely(some, steps)

    def _surely(self, batches: Sequence[list[Any]], steps: Sequence[Step]) -> Iterator[Any]:
        """All results, whoever dies: from the first that is not here, work is given out anew.

        An actor that died is not waited for, as Ray would: it may have had the last GPU that there
        was, and then what it was doing would be done never.
        """
        from ray.exceptions import RayError

        here = tried = 0
        while here < len(batches):
            try:
                for results in self._results(batches[here:], steps):
                    yield from results
                    here, tried = here + 1, 0
            except RayError as error:
                tried += 1
                if tried == TRIES or _is_ours(error):
                    raise

    def _results(
        self, batches: Sequence[list[Any]], steps: Sequence[Step]
    ) -> Iterator[Iterable[Any]]:
        flow = self._flow(batches, steps).iter_batches(batch_size=None, batch_format="pyarrow")
        with closing(iter(flow)) as tables:  # whoever stops early gives back what it took
            for table in tables:
                for row in table.column(COLUMN):
                    yield _opened(row.as_buffer())

    def _flow(self, batches: Sequence[list[Any]], steps: Sequence[Step]) -> "Dataset":
        import ray

        # Ray ends actors when nobody knows them any more: those of a flow that failed have GPUs.
        gc.collect()
        share = Share.of(ray.cluster_resources(), self._gpus)
        flow = ray.data.from_arrow([_packed(some) for some in batches])
        flow.context.execution_options.preserve_order = True
        flow.context.enable_progress_bars = False
        holders = min(share.holders, len(batches))
        for step in steps if share.gpus else [_together(steps)]:
            flow = _through(flow, step, replace(share, holders=holders))
        return flow


def _together(steps: Sequence[Step]) -> Step:
    """All steps as one: where all is done on CPUs, nothing is gained by carrying photos around."""
    work = partial(_one_after_another, works=[step.work for step in steps])
    return Step(work, models=any(step.models for step in steps))


def _one_after_another(
    batch: list[Any], works: Sequence[Callable[[list[Any]], list[Any]]]
) -> list[Any]:
    return reduce(lambda items, work: work(items), works, batch)


def _through(flow: "Dataset", step: Step, share: Share) -> "Dataset":
    import ray

    work = _Work(step.work, Path.cwd())
    same: dict[str, Any] = {"batch_size": 1, "batch_format": "pyarrow", "zero_copy_batch": True}
    if not step.models:
        return flow.map_batches(work, num_cpus=1, **same)
    with warnings.catch_warnings():  # max_restarts has no other place yet, see pyproject.toml
        warnings.simplefilter("ignore", DeprecationWarning)
        return flow.map_batches(
            _Holder,
            fn_constructor_args=(work,),
            compute=ray.data.ActorPoolStrategy(size=share.holders),
            num_cpus=0 if share.gpus else 1,
            num_gpus=share.gpus,
            max_restarts=0,
            **same,
        )


class _Work:
    """A step's work on batches that are packed, in the folder where the command was started."""

    def __init__(self, work: Callable[[list[Any]], list[Any]], folder: Path) -> None:
        self._work, self._folder = work, folder

    def __call__(self, table: "pa.Table") -> "pa.Table":
        import pyarrow as pa

        with suppress(OSError):  # then relative paths lead nowhere, and whoever needs one says so
            os.chdir(self._folder)
        done = [self._done(row.as_buffer()) for row in table.column(COLUMN)]
        return pa.concat_tables([_packed(some) for some in done])

    def _done(self, data: "pa.Buffer") -> "list[Any] | _Failed":
        batch = pickle.loads(data)
        if isinstance(batch, _Failed):
            return batch
        try:
            return self._work(batch)
        except GarmentLoopError as error:
            return _Failed(error)


class _Holder:
    """The same, by somebody who lives as long as the operator and so keeps loaded models."""

    def __init__(self, work: _Work) -> None:
        self._work = work

    def __call__(self, table: "pa.Table") -> "pa.Table":
        return self._work(table)


@dataclass(frozen=True)
class _Failed:
    """What a batch becomes of which a step could make nothing: told where the command was given."""

    error: GarmentLoopError


def _is_ours(error: Exception) -> bool:
    """Whether a step raised it, and no machine or process was lost."""
    from ray.exceptions import RayError, RayTaskError

    return isinstance(error, RayTaskError) and not isinstance(error.cause, RayError)


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    flow = iter(items)
    while batch := list(islice(flow, size)):
        yield batch


def _packed(batch: "list[Any] | _Failed") -> "pa.Table":
    """A table of one row. Large, since the photos of a batch may take more than 2 GB."""
    import pyarrow as pa

    data = pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)
    return pa.table({COLUMN: pa.array([data], pa.large_binary())})


def _opened(data: "pa.Buffer") -> list[Any]:
    batch = pickle.loads(data)
    if isinstance(batch, _Failed):
        raise batch.error
    found: list[Any] = batch
    return found
