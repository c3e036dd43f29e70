"""Answers given to a real Label Studio, by its API, as a browser sends them."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotate.studio.answers import Values, fill
from annotate.studio.form import Form, form
from annotate.studio.hear import author
from annotate.studio.project import LABELLING, Kind, find_record
from garmentloop.simulate.annotator import Annotator
from garmentloop.simulate.directly import PEOPLE

if TYPE_CHECKING:
    from annotate.studio.client import Studio

_THREADS = 4

_BATCH = 100
"""Answers between two signs of life."""

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Answering:
    """How many answers were given, of how many that are wanted."""

    done: int
    total: int
    skipped: int = 0


def answer_online(studio: "Studio", annotator: Annotator, round_: str) -> Iterator[Answering]:
    """Answer the tasks of a round as far as nobody has, each by as many people as it asks.

    What is proposed is read from the task itself, as a browser does it. Run again after a kill, it
    gives only what is missing.
    """
    asked, people = form(studio.dataset.taxonomy), _people(studio)
    open_ = [
        (raw, who)
        for kind in LABELLING
        for raw in _tasks(studio, kind, round_)
        for who in PEOPLE[: raw["overlap"]]
        if people[who] not in {author(one) for one in raw["annotations"]}
    ]
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(open_), _BATCH):
            batch = open_[start : start + _BATCH]
            list(pool.map(lambda one: _answer(studio, annotator, asked, people, *one), batch))
            yield Answering(start + len(batch), len(open_))


def _tasks(studio: "Studio", kind: Kind, round_: str) -> Sequence[Raw]:
    record = find_record(studio.dataset, kind)
    if record is None or not record.project_id:
        return []
    return [raw for raw in studio.tasks(studio.project(kind)) if raw["data"]["round"] == round_]


def _answer(
    studio: "Studio",
    annotator: Annotator,
    asked: Form,
    people: Mapping[str, int],
    raw: Raw,
    who: str,
) -> None:
    data = raw["data"]
    given = annotator.answer(who, data["garment_id"], data["region"], _proposed(asked, raw))
    body = {
        "result": fill(asked.controls, given),
        "lead_time": 1.0,
        "completed_by": people[who],
    }
    # Nobody answers twice: where the server's word is lost, the next call looks what is there.
    studio.request("POST", f"/api/tasks/{raw['id']}/annotations/", json=body, replay=False)


def _proposed(asked: Form, raw: Raw) -> Values:
    """What the form holds when it is opened."""
    made = raw.get("predictions") or []
    return asked.answers(made[-1]["result"]).values if made else {}


def _people(studio: "Studio") -> dict[str, int]:
    """The server's ids of those who answer, made where it does not know them."""
    known = {email: number for number, email in studio.annotation_members().items()}
    for who in PEOPLE:
        if who not in known:
            body = {"email": who, "username": who.partition("@")[0]}
            known[who] = int(studio.request("POST", "/api/users/", json=body, replay=False)["id"])
    return {who: known[who] for who in PEOPLE}
