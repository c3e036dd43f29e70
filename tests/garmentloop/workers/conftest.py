"""A Ray cluster on this machine for each file of tests, whose workers know the stand-ins."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from quiet_ray import ENVIRONMENT, node


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster with a head of two cores; this process is connected to it."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'garmentloop[ray]'")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args=node(num_cpus=2))
    ray.init(made.address, log_to_driver=False, logging_level="error")
    try:
        yield made
    finally:
        ray.shutdown()
        made.shutdown()
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def add_node(cluster: Any) -> Iterator[Callable[..., Any]]:
    """Adds a node for one test; one that is left at its end is removed."""
    mine: list[Any] = []

    def add(**resources: float) -> Any:
        mine.append(cluster.add_node(**node(**resources)))
        return mine[-1]

    yield add
    for left in set(mine) & set(cluster.worker_nodes):
        cluster.remove_node(left, allow_graceful=False)
