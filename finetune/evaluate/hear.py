"""What taggers say about the test garments of a release: raw logits, kept for the next time.

They lie in `run/evaluations/<release>/<tagger version>/<part>.npz` of the data set: a version says
the same about the same pictures for ever, so whoever is killed goes on from the last part.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from annotate.hearing import Panel
from extract.pipeline import Threads, Workers
from finetune.evaluate.asking import Logits, Part, asking
from finetune.evaluate.held_out import PART, HeldOut
from garments.atwork import at_work
from garments.calibration import Calibration
from garments.errors import DatasetError, ModelError
from garments.inforce import calibrations
from garments.tagger import Activation, Tagger, TaggerVersion
from garments.whole import write_whole

if TYPE_CHECKING:
    from garments.dataset import Dataset

READERS = 1
"""Threads that read ahead, a part at a time."""

Tell = Callable[[int, int], None]
"""Is told how many garments of how many are done."""


@dataclass(frozen=True, eq=False)
class Voice:
    """What one tagger says about the N test garments, by attribute: (N, K) raw logits.

    `calibrations` are those that the catalogue has for its versions, else its own.
    """

    reference: str
    versions: Mapping[str, TaggerVersion]
    logits: Mapping[str, NDArray[np.float32]]
    activations: Mapping[str, Activation]
    calibrations: Mapping[str, Calibration]


def hear(
    dataset: "Dataset",
    held_out: HeldOut,
    panel: Panel,
    tell: Tell = lambda done, total: None,
    workers: Workers | None = None,
) -> list[Voice]:
    """Ask the taggers what nobody has kept yet; a voice for each.

    `workers` do the work, a thread that reads ahead unless given. `ModelError` for a tagger that
    answers for other values than the taxonomy's.
    """
    with at_work(dataset):
        return _heard(dataset, held_out, panel, tell, workers or Threads(READERS))


def _heard(
    dataset: "Dataset", held_out: HeldOut, panel: Panel, tell: Tell, workers: Workers
) -> list[Voice]:
    cache = _Kept(dataset, held_out)
    versions = [_versions(dataset, held_out, tagger) for tagger in panel.taggers]
    asked = [_lacking(held_out, cache, versions, part) for part in range(held_out.parts)]
    missing = [part for part in asked if any(part.of)]
    done = len(held_out) - sum(map(len, missing))
    tell(done, len(held_out))
    with closing(workers.run(missing, asking(held_out.files, panel), batch=1)) as parts:
        for said in parts:
            for number, answers in said.by_tagger.items():
                cache.keep(panel.taggers[number], versions[number], said.part, answers)
            done += len(said.part)
            tell(done, len(held_out))
    fitted = calibrations(dataset)
    return [cache.voice(*pair, fitted) for pair in zip(panel.taggers, versions, strict=True)]


def _lacking(
    held_out: HeldOut,
    cache: "_Kept",
    versions: Sequence[Mapping[str, TaggerVersion]],
    number: int,
) -> Part:
    """A part of the test rows, to be asked of the taggers that have not said everything there."""
    last = min((number + 1) * PART, len(held_out))
    of = [any(cache.load(v, name, number) is None for name, v in m.items()) for m in versions]
    return Part(number, number * PART, last, tuple(of))


def _versions(dataset: "Dataset", held_out: HeldOut, tagger: Tagger) -> dict[str, TaggerVersion]:
    """By attribute that is held out and that the tagger answers."""
    found = {name: tagger.version(name) for name in tagger.attributes if name in held_out.truths}
    for name, version in found.items():
        if version.vocabulary_hash != dataset.taxonomy.vocabulary_hash(name):
            raise ModelError(
                f"expected {tagger.reference} to know the values of {name} that taxonomy.toml "
                "has, but it was made for another taxonomy; train it again on a release of now"
            )
    return found


class _Kept:
    """The files in which logits wait to be asked for again."""

    def __init__(self, dataset: "Dataset", held_out: HeldOut) -> None:
        self._folder = dataset.run / "evaluations" / held_out.hash[:16]
        self._held_out, self._taxonomy = held_out, dataset.taxonomy
        self._parts: dict[tuple[str, int], Logits] = {}

    def load(self, version: TaggerVersion, attribute: str, part: int) -> Logits | None:
        """One part of what a version said, None where it is not there or not whole."""
        key = (version.id, part)
        if key not in self._parts:
            found = _read(self._path(*key))
            if found is None or found[0].shape != self._shape(attribute, part):
                return None
            self._parts[key] = found
        return self._parts[key]

    def keep(
        self,
        tagger: Tagger,
        versions: Mapping[str, TaggerVersion],
        part: Part,
        answers: Mapping[str, Logits],
    ) -> None:
        """Write down what a tagger says about a part, where nobody has kept it."""
        for name, version in versions.items():
            if self.load(version, name, part.number) is not None:
                continue
            logits, kind = answers[name]
            if logits.shape != self._shape(name, part.number):
                raise ModelError(
                    f"expected logits of shape {self._shape(name, part.number)} for {name} from "
                    f"{tagger.reference}, but got {logits.shape}; was it made for another "
                    "taxonomy? Train it again"
                )
            _write(self._path(version.id, part.number), (logits, kind))
            self._parts[version.id, part.number] = (logits, kind)

    def voice(
        self,
        tagger: Tagger,
        versions: Mapping[str, TaggerVersion],
        fitted: Mapping[tuple[str, str], Calibration],
    ) -> Voice:
        """All parts of what a tagger said."""
        logits, kinds, calibrated = {}, {}, {}
        for name, version in versions.items():
            parts = [self._parts[version.id, part] for part in range(self._held_out.parts)]
            logits[name] = np.concatenate([part[0] for part in parts])
            kinds[name] = parts[0][1]
            one = fitted.get((version.id, name)) or tagger.calibrations.get(name)
            if one:
                calibrated[name] = one
        return Voice(tagger.reference, versions, logits, kinds, calibrated)

    def _shape(self, attribute: str, part: int) -> tuple[int, int]:
        count = min(PART, len(self._held_out) - part * PART)
        return count, len(self._taxonomy.values(attribute))

    def _path(self, version: str, part: int) -> Path:
        return self._folder / version / f"{part:05d}.npz"


def _read(path: Path) -> Logits | None:
    """What is kept in a file; None where it cannot be read, so that it is asked for again."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as found:
            return np.asarray(found["logits"], np.float32), Activation(str(found["activation"]))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _write(path: Path, part: Logits) -> None:
    file = BytesIO()
    np.savez(file, logits=part[0], activation=np.array(str(part[1])))
    try:
        write_whole(path, file.getvalue())
    except OSError as error:
        raise DatasetError(
            f"expected to write {path}, but {error.strerror or error}; make room there and run "
            "the same command again: what was finished is kept"
        ) from error
