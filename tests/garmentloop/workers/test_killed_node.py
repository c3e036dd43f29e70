"""A node of the cluster dies in the middle of a run."""

from comparing import expect_same, rows
from slow_paint import extract
from standins import write_streets

from garmentloop.workers.pipeline import RayWorkers
from garments.dataset import Dataset


def test_a_node_that_is_killed_loses_nothing_and_doubles_nothing(cluster, add_node, tmp_path):
    photos = write_streets(tmp_path / "in", 40)
    local, other = (Dataset.create(tmp_path / name) for name in ("local", "ray"))
    *_, expected = extract(local, photos)
    doomed, _ = (add_node(num_cpus=1, num_gpus=1) for _ in range(2))  # so that the steps are apart
    events = extract(other, photos, RayWorkers())
    first = next(events)
    cluster.remove_node(doomed, allow_graceful=False)
    *_, end = events
    assert first.done == 1 and end == expected
    expect_same(local, other)
    assert len(rows(other, "extractions")) == 40, "one for each photo"
