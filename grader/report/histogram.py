"""Lay out histograms of points, for the class page and the console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.report.text_format import format_number

BINS = 10
_WIDTH, _HEIGHT, _TOP = 60.0, 150.0, 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bar of a histogram, in the units of its drawing."""

    label: str
    """What stands below it: the lowest value of its range, or its only one."""
    words: str
    """What it counts, for those who hear the page."""
    amount: int
    x: float
    y: float
    height: float


def points_bins(points: Sequence[Fraction], *, possible: Fraction) -> tuple[Bin, ...]:
    """Count points in ten ranges of equal width; the last holds all points, too."""
    width = max(possible, Fraction(1)) / BINS
    amounts = Counter(max(0, min(int(value / width), BINS - 1)) for value in points)
    edges = [format_number(width * index) for index in range(BINS + 1)]
    return draw_bins(
        [
            (edges[index], f"{edges[index]} to {edges[index + 1]} points", amounts[index])
            for index in range(BINS)
        ]
    )


def draw_bins(bars: Sequence[tuple[str, str, int]]) -> tuple[Bin, ...]:
    """Lay out bars side by side: labels, words and amounts; the highest fills the drawing."""
    highest = max((amount for _, _, amount in bars), default=0) or 1
    bins = []
    for index, (label, words, amount) in enumerate(bars):
        height = _HEIGHT * amount / highest
        bins.append(
            Bin(
                label=label,
                words=words,
                amount=amount,
                x=index * _WIDTH + 4,
                y=_TOP + _HEIGHT - height,
                height=height,
            )
        )
    return tuple(bins)
