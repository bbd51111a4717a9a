"""Reads the numbers in a text, and says which of them are the same number to a reader."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

DRIFT = 1e-3
"""How far numbers of two runs may be apart, of their size: computers differ by less."""
LAST_DIGIT = 1.5
"""... and in units of the last digit that both show."""
MOST = 5_000
"""Numbers that are read of one text."""
_SEEN = 500
"""Places of one number that are looked at."""
_TINY = 1e-9
NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-+\u2212])?(?P<digits>\d{1,15}(?:\.\d{1,17})?|\.\d{1,17})"
    r"(?P<exponent>[eE][-+]?\d{1,2})?(?!\w)(?!\.\d)(?P<percent>\s?(?:\\?%|per ?cent\b))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number as it stands in a text."""

    text: str
    start: int
    value: float
    """Without its percent sign: 93 % is 93."""
    unit: float
    """What one of its last digit is worth: 0.01 for 0.92."""
    percent: bool
    whole: bool
    """Whether it has neither a point nor an exponent."""

    @property
    def range(self) -> tuple[float, float]:
        """The numbers that become this one when they are rounded or cut to its digits."""
        size = abs(self.value)
        low, high = size - self.unit / 2 - _TINY, size + self.unit * (1 - _TINY)
        return (low, high) if self.value >= 0 else (-high, -low)


def figures(text: str) -> Iterator[Figure]:
    """The numbers of a text, in order; those within words and versions are none."""
    for count, found in enumerate(NUMBER.finditer(text)):
        if count == MOST:
            return
        digits, exponent = found["digits"], int((found["exponent"] or "e0")[1:])
        value = float(f"{digits}e{exponent}")
        minus = found["sign"] in {"-", "\u2212"}
        yield Figure(
            text=" ".join(found[0].split()),
            start=found.start(),
            value=-value if minus else value,
            unit=10.0 ** (exponent - len(digits.partition(".")[2])),
            percent=found["percent"] is not None,
            whole="." not in digits and not found["exponent"],
        )


def same(one: Figure, other: Figure) -> bool:
    """Whether two runs printed the same number: whole ones exactly, others but for drift."""
    if one.whole and other.whole:
        return one.value == other.value
    apart = abs(one.value - other.value)
    coarser = max(one.unit, other.unit)
    return apart <= max(LAST_DIGIT * coarser, DRIFT * max(abs(one.value), abs(other.value)))


@dataclass(frozen=True, slots=True)
class Ledger:
    """Numbers and the cells they stand in, laid out to be looked up by their size."""

    plain: list[tuple[float, int]] = field(default_factory=list)
    percent: list[tuple[float, int]] = field(default_factory=list)

    @classmethod
    def of(cls, texts: Iterable[tuple[int, str]], *, most: int = 4 * MOST) -> Ledger:
        """The numbers of texts, each with its cell; of all of them at most so many."""
        made = cls()
        for cell, text in texts:
            for figure in figures(text):
                (made.percent if figure.percent else made.plain).append((figure.value, cell))
                most -= 1
            if most < 0:
                break
        made.plain.sort()
        made.percent.sort()
        return made

    def cells_with(self, quoted: Figure) -> tuple[int, ...]:
        """The cells that show a number that was quoted, as a percentage or as a share."""
        low, high = quoted.range
        cells = {*_within(self.plain, low, high)} if not quoted.percent else set()
        if quoted.percent:
            cells |= {*_within(self.percent, low, high), *_within(self.plain, low, high)}
            cells |= set(_within(self.plain, low / 100, high / 100))
        else:
            cells |= set(_within(self.percent, 100 * low, 100 * high))
        return tuple(sorted(cells))


def _within(numbers: list[tuple[float, int]], low: float, high: float) -> Iterator[int]:
    place = bisect_left(numbers, (low, -1))
    for value, cell in numbers[place : place + _SEEN]:
        if value > high:
            return
        yield cell
