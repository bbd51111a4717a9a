"""Divide the points of a score into the segments of a bar and its legend."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grader.model import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSegment:
    """One segment of a bar, in percent of its width."""

    style: str
    name: str
    meaning: str
    points: Fraction
    start: str
    width: str


MEANINGS = (
    ("auto", "Automatic", "earned by running your code"),
    ("marked", "Marked", "given by a person"),
    ("pending", "Pending", "still being graded; not lost"),
    ("blocked", "Blocked", "not evaluated: an earlier part failed"),
    ("lost", "Not earned", "evaluated, and not earned"),
)


def bar_segments(tally: Tally) -> tuple[BarSegment, ...]:
    """Return the five segments of a tally in order; empty ones have no width."""
    lost = max(tally.possible - tally.earned - tally.pending - tally.blocked, Fraction(0))
    amounts = (tally.auto, tally.marked, tally.pending, tally.blocked, lost)
    total = max(sum(amounts, start=Fraction(0)), Fraction(1))
    segments = []
    start = Fraction(0)
    for (style, name, meaning), points in zip(MEANINGS, amounts, strict=True):
        segments.append(
            BarSegment(
                style=style,
                name=name,
                meaning=meaning,
                points=points,
                start=_percent(start / total),
                width=_percent(points / total),
            )
        )
        start += points
    return tuple(segments)


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.3f}%"
