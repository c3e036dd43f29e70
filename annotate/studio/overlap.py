"""Tasks that several people answer, each without seeing the others' answers.

Label Studio has a number of answers per project and one per task, which can be set by its API only
once the task is there. So it is kept in our own row first, and set after the tasks were sent;
where a push is killed in between, the next one sees the difference.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from annotate.studio.client import Studio
from annotate.studio.listing import Listed
from garments.ids import ID_LENGTH, stable_id

EVERYBODY = 1000
"""Answers that a gold task waits for: it is shown to everyone who ever labels."""

_THREADS = 4

_AT_ONCE = 20
"""Tasks between two signs of life: the server takes some 4 a second."""


def people_for(garment_id: str, overlap: int, share: float) -> int | None:
    """How many people are asked about a garment; None for as many as its project has.

    Which garments are drawn depends on their id alone, and a larger share holds a smaller one.
    """
    drawn = int(stable_id("overlap", garment_id), 16) / 16**ID_LENGTH < share
    return overlap if overlap > 1 and drawn else None


def differing(wanted: Mapping[str, int], there: Mapping[str, Listed]) -> list[tuple[Listed, int]]:
    """Tasks on the server, by the name of their garment, that ask another number of people."""
    pairs = ((there[name], people) for name, people in wanted.items() if name in there)
    return [(task, people) for task, people in pairs if task.overlap != people]


def set_overlaps(studio: Studio, tasks: list[tuple[Listed, int]]) -> Iterator[int]:
    """Ask that many people about these tasks, and tell now and then how many are done."""

    def change(pair: tuple[Listed, int]) -> None:
        task, people = pair
        studio.set_overlap(task.id, people, task.answers)

    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(tasks), _AT_ONCE):
            batch = tasks[start : start + _AT_ONCE]
            list(pool.map(change, batch))
            yield len(batch)
