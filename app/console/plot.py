"""Requests per day as a plot: plain numbers, which the page draws as SVG and tells as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.ledger.summed import Day

HEIGHT = 80
STEP = 8
"""Units: of the SVG's own coordinates, for one day."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day."""

    day: date
    x: int
    answers: int
    refusals: int
    high: float  # of the answers
    refused: float  # of the refusals, on top of them


@dataclass(frozen=True, slots=True)
class Plot:
    """Every day from the first to the last."""

    bars: Sequence[Bar]
    most: int
    first: date
    last: date

    @property
    def width(self) -> int:
        """How wide the plot is."""
        return len(self.bars) * STEP

    @property
    def answers(self) -> int:
        """All answers."""
        return sum(bar.answers for bar in self.bars)

    @property
    def refusals(self) -> int:
        """All refusals."""
        return sum(bar.refusals for bar in self.bars)


def plotted(days: Sequence[Day], first: date, last: date) -> Plot:
    """The days that there are, and those between on which nobody asked."""
    known = {one.day: one for one in days}
    most = max((one.answers + one.refusals for one in days), default=0)
    scale = HEIGHT / (most or 1)
    bars = []
    for number in range((last - first).days + 1):
        day = date.fromordinal(first.toordinal() + number)
        one = known.get(day, Day(day, 0, 0))
        high, refused = round(one.answers * scale, 1), round(one.refusals * scale, 1)
        bars.append(Bar(day, number * STEP, one.answers, one.refusals, high, refused))
    return Plot(bars, most, first, last)
