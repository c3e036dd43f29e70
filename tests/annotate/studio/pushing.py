"""A push in a process of its own that can be killed: `python pushing.py DATASET`."""

import itertools
import os
import signal
import sys

from annotate.studio import push as module
from annotate.studio.client import Studio, connect
from annotate.studio.push import PushOptions, push
from garments.catalog import Catalog
from garments.dataset import Dataset

MOMENTS = 24
"""Before and after each write of a small push, with some to spare."""


def die_at(number: int) -> None:
    """Kill this process at a moment: even before, odd after a write to the catalogue, the journal
    or the server."""
    counter = itertools.count(0, 2)
    for owner, name in (
        (Catalog, "put"),
        (module, "write_journal"),
        (Studio, "import_tasks"),
        (Studio, "replace_predictions"),
        (Studio, "update_task"),
    ):
        setattr(owner, name, deadly(getattr(owner, name), counter, number))


def deadly(write, counter, number: int):
    def call(*args, **kwargs):
        mine = next(counter)
        if mine == number:
            os.kill(os.getpid(), signal.SIGKILL)
        result = write(*args, **kwargs)
        if mine + 1 == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


if __name__ == "__main__":
    module.BATCH = 4
    module._UPDATES = 4
    module._THREADS = 1
    die_at(int(os.environ["DIE_AT"]))
    dataset = Dataset.open(sys.argv[1])
    for _ in push(dataset, connect(dataset), PushOptions(audit=0.2)):
        pass
