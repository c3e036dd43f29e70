"""Pushing what a curator wants annotated, from inside the App."""

from collections import deque
from typing import TYPE_CHECKING

from curate.curator import send_file

if TYPE_CHECKING:
    from garments.dataset import Dataset


def push_list(dataset: "Dataset") -> str:
    """Push `send.txt` to the Label Studio that runs for this data set; what came of it.

    Raises `StudioError` where that fails; what was sent until then counts.
    """
    from annotate.studio.client import connect
    from annotate.studio.push import PushOptions, push

    options = PushOptions(select=str(send_file(dataset)))
    events = deque(push(dataset, connect(dataset), options), maxlen=1)
    return str(events[-1]) if events else ""
