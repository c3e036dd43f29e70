"""What a takedown would take, before anything is changed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curate.release.thin import Gone
from curate.release.touched import Touched, touched_by
from garmentloop.takedown.find import Asked
from garmentloop.takedown.originals import originals_elsewhere
from garments.catalog.belongings import Belongings, among, belongings
from garments.catalog.purge import count_rows

if TYPE_CHECKING:
    from garments.dataset import Dataset


@dataclass(frozen=True)
class TouchedModel:
    """A trained tagger that learnt from a release with some of the garments in it."""

    reference: str
    release: str
    in_force: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """All that would go.

    `rows` are counts by table. `problems` say which releases cannot be told. `originals` are files
    outside of the data set's folder that the photos were read from, and `copies` other photos that
    show the same picture: these stay. `recut` says that garments were cut more than once, so that
    older crops may be about.
    """

    asked: Asked
    what: Belongings
    rows: dict[str, int] = field(default_factory=dict)
    releases: tuple[Touched, ...] = ()
    problems: tuple[str, ...] = ()
    models: tuple[TouchedModel, ...] = ()
    originals: tuple[Path, ...] = ()
    copies: tuple[str, ...] = ()
    recut: bool = False


def make_plan(dataset: "Dataset", asked: Asked) -> Plan:
    """Look at everything; nothing is changed."""
    what = belongings(dataset.catalog, asked.photos, asked.handle)
    releases, problems = touched_by(dataset, gone_of(what))
    return Plan(
        asked,
        what,
        count_rows(dataset.catalog, what),
        tuple(releases),
        tuple(problems),
        tuple(_models(dataset, releases)),
        tuple(originals_elsewhere(dataset, what)),
        tuple(_copies(dataset, what)),
        _recut(dataset, what),
    )


def gone_of(what: Belongings) -> Gone:
    """The same, as releases know it."""
    return Gone(what.photos, what.garments, what.groups)


def _models(dataset: "Dataset", releases: list[Touched]) -> list[TouchedModel]:
    """Taggers that learnt from any of these, where garments of train or validation go."""
    learnt = {one.name for one in releases if set(one.garments) - {"test"}}
    if not learnt or not dataset.models.is_dir():
        return []
    from finetune.models import trained

    return [
        TouchedModel(one.reference, one.learnt_from, one.in_force)
        for one in trained(dataset)
        if one.made and str(one.made.trained_on.get("release") or "") in learnt
    ]


def _copies(dataset: "Dataset", what: Belongings) -> list[str]:
    """Other photos that show the same picture as one that goes."""
    from curate.duplicates import copied_photos

    pairs = copied_photos(dataset, what.photos)
    return sorted({name for pair in pairs for name in pair} - what.photos)


def _recut(dataset: "Dataset", what: Belongings) -> bool:
    runs: dict[str, int] = {}
    for where in among("photo_id", what.photos):
        rows = dataset.catalog.rows("extractions", ["photo_id"], f"kind = 'run' AND {where}")
        for name in rows.column(0).to_pylist():
            runs[name] = runs.get(name, 0) + 1
    return any(count > 1 for count in runs.values())
