"""Questions of earlier forms that a migration took out: they stay in the form, out of sight.

Label Studio refuses a form that lacks a question which was answered.
"""

from annotate.studio.controls import Control, controls
from garments.dataset import Dataset
from garments.migration.history import History


def retired(dataset: Dataset) -> tuple[Control, ...]:
    """The questions of earlier taxonomies that the one in force does not ask, the newest first."""
    asked = {control.name for control in controls(dataset.taxonomy)}
    found: dict[str, Control] = {}
    for taxonomy in History.of(dataset.folder).earlier:
        for control in controls(taxonomy):
            if control.name not in asked:
                found.setdefault(control.name, control)
    return tuple(found.values())
