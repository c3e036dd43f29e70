"""Who said what about one attribute, as a table with a column for each person."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from curate.select.pool import Pool
from garments.agreement import annotators_answers
from garments.answers import NOT_VISIBLE, Answer, answer_of
from garments.catalog import one_of
from garments.said import Basis

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 30
"""Labelled garments of an attribute below which nothing is said."""

ENOUGH_OF_VALUE = 5
"""Labels of a value below which it is not judged: there is one for each part to learn from."""

MOST = 5000
"""Labelled garments that are looked at; of more, a random part."""

_SETTLED = (Basis.ADJUDICATED, Basis.CURATOR, Basis.IMPORT)
"""Who speaks beside annotators; their word has a column of its own."""

People = dict[str, dict[str, str]]
"""garment -> person -> value"""


@dataclass(frozen=True, eq=False)
class Known:
    """N labelled garments: `said` has a column for each person, NaN where they said nothing.

    Values are places in `values`; `groups` (N) are photos, which are not torn apart. `blind` (N,)
    are of the audit slice: they tell how good people are, and nothing else is learnt from them.
    """

    values: tuple[str, ...]
    ids: list[str]
    said: "pd.DataFrame"
    groups: list[str]
    blind: NDArray[np.bool_]

    def at(self, rows: list[int]) -> "Known":
        """These garments."""
        said = self.said.iloc[rows].dropna(axis=1, how="all").reset_index(drop=True)
        ids, groups = ([column[row] for row in rows] for column in (self.ids, self.groups))
        return Known(self.values, ids, said, groups, self.blind[rows])

    @property
    def shared(self) -> int:
        """Garments that several people answered."""
        return int((self.said.notna().sum(axis=1) > 1).sum())


def answers_of_people(pool: Pool) -> dict[str, People]:
    """Answers with one value by attribute, of labelled garments and those of the audit slice."""
    rows = pool.dataset.catalog.rows("labels").to_pylist()
    simulated, garments = pool.dataset.settings.simulated, pool.labelled | pool.blind
    found: dict[str, People] = {name: {} for name in pool.attributes}
    for name, by_garment in annotators_answers(rows, garments, simulated).items():
        for garment, said in by_garment.items() if name in found else ():
            for who, answer in said.items():
                _add(found[name], garment, who, answer)
    for (garment, name), held in pool.said.items():
        if name in found and garment in pool.labelled and held.basis in _SETTLED and held.value:
            _add(found[name], garment, f"{held.basis} {held.who}", answer_of(held.value))
    return found


def known_of(pool: Pool, name: str, people: People) -> Known | None:
    """What is known of one attribute, of values that are there often enough; None if too little."""
    import pandas as pd

    garments = sorted(people)
    if len(garments) > MOST:
        drawn = np.random.default_rng(pool.number).choice(len(garments), MOST, replace=False)
        garments = [garments[row] for row in sorted(drawn.tolist())]
    often: dict[str, int] = {}
    for garment in (one for one in garments if one not in pool.blind):
        for value in people[garment].values():
            often[value] = often.get(value, 0) + 1
    known = pool.dataset.taxonomy.values(name)
    values = tuple(value for value in known if often.get(value, 0) >= ENOUGH_OF_VALUE)
    place = {value: at for at, value in enumerate(values)}
    rows = {
        garment: {who: place[v] for who, v in people[garment].items() if v in place}
        for garment in garments
    }
    rows = {garment: said for garment, said in rows.items() if said}
    if len(rows.keys() - pool.blind) < ENOUGH or len(values) < 2:
        return None
    photos = _photos(pool, list(rows))
    table = pd.DataFrame(list(rows.values()), dtype=float)
    blind = np.array([garment in pool.blind for garment in rows])
    return Known(values, list(rows), table, [photos[garment] for garment in rows], blind)


def _add(people: People, garment: str, who: str, answer: Answer) -> None:
    if len(answer) == 1 and NOT_VISIBLE not in answer:
        people.setdefault(garment, {})[who] = next(iter(answer))


def _photos(pool: Pool, garments: list[str]) -> dict[str, str]:
    columns = ["garment_id", "photo_id"]
    rows = pool.dataset.catalog.rows("garments", columns, one_of("garment_id", garments))
    return dict(zip(*(rows.column(name).to_pylist() for name in columns), strict=True))
