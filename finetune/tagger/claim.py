"""Which name a training gets: its own from before if it was killed, else the next free one."""

import json
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from annotate.in_force import trained_models
from curate.release.names import checked_name
from finetune.tagger.options import TaggerOptions
from garments.catalog.lock import exclusive
from garments.dataset import Dataset
from garments.errors import BadSetting, CatalogError
from garments.ids import stable_id
from garments.whole import write_whole

RECIPE, LOCK, TENSORBOARD = "recipe.json", ".lock", "tensorboard"

_HOW_LONG = {"minutes": None, "threads": 1}
"""Parts of a recipe that may differ when a training is gone on with."""


def recipe_key(options: TaggerOptions, origin_hash: str) -> str:
    """What makes two trainings the same: all that is asked but its length, and what it is on."""
    asked = {**asdict(options.recipe), **_HOW_LONG}
    text = json.dumps([asked, options.attributes, options.release, origin_hash], sort_keys=True)
    return stable_id("training", text)


@contextmanager
def claimed(dataset: Dataset, options: TaggerOptions, key: str) -> Iterator[tuple[str, Path]]:
    """A name and a folder for checkpoints that nobody else has, for as long as the block runs.

    Of several trainings that were killed the one with this `key` is gone on with. Raises
    `BadSetting` where the name that is asked for is taken, or is being trained right now.
    """
    runs = dataset.run / "training"
    runs.mkdir(parents=True, exist_ok=True)
    with exclusive(runs / LOCK):
        name = _name(dataset, options, runs, key)
        folder = runs / name
        folder.mkdir(exist_ok=True)
        held = exclusive(folder / LOCK, timeout=0)
        try:
            held.__enter__()
        except CatalogError:
            raise BadSetting(
                f"expected a name of its own for this training, but model:{name} is being trained "
                "right now; wait for it, or give another --name"
            ) from None
        if _key_of(folder) != key:
            _clear(folder)
            content = {"key": key, "release": options.release}
            write_whole(folder / RECIPE, json.dumps(content) + "\n")
    try:
        yield name, folder
    finally:
        held.__exit__(None, None, None)


def finish(folder: Path) -> None:
    """Clear the checkpoints away once the model is in its place; TensorBoard's curves stay."""
    _clear(folder, keep=(LOCK, TENSORBOARD))
    if not (folder / TENSORBOARD).exists():
        shutil.rmtree(folder, ignore_errors=True)


def forget_unfinished(dataset: Dataset, releases: Collection[str]) -> list[str]:
    """Clear away checkpoints of trainings on these releases that never ended; their names.

    Nobody may be training meanwhile. Where it was not kept which release it was, it counts.
    """
    gone = []
    for path in sorted((dataset.run / "training").glob(f"*/{RECIPE}")):
        if _release_of(path) in (None, *releases):
            shutil.rmtree(path.parent, ignore_errors=True)
            gone.append(path.parent.name)
    return gone


def _release_of(recipe: Path) -> str | None:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        found = json.loads(recipe.read_text(encoding="utf-8")).get("release")
        return None if found is None else str(found)
    return None


def _name(dataset: Dataset, options: TaggerOptions, runs: Path, key: str) -> str:
    models = trained_models(dataset)
    if options.name:
        name = checked_name(options.name)
        if (models / name).exists():
            raise BadSetting(
                f"expected a new name, but there is a model:{name} already, and a model is never "
                "changed; give another --name"
            )
        return name
    unfinished = [path.parent for path in sorted(runs.glob(f"*/{RECIPE}"))]
    for folder in unfinished:
        if _key_of(folder) == key and _free(folder) and not (models / folder.name).exists():
            return folder.name
    taken = {path.name for path in (*models.glob("*"), *unfinished)}
    return next(f"v{number}" for number in range(1, len(taken) + 2) if f"v{number}" not in taken)


def _key_of(folder: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((folder / RECIPE).read_text(encoding="utf-8"))["key"])
    return ""


def _free(folder: Path) -> bool:
    """Whether nobody is training there."""
    try:
        with exclusive(folder / LOCK, timeout=0):
            return True
    except CatalogError:
        return False


def _clear(folder: Path, keep: Sequence[str] = (LOCK,)) -> None:
    """Take away what is under this name, such as what another recipe left."""
    for path in folder.iterdir():
        if path.name in keep:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
