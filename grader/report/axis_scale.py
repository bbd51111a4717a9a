"""Map numbers to positions on a chart's axis, with round numbers as ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

MARGIN = 0.18
"""Free space on either side of the outermost numbers, as a share of their span."""
MOST_TICKS = 6
STEP_FACTORS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Steps between ticks, times a power of ten."""
_LARGEST, _SMALLEST = 1e300, 1e-300
_PLAIN = range(-4, 6)
"""Powers of ten of a step whose ticks are written without an exponent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A range of numbers laid over a range of the drawing."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def from_numbers(cls, numbers: Iterable[float], *, start: float, end: float) -> Scale:
        """Make a scale that holds all numbers, with some space around them."""
        values = [float(number) for number in numbers]
        low, high = min(values), max(values)
        span = high - low
        padding = MARGIN * span if span > _SMALLEST else max(0.05, abs(low) / 20)
        return cls(low=low - padding, high=high + padding, start=start, end=end)

    def position(self, number: float) -> float:
        """Return where a number is drawn."""
        share = (number - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Return round numbers on the scale with their labels, or none if those are too long."""
        span = self.high - self.low
        if not _SMALLEST < span < _LARGEST:
            return ()
        power = math.floor(math.log10(span / MOST_TICKS))
        size = 10.0**power
        step = next(
            factor * size
            for factor in STEP_FACTORS
            if factor * size * MOST_TICKS >= span * (1 - 1e-9)
        )
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        decimals = None
        if power in _PLAIN:  # as many as distinguish two neighboring ticks
            rounded = (n for n in range(8) if math.isclose(round(step, n), step, rel_tol=1e-6))
            decimals = next(rounded)
        return tuple((n * step, _format_tick(n * step, decimals)) for n in range(first, last + 1))


def _format_tick(number: float, decimals: int | None) -> str:
    text = f"{number:.3g}" if decimals is None else f"{number:.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}")
