"""Reads the numbers in a text and tells which of them are the same to a reader."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

RUN_TOLERANCE = 1e-3
"""Largest relative difference of one number in two runs: computers differ by less."""
LAST_DIGIT_TOLERANCE = 1.5
"""Largest difference in units of the last digit that both show."""
MAX_NUMBERS = 5_000
"""Maximum numbers that are read of one text."""
_MAX_OCCURRENCES = 500
"""Maximum occurrences of one number that are looked at."""
_TINY = 1e-9
NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>[-+\u2212])?(?P<digits>\d{1,15}(?:\.\d{1,30})?|\.\d{1,30})"
    r"(?P<exponent>[eE][-+]?\d{1,2})?(?!\w)(?!\.\d)(?P<percent>\s?(?:\\?%|per ?cent\b))?"
)
DECIMAL_COMMA = re.compile(r"(?<![\w.,])0,(?=\d{2,4}(?![\w,]))")
"""Matches a decimal comma: 0,92."""
_WHOLE_IN_ARRAY = re.compile(r"(?<=[\[\s])([-+]?[01])\.(?=[\s\]])")
"""Matches what NumPy shows for 1.00 in an array: '1.'."""
_VERSION = re.compile(r"[a-zA-Z]-$|[=<>~!]=\s?$")
"""Matches what stands before a version: 'torch-', '=='."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNumber:
    """A number as a text shows it."""

    text: str
    start: int
    value: float
    """Without its percent sign: 93 % is 93."""
    unit: float
    """The unit of its last digit: 0.01 for 0.92."""
    percent: bool
    is_integer: bool
    """Whether it has neither a point nor an exponent."""

    @property
    def range(self) -> tuple[float, float]:
        """The interval of numbers that round or truncate to this one."""
        size = abs(self.value)
        low, high = size - self.unit / 2 - _TINY, size + self.unit * (1 - _TINY)
        return (low, high) if self.value >= 0 else (-high, -low)


def read_numbers(text: str) -> Iterator[TextNumber]:
    """Yield the numbers of a text, in order, but for those within words and versions."""
    for count, match in enumerate(NUMBER.finditer(text)):
        if count == MAX_NUMBERS:
            return
        digits, exponent = match["digits"], int((match["exponent"] or "e0")[1:])
        value = float(f"{digits}e{exponent}")
        minus = match["sign"] in {"-", "\u2212"}
        yield TextNumber(
            text=" ".join(match[0].split()),
            start=match.start(),
            value=-value if minus else value,
            unit=10.0 ** (exponent - len(digits.partition(".")[2])),
            percent=match["percent"] is not None,
            is_integer="." not in digits and not match["exponent"],
        )


def read_decimals(text: str) -> tuple[TextNumber, ...]:
    """Return the numbers of an output that have decimals, however they are written.

    Whole numbers and versions are left out; a percentage is a share: 93.5 % is 0.935.
    """
    plain = _WHOLE_IN_ARRAY.sub(r"\1.00", DECIMAL_COMMA.sub("0.", text))
    return tuple(
        replace(number, value=number.value / 100, unit=number.unit / 100)
        if number.percent
        else number
        for number in read_numbers(plain)
        if (number.percent or not number.is_integer)
        and not _VERSION.search(plain, max(0, number.start - 3), number.start)
    )


def same_number(left: TextNumber, right: TextNumber) -> bool:
    """Return whether two numbers are the same: integers exactly, others within tolerance."""
    if left.is_integer and right.is_integer:
        return left.value == right.value
    difference = abs(left.value - right.value)
    coarser_unit = max(left.unit, right.unit)
    return difference <= max(
        LAST_DIGIT_TOLERANCE * coarser_unit, RUN_TOLERANCE * max(abs(left.value), abs(right.value))
    )


@dataclass(frozen=True, slots=True)
class NumberIndex:
    """Numbers and the cells that show them, sorted for lookup by value."""

    plain: list[tuple[float, int]] = field(default_factory=list)
    percent: list[tuple[float, int]] = field(default_factory=list)

    @classmethod
    def from_texts(
        cls, texts: Iterable[tuple[int, str]], *, limit: int = 4 * MAX_NUMBERS
    ) -> NumberIndex:
        """Return an index of the numbers of texts, each with its cell, up to a limit."""
        index = cls()
        for cell, text in texts:
            for number in read_numbers(text):
                (index.percent if number.percent else index.plain).append((number.value, cell))
                limit -= 1
            if limit < 0:
                break
        index.plain.sort()
        index.percent.sort()
        return index

    def cells_showing(self, quoted: TextNumber) -> tuple[int, ...]:
        """Return the cells that show a quoted number, as a percentage or as a share."""
        low, high = quoted.range
        cells = {*_cells_in_range(self.plain, low, high)}
        if quoted.percent:
            cells.update(_cells_in_range(self.percent, low, high))
            cells.update(_cells_in_range(self.plain, low / 100, high / 100))
        else:
            cells.update(_cells_in_range(self.percent, 100 * low, 100 * high))
        return tuple(sorted(cells))


def _cells_in_range(numbers: list[tuple[float, int]], low: float, high: float) -> Iterator[int]:
    start = bisect_left(numbers, (low, -1))
    for value, cell in numbers[start : start + _MAX_OCCURRENCES]:
        if value > high:
            return
        yield cell
