"""Where things lie in the report's plots, in units of their own; y goes down."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.studio.outcomes import Tally
from annotate.studio.report.figures import Times

WIDTH, HEIGHT = 300.0, 120.0
"""Of the area inside the axes of a plot over rounds."""

BINS = 24
"""Of the histogram of times."""

_TOPS = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Mark:
    """A value with its spread, `low` to `high`, at (x, y); `title` says it in words."""

    x: float
    y: float
    low: float
    high: float
    title: str


def rate_top(tallies: Sequence[Tally | None], others: Sequence[float] = ()) -> float:
    """The top of a scale on which all rates fit, with `others`; intervals may be cut off."""
    highest = max([*(t.rate for t in tallies if t and t.shown), *others], default=0.0)
    return next(top for top in _TOPS if highest <= 0.9 * top or top == 1)


def rate_marks(tallies: Sequence[Tally | None], top: float) -> list[Mark]:
    """Edit rates side by side, one a round; rounds in which nothing was shown are left out."""
    step = WIDTH / max(1, len(tallies))
    found = []
    for place, tally in enumerate(tallies):
        if tally and tally.shown:
            low, high = tally.interval
            found.append(
                Mark(
                    (place + 0.5) * step,
                    _down(tally.rate, top),
                    _down(low, top),
                    _down(high, top),
                    rate_title(tally),
                )
            )
    return found


def rate_title(tally: Tally) -> str:
    """An edit rate in words."""
    low, high = tally.interval
    return (
        f"{tally.edited:,} of {tally.shown:,} edited: {100 * tally.rate:.1f} % "
        f"({100 * low:.1f} to {100 * high:.1f})"
    )


def across(share: float, top: float) -> float:
    """Place of a share on a horizontal scale, in per cent of its width."""
    return 100 * min(share / top, 1.0)


def seconds_top(times: Sequence[Times]) -> float:
    """The top of a scale of seconds on which every quartile fits."""
    highest = max((t.quartiles[2] for t in times if t.count), default=0.0)
    step = 10.0 ** np.floor(np.log10(max(highest, 1.0)))
    return float(np.ceil(max(highest, 1.0) / step + 1e-9) * step)


def time_marks(times: Sequence[Times], top: float, shift: float) -> list[Mark]:
    """Medians with their quartiles, one a round, `shift` beside the middle of the round."""
    step = WIDTH / max(1, len(times))
    found = []
    for place, one in enumerate(times):
        if one.count:
            low, middle, high = one.quartiles
            title = f"{one.count:,} answers: median {middle:.1f} s, half in {low:.1f} to {high:.1f}"
            x = (place + 0.5) * step + shift * min(step, 60)
            found.append(Mark(x, _down(middle, top), _down(low, top), _down(high, top), title))
    return found


def histogram(times: Times, top: float, highest: float = 0.0) -> list[tuple[float, float]]:
    """Left side and height of the bars of a histogram from 0 to `top` seconds.

    Longer times are in the last bar. `highest` is the share of answers that fills the height.
    """
    shares = bin_shares(times, top)
    scale = HEIGHT / (highest or max(shares, default=0.0) or 1.0)
    return [(number * WIDTH / BINS, share * scale) for number, share in enumerate(shares)]


def bin_shares(times: Times, top: float) -> list[float]:
    """Share of the answers in each bar of the histogram."""
    counts, _ = np.histogram(np.clip(times.values, 0, top), BINS, (0, top))
    return [float(count) / max(1, times.count) for count in counts]


def _down(value: float, top: float) -> float:
    return HEIGHT * (1 - min(value / top, 1.0))
