"""Progress of a run: pace, time left, and what is printed where there is no terminal."""

import io
from dataclasses import dataclass

import pytest
from rich.console import Console

from annotate.options import PrelabelProgress
from garmentloop import progress
from garmentloop.progress import Pace, clock_time, follow, follow_tagging, line, sentence


@dataclass(frozen=True)
class Event:
    done: int = 0
    total: int | None = None
    people: int = 0
    accepted: int = 0
    garments: int = 0
    unreadable: int = 0
    skipped: int = 0
    taken_down: int = 0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_pace_leaves_out_what_was_done_before() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.rate(Event(done=500, skipped=500)) == 0
    assert pace.left(Event(done=500, skipped=500, total=900)) is None
    clock.now += 10
    event = Event(done=520, skipped=500, total=600)
    assert pace.rate(event) == pytest.approx(2.0)
    assert pace.left(event) == pytest.approx(40.0)
    assert pace.left(Event(done=520, skipped=500)) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-:--:--"), (0, "0:00:00"), (61.4, "0:01:01"), (7325, "2:02:05")]
)
def test_clock_time(seconds: float | None, text: str) -> None:
    assert clock_time(seconds) == text


def test_sentence_names_only_what_happened() -> None:
    assert sentence(Event(people=3, accepted=2, garments=4)) == "3 people, 2 accepted, 4 garments"
    assert sentence(Event(unreadable=1, skipped=9)).endswith("1 unreadable, 9 done before")


def test_line_of_a_log() -> None:
    text = line(Event(done=3), Pace(Clock()), "2 people")
    assert text == "3/? photos, 0.0 photos/s, -:--:-- left: 2 people"


@pytest.mark.parametrize("terminal", [True, False])
def test_follow_returns_the_last_event(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOG_EVERY", 0.0)
    events = [Event(done=n, total=3, garments=2 * n) for n in range(4)]
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=120, no_color=True)
    assert follow(iter(events), console) == events[-1]
    assert "6 garments" in text.getvalue()


def test_a_run_of_prelabel_is_told_in_garments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOG_EVERY", 0.0)
    text = io.StringIO()
    events = [
        PrelabelProgress(skipped=2, total=5),
        PrelabelProgress(tagged=2, proposals=12, failed=1, skipped=2, total=5),
    ]
    assert follow_tagging(iter(events), Console(file=text, width=120)) == events[-1]
    assert "5/5 garments" in text.getvalue()
    assert "12 proposals, 1 garments left out, 2 done before" in text.getvalue()


def test_follow_of_nothing_is_none() -> None:
    assert follow(iter(()), Console(file=io.StringIO())) is None
