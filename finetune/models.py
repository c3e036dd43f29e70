"""The trained taggers of a data set: what there is, and what is known of each."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from annotate.finetuned.folder import Made, read_made
from annotate.in_force import promoted_references, trained_models
from annotate.taggers import trained_folder, trained_names
from curate.release.manifest import read_manifest
from curate.release.names import release_folder
from garments.dataset import Dataset
from garments.errors import BadSetting, DatasetError, ModelError
from garments.modelfolder import CARD, CONFIG, WEIGHTS


@dataclass(frozen=True)
class Listed:
    """One trained tagger. `in_force` are the attributes that it is promoted for.

    `problem` says why its folder cannot be read, "" where it can; `made` is None then.
    `withdrawn` are garments that were taken down since, of those that it learnt from.
    """

    name: str
    folder: Path
    made: Made | None
    created: datetime
    megabytes: float
    in_force: tuple[str, ...] = field(default=())
    problem: str = ""
    withdrawn: int = 0

    @property
    def reference(self) -> str:
        """Under which name models are asked for."""
        return f"model:{self.name}"

    @property
    def learnt_from(self) -> str:
        """The release or folder, "" where nobody knows."""
        origin: Any = self.made.trained_on if self.made else {}
        return str(origin.get("release") or origin.get("data") or "")


def trained(dataset: Dataset) -> list[Listed]:
    """All trained taggers of a data set, the oldest first; damaged ones with their problem."""
    promoted, models = promoted_references(dataset), trained_models(dataset)
    return [_listed(dataset, models / name, promoted) for name in trained_names(models)]


def one_trained(dataset: Dataset, name: str) -> Listed:
    """One of them by `NAME` or `model:NAME`; `UnknownModel` names those there are."""
    folder = trained_folder(trained_models(dataset), name.removeprefix("model:"))
    return _listed(dataset, folder, promoted_references(dataset))


def card_of(listed: Listed) -> str:
    """Its model card as Markdown; `ModelError` where there is none."""
    try:
        return (listed.folder / CARD).read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"expected the card of {listed.reference} in {listed.folder / CARD}, but {error}; copy "
            "the model again"
        ) from error


def _listed(dataset: Dataset, folder: Path, promoted: dict[str, tuple[str, ...]]) -> Listed:
    made, problem = None, ""
    try:
        made = read_made(folder)
    except ModelError as error:
        problem = str(error)
    created = datetime.fromtimestamp((folder / CONFIG).stat().st_mtime, UTC)
    weights = folder / WEIGHTS
    size = weights.stat().st_size / 1e6 if weights.is_file() else 0.0
    in_force = promoted.get(f"model:{folder.name}", ())
    gone = _withdrawn(dataset, made) if made else 0
    return Listed(folder.name, folder, made, created, size, in_force, problem, gone)


def _withdrawn(dataset: Dataset, made: Made) -> int:
    """How many garments it learnt from were withdrawn from its release since; 0 where unknown."""
    release, hash_ = made.trained_on.get("release"), made.trained_on.get("hash")
    if not release or not hash_:
        return 0
    try:
        return read_manifest(release_folder(dataset, str(release))).withdrawn_since(str(hash_))
    except (DatasetError, BadSetting):
        return 0
