"""Format points, verdicts and foreign text for readers."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from grader.model import CellStatus, Verdict
from grader.scoring import round_points

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colors and cursor moves
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # titles and hyperlinks
    r"|\x1b[ -/]*[0-~]"
)
_DIRECTION_CONTROLS = frozenset(
    "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_LAYOUT = {ord("\n"): None, ord("\t"): None}
_INVISIBLE = frozenset({"Cc", "Cs", "Co", "Cn"})


def clean(text: str) -> str:
    """Strip terminal sequences, control characters and bidirectional controls."""
    if text.isprintable() or text.translate(_LAYOUT).isprintable():
        return text  # as nearly all texts
    plain = _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return "".join(_visible_character(letter) for letter in plain)


def _visible_character(letter: str) -> str:
    if letter in "\n\t":
        return letter
    if letter in _DIRECTION_CONTROLS:
        return ""
    return "\ufffd" if unicodedata.category(letter) in _INVISIBLE else letter


def printable(text: str) -> str:
    """Clean a text for a terminal: nothing but visible letters and line ends."""
    cleaned = clean(text).replace("\t", " ")
    if cleaned.isprintable():
        return cleaned
    return "".join(letter for letter in cleaned if letter == "\n" or letter.isprintable())


def one_line(text: str) -> str:
    """Clean a text and collapse white space."""
    return " ".join(clean(text).split())


def format_number(value: Fraction) -> str:
    """Format points with at most two decimals, rounded half up."""
    return f"{float(round_points(value)):.2f}".rstrip("0").rstrip(".")


def points_with_unit(value: Fraction) -> str:
    """Format points with their unit: '1 point', '2.5 points'."""
    return f"{format_number(value)} {'point' if value == 1 else 'points'}"


def format_seconds(value: float) -> str:
    """Format a duration with three digits."""
    if not math.isfinite(value):
        return "unknown"
    return f"{value:.0f} s" if value >= 10 else f"{value:.2f} s"  # noqa: PLR2004 - three digits


def format_count(amount: int, *, singular: str, plural: str = "") -> str:
    """Format a number of things: '1 cell', '3 cells'; the usual plural adds an 's'."""
    return f"{amount} {singular if amount == 1 else plural or f'{singular}s'}"


def capitalize_first(text: str) -> str:
    """Return a text with a capital at its start and the rest as it is."""
    return text[:1].upper() + text[1:]


def format_ordinal(number: int) -> str:
    """Format a rank: '1st', '12th', '23rd'."""
    teen = number % 100 in range(11, 14)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a verdict or a cell's status is shown: a sign, words, and a CSS class."""

    sign: str
    words: str
    style: str


VERDICTS: Mapping[Verdict, Wording] = MappingProxyType(
    {
        Verdict.PASSED: Wording(sign="✓", words="earned in full", style="passed"),
        Verdict.PARTIAL: Wording(sign="◐", words="earned in part", style="partial"),
        Verdict.FAILED: Wording(sign="✕", words="not earned", style="failed"),
        Verdict.BLOCKED: Wording(sign="⊘", words="blocked", style="blocked"),
        Verdict.PENDING: Wording(sign="…", words="to be graded", style="pending"),
        Verdict.ERROR: Wording(sign="!", words="grader error, under review", style="error"),
    }
)

CELLS: Mapping[CellStatus, Wording] = MappingProxyType(
    {
        CellStatus.RAN: Wording(sign="✓", words="ran", style="passed"),
        CellStatus.RAISED: Wording(sign="✕", words="raised an error", style="failed"),
        CellStatus.TIMED_OUT: Wording(sign="✕", words="took too long", style="failed"),
        CellStatus.STRUCK_OUT: Wording(
            sign="✕", words="left out: it ended Python or did not stop", style="failed"
        ),
        CellStatus.NOT_REACHED: Wording(sign="⊘", words="not reached", style="blocked"),
        CellStatus.SKIPPED: Wording(sign="∅", words="empty, nothing to run", style="pending"),
    }
)
