"""A push in a process of its own that can be killed: `python pushing.py DATASET [adjudicate]`.

PUSH_OPTIONS are those of the push as JSON.
"""

import itertools
import json
import os
import signal
import sys

from annotate.studio import overlap
from annotate.studio import sending as module
from annotate.studio.adjudicate import adjudicate
from annotate.studio.client import Studio, connect
from annotate.studio.push import PushOptions, push
from garments.catalog import Catalog
from garments.dataset import Dataset

MOMENTS = 24
MOMENTS_OF_TEAMS = 40
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
        (Studio, "set_overlap"),
        (Studio, "delete_tasks"),
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
    overlap._THREADS = 1
    dataset = Dataset.open(sys.argv[1])
    options = json.loads(os.environ.get("PUSH_OPTIONS", '{"audit": 0.2}'))
    if sys.argv[2:] == ["adjudicate"]:
        events = adjudicate(dataset, connect(dataset))
    else:
        events = push(dataset, connect(dataset), PushOptions(**options))
    for _ in events:
        pass
