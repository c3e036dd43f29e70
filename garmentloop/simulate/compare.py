"""Strategies of selection compared on a set whose truth is known: many short rehearsals.

What is the same for all of them is done once: garments are cut out, the held-out ones are answered
blind, proposals and embeddings are made, and a probe's features of every crop are kept. Each run
begins with a copy of that, and chooses from the part of it that its seed draws. A comparison that
is stopped goes on where it was.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.select.strategies import FOR_NEW
from garmentloop.loop.select import strategy
from garmentloop.simulate.backbone import expect_unseen
from garmentloop.simulate.curve import Run
from garmentloop.simulate.options import SimulateOptions
from garmentloop.simulate.quick import WHO, f1_in_force, quick_steps
from garmentloop.simulate.run import Rehearsal, Show
from garmentloop.simulate.sets import read_set
from garments.dataset import Dataset
from garments.errors import BadSetting, DatasetError
from garments.ids import stable_id
from garments.said import audit_slice
from garments.whole import write_whole

if TYPE_CHECKING:
    from annotate.studio.client import Studio
    from garmentloop.loop.round import StepEvent

PREPARED, RUNS = "prepared", "runs"

POOL = 0.8
"""Share of the garments that each seed chooses from, drawn by it: else what a strategy does not
draw would be the same for all seeds, and their spread would say nothing."""

_LINKED = ("crops", "previews")
"""Folders whose files never change, so that copies share them."""

Connect = Callable[[Dataset], "Studio"]


@dataclass(frozen=True)
class CompareOptions:
    """`rounds` of `budget` garments by each of `strategies` and each of the first `seeds` seeds.

    Of these the first `studio` are answered in a real Label Studio, the others directly. The rest
    is as in `SimulateOptions`; a tagger is always a probe on `backbone`.
    """

    strategies: tuple[str, ...] = tuple(name for name in FOR_NEW if name != "new")
    seeds: int = 5
    rounds: int = 8
    budget: int = 100
    error_rate: float = 0.0
    backbone: str = "starter"
    photos: int | None = None
    studio: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in self.strategies:
            strategy(name)
        if not self.strategies or len(set(self.strategies)) < len(self.strategies):
            raise BadSetting(
                f"expected some strategies of {', '.join(FOR_NEW)}, each once, but got "
                f"{', '.join(self.strategies) or 'none'}"
            )
        if self.seeds < 1 or not 0 <= self.studio <= self.seeds:
            raise BadSetting(
                "expected at least 1 seed, of which as many through Label Studio as there are, but "
                f"got {self.seeds} and {self.studio}"
            )

    def simulate(self, strategy: str, seed: int) -> SimulateOptions:
        """One run of it."""
        return SimulateOptions(
            rounds=self.rounds,
            budget=self.budget,
            seed=seed,
            error_rate=self.error_rate,
            backbone=self.backbone,
            select=strategy,
            photos=self.photos,
            device=self.device,
        )

    @property
    def kept(self) -> dict[str, Any]:
        """What has to be the same when a comparison goes on."""
        free = ("strategies", "seeds", "studio", "device")
        return {name: value for name, value in asdict(self).items() if name not in free}


@dataclass(frozen=True)
class CompareEvent:
    """What is going on: `run` of `runs` is at a round, has ended (`done`), or was done before."""

    run: int
    runs: int
    what: str
    done: Run | None = None
    event: "StepEvent | None" = None


class Comparison:
    """One comparison in a folder; run again on the same folder, it goes on where it was stopped."""

    def __init__(
        self,
        data: Path | str,
        folder: Path | str,
        options: CompareOptions | None = None,
        connect: "Connect | None" = None,
        stop: Callable[[], None] = lambda: None,
        show: Show | None = None,
    ) -> None:
        """`connect` finds Label Studio for the runs that go through it; `stop` ends it after each.

        Errors as `Rehearsal`; `BadSetting` where `folder` holds a comparison with other options.
        """
        self.options, self.show = options or CompareOptions(), show or Show()
        self.data, self.folder = Path(data), Path(folder)
        self._connect, self._stop = connect, stop
        if self.options.studio and connect is None:
            raise BadSetting("expected a way to Label Studio for runs that go through it")
        expect_unseen(self.options.backbone, read_set(self.data).name)
        self._claim()
        first = self.options.simulate(self.options.strategies[0], 0)
        self.base = Rehearsal(self.data, self.folder / PREPARED, first, show=self.show)

    def prepare(self) -> int:
        """What all runs share; how many garments are held out."""
        from annotate.options import PrelabelOptions
        from annotate.prelabel import prelabel
        from finetune.tagger.at_once import look_at_all
        from finetune.tagger.options import Recipe

        held_out = self.base.prepare()
        options = PrelabelOptions(device=self.options.device)
        self.show.follow(prelabel(self.base.dataset, options), "tagging")
        recipe = Recipe(backbone=self.options.backbone)
        self.show.follow(look_at_all(self.base.dataset, recipe, self.options.device), "looking")
        return held_out

    def runs(self) -> Iterator[CompareEvent]:
        """All runs that are left, seed by seed, so that strategies can be compared early."""
        names, seeds = self.options.strategies, range(self.options.seeds)
        wanted = [(name, seed) for seed in seeds for name in names]
        for number, (name, seed) in enumerate(wanted, 1):
            what = f"{name}, seed {seed}"
            if known := self._known(name, seed):
                yield CompareEvent(number, len(wanted), what, known)
                continue
            yield CompareEvent(number, len(wanted), what)
            rehearsal = self._begin(name, seed)
            began = time.monotonic()
            for round_, event in rehearsal.rounds():
                yield CompareEvent(number, len(wanted), f"{what}, {round_}", event=event)
            yield CompareEvent(number, len(wanted), what, self._end(rehearsal, began))

    def finished(self) -> list[Run]:
        """Runs that are done, in the order of the strategies."""
        found = [
            self._known(name, seed)
            for name in self.options.strategies
            for seed in range(self.options.seeds)
        ]
        return [run for run in found if run]

    def _claim(self) -> None:
        """Keep the options that must not change on the way."""
        path = self.folder / "comparison.json"
        asked = {"data": self.data.resolve().name, **self.options.kept}
        if path.exists():
            known = _read(path)
            if known != asked:
                other = [f"{k} {known.get(k)}" for k in asked if known.get(k) != asked[k]]
                raise BadSetting(
                    f"expected the options with which the comparison in {self.folder} was begun, "
                    f"but there it is {', '.join(other)}; give them again, or another --out"
                )
            return
        if self.folder.exists() and any(self.folder.iterdir()):
            raise DatasetError(
                f"expected a new folder or that of a comparison, but {self.folder} holds something "
                "else; give another --out"
            )
        write_whole(path, json.dumps(asked, indent=2) + "\n")

    def _begin(self, name: str, seed: int) -> Rehearsal:
        """A run on its copy of what is prepared, made where there is none."""
        folder = self.folder / RUNS / f"{name}-{seed}"
        if not folder.exists():
            _copy(self.base.dataset.folder, folder)
        _leave_out(Dataset.open(folder), seed)
        connect = self._connect if seed < self.options.studio else None
        rehearsal = Rehearsal(
            self.data, folder, self.options.simulate(name, seed), connect, self.show
        )
        truth = rehearsal.annotator().truth
        rehearsal.steps = quick_steps(self.base.set.attributes, truth)
        return rehearsal

    def _end(self, rehearsal: Rehearsal, began: float) -> Run:
        """Keep what a run found, and let its copy go."""
        options, known = rehearsal.options, rehearsal.finished()
        found = [one.of("report")["f1"] for one in known]
        truth = self.base.annotator().truth
        start = f1_in_force(self.base.dataset, self.base.set.attributes, truth)
        pulled = [one.of("pull") for one in known]
        labels = [int(one["garments"]) - int(one["blind"]) for one in pulled]
        run = Run(
            options.select,
            options.seed,
            options.seed < self.options.studio,
            (0, *labels),
            {name: (start[name], *(one[name] for one in found)) for name in start},
            round(time.monotonic() - began, 1),
        )
        write_whole(self._path(run.strategy, run.seed), json.dumps(run.as_json()) + "\n")
        self._stop()
        shutil.rmtree(rehearsal.dataset.folder, ignore_errors=True)
        return run

    def _known(self, name: str, seed: int) -> Run | None:
        """A run that is done; one through Label Studio counts for one without, not otherwise."""
        path = self._path(name, seed)
        if not path.exists():
            return None
        try:
            run = Run.read(_read(path))
        except (KeyError, TypeError, AttributeError) as error:
            raise DatasetError(
                f"expected a run of a comparison in {path}, but {error!r}; delete it, then run the "
                "same command again"
            ) from error
        return run if run.studio or seed >= self.options.studio else None

    def _path(self, name: str, seed: int) -> Path:
        return self.folder / RUNS / f"{name}-{seed}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"expected JSON in {path}, but {error}; delete it, then run the same command again"
        ) from error
    return found if isinstance(found, dict) else {}


def _leave_out(dataset: Dataset, seed: int) -> None:
    """Take the garments that are not in this seed's pool out of it, always the same ones."""
    blind = audit_slice(dataset)
    rows = dataset.catalog.active_garments(columns=["garment_id"]).column(0).to_pylist()
    rows = sorted(set(rows) - blind, key=lambda name: stable_id("pool", seed, name))
    reason = f"not in the pool of seed {seed}"
    decisions = [
        {
            "decision_id": stable_id("pool", name),
            "garment_id": name,
            "kind": "excluded",
            "note": reason,
            "who": WHO,
        }
        for name in rows[round(POOL * len(rows)) :]
    ]
    dataset.catalog.add("decisions", decisions)


def _copy(prepared: Path, folder: Path) -> None:
    """A copy that appears whole; pictures and features are shared with the original."""
    new = folder.with_name(f".new-{folder.name}")
    shutil.rmtree(new, ignore_errors=True)
    new.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(prepared, new, ignore=lambda where, names: _shared(prepared, where, names))
    for name in (*_LINKED, "run/features"):
        if (prepared / name).is_dir():
            shutil.copytree(prepared / name, new / name, copy_function=_link)
    new.rename(folder)


def _shared(prepared: Path, where: str, names: list[str]) -> list[str]:
    """What is not copied here: it is linked."""
    at = Path(where).relative_to(prepared).as_posix()
    skip = {".": _LINKED, "run": ("features",)}.get(at, ())
    return [name for name in names if name in skip]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
