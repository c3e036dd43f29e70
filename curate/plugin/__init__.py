"""The FiftyOne plugin: what a curator does to selected crops without leaving the grid.

The App is given a copy of `fiftyone.yml` and of this file (`curate.fiftyone.environment`), which it
runs under a name of its own; all else is imported from here, with the App's first request.
"""

from typing import Any


def register(plugin: Any) -> None:
    """What FiftyOne calls to learn of the operators."""
    from curate.plugin.operators import OPERATORS

    for operator in OPERATORS:
        plugin.register(operator)
