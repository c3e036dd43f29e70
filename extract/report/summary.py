"""The head of the contact sheet: what the whole data set holds, and how it was extracted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from extract.provenance import Provenance, read_provenance
from extract.report.proposed import Proposed, Speaker, speakers
from garments.catalog import Catalog
from garments.dataset import Dataset
from garments.parts import Region
from garments.records import Doubt, Verdict

SHOWN_PROBLEMS = 500
"""Unreadable sources that are listed; the others are only counted."""

VERDICT_WORDS = {
    Verdict.ACCEPTED: "accepted",
    Verdict.TOO_SMALL: "too small",
    Verdict.TOO_CLOSE: "too close",
    Verdict.HEAD_ONLY: "head only",
    Verdict.HALF_BODY: "half body",
    Verdict.CUT_OFF: "cut off",
    Verdict.NO_HEAD: "no head",
    Verdict.NO_LEGS: "no legs",
}

DOUBT_WORDS = {
    Doubt.TINY: "tiny",
    Doubt.FRAGMENTED: "fragmented",
    Doubt.BORDER: "touches the border",
    Doubt.LOW_CONFIDENCE: "low confidence",
    Doubt.OCCLUDED: "occluded",
    Doubt.SECOND_GUESS: "second guess",
}


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: a key for its colour and filter, words, a count and its share of all."""

    key: str
    words: str
    count: int
    share: float


@dataclass(frozen=True)
class Problem:
    """A source that could not be read."""

    origin: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """Counts over the whole data set."""

    name: str
    photos: int
    people: int
    accepted: int
    garments: int
    unreadable: int
    verdicts: list[Bar]
    regions: list[Bar]
    doubts: list[Bar]
    labels: list[Bar]
    speakers: list[Speaker]
    problems: list[Problem]
    runs: list[tuple[Provenance, int]]


def summarise(dataset: Dataset, proposals: Mapping[str, Proposed]) -> Summary:
    """Count what the newest extractions found, and what `proposals` (by garment) propose."""
    catalog = dataset.catalog
    people = catalog.active_people(columns=["verdict"]).column("verdict").to_pylist()
    garments = catalog.active_garments(columns=["region", "flags"])
    flags = [flag for row in garments.column("flags").to_pylist() for flag in row or ()]
    verdicts = Counter(people)
    configs = Counter(catalog.newest_runs().column("config_hash").to_pylist())
    problems = _problems(catalog)
    return Summary(
        name=dataset.settings.name,
        photos=sum(configs.values()),
        people=len(people),
        accepted=verdicts[str(Verdict.ACCEPTED)],
        garments=garments.num_rows,
        unreadable=len(problems),
        verdicts=_bars(verdicts, ((str(v), words) for v, words in VERDICT_WORDS.items())),
        regions=_bars(
            Counter(garments.column("region").to_pylist()), ((str(r), str(r)) for r in Region)
        ),
        doubts=_bars(Counter(flags), ((str(d), words) for d, words in DOUBT_WORDS.items())),
        labels=_answered(proposals.values()),
        speakers=speakers(dataset, proposals),
        problems=problems,
        runs=[(read_provenance(dataset, config), count) for config, count in configs.most_common()],
    )


def _answered(proposals: Iterable[Proposed]) -> list[Bar]:
    """How many garments have a value proposed, as a share of those asked, by attribute."""
    asked: Counter[str] = Counter()
    known: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for line in (line for one in proposals for line in one.lines):
        titles[line.attribute] = line.title
        asked[line.attribute] += 1
        known[line.attribute] += line.known
    return [Bar(key, titles[key], known[key], known[key] / asked[key]) for key in titles]


def _problems(catalog: Catalog) -> list[Problem]:
    """Sources whose newest row says that they are unreadable."""
    if not catalog.count("sources", "state = 'unreadable'"):
        return []
    sources = catalog.rows("sources", ["origin", "reason", "state", "seq"]).sort_by("seq")
    newest = {row["origin"]: row for row in sources.to_pylist()}
    return [
        Problem(origin, row["reason"])
        for origin, row in sorted(newest.items())
        if row["state"] == "unreadable"
    ]


def _bars(counts: Counter[str], words: Iterable[tuple[str, str]]) -> list[Bar]:
    """Bars of what occurs, in the order of `words`; the longest has share 1."""
    longest = max(counts.values(), default=1)
    return [
        Bar(key, text, counts[key], counts[key] / longest) for key, text in words if counts[key]
    ]
