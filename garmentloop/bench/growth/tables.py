"""What the catalogue is asked, at three sizes: each answer's time, and memory and storage."""

import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from garmentloop.bench import Figure
from garmentloop.bench.growth.answers import Answers
from garmentloop.bench.growth.fill import fill, garments, name_of
from garments.dataset import Dataset
from garments.status import status

TIMES = 3
"""Each is done so often, on a data set that was opened anew; the median counts."""

BATCH, BUDGET, NEIGHBOURS = 500, 300, 20

Asked = Callable[[Dataset, int], object]
"""Given the data set and how often it was done before."""


def measure(folder: Path, steps: Sequence[int]) -> Iterator[Figure]:
    """Figures `growth_<operation>_ms_<garments>`, and what the tables take on disk."""
    for count in steps:
        path = folder / f"{count}"
        began = time.perf_counter()
        fill(Dataset.create(path), count)
        yield Figure(f"growth_fill_s_{count}", time.perf_counter() - began, "s", "made-up rows")
        note = "rows, a vector of 128 and a proposal of a garment, half a photo; indices too"
        yield Figure(f"growth_garment_bytes_{count}", _size(path) / count, "B", note)
        for name, (ask, what) in operations(path, count).items():
            yield Figure(f"growth_{name}_ms_{count}", 1000 * _median(path, ask), "ms", what)
        shutil.rmtree(path)


def operations(path: Path, count: int) -> dict[str, tuple[Asked, str]]:
    """What is measured, by name, and in words."""
    answers = Answers(Dataset.open(path), count)
    return {
        "upsert": (_upsert(count), f"{BATCH} garments put, half of them known"),
        "pull": (lambda dataset, turn: answers.pull(dataset, turn), answers.about),
        "status": (lambda dataset, _: status(dataset), "every count"),
        "select": (lambda dataset, _: _select(dataset), f"uncertain-diverse, {BUDGET} garments"),
        "similar": (lambda dataset, turn: _similar(dataset, turn), f"{NEIGHBOURS} neighbours"),
    }


def _size(path: Path) -> int:
    """Bytes of the catalogue without the versions of before."""
    catalog = Dataset.open(path).catalog
    for table in catalog.tables():
        if (found := catalog.newest(table)) is not None:
            found.cleanup_old_versions(timedelta(0), delete_unverified=True)
    return sum(one.stat().st_size for one in catalog.folder.rglob("*") if one.is_file())


def _median(path: Path, ask: Asked) -> float:
    """Seconds; the first time, which loads libraries, is not counted."""
    ask(Dataset.open(path), 0)
    found = []
    for turn in range(1, TIMES + 1):
        dataset = Dataset.open(path)
        began = time.perf_counter()
        ask(dataset, turn)
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def _upsert(count: int) -> Asked:
    half = BATCH // 2

    def put(dataset: Dataset, turn: int) -> None:
        import pyarrow as pa

        known, new = garments(turn * half, half), garments(count + turn * half, half)
        dataset.catalog.put("garments", pa.concat_tables([known, new]))

    return put


def _select(dataset: Dataset) -> None:
    from curate.select.choose import SelectOptions, select

    select(dataset, SelectOptions(budget=BUDGET))


def _similar(dataset: Dataset, turn: int) -> None:
    from annotate.similar import similar

    similar(dataset, name_of("garment", turn), NEIGHBOURS)
