"""Formats numbers and text so that other programs read them correctly."""

from __future__ import annotations

import json
import re
from fractions import Fraction

from grader.scoring import round_points

_INVISIBLE = re.compile(r"[^\n\x20-\x7e\xa1-\xac\xae-\u02ff]")
"""Matches characters that may be invisible or move a cursor."""
_SURROGATES = (0xD800, 0xDFFF)


def to_number(points: Fraction) -> int | float:
    """Round points half up to 0.01; whole points become an int."""
    rounded = round_points(points)
    return int(rounded) if rounded.denominator == 1 else float(rounded)


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, so that the text can be encoded as UTF-8."""
    if text.isascii():
        return text
    first, last = _SURROGATES
    return "".join("\ufffd" if first <= ord(letter) <= last else letter for letter in text)


def escape_invisible(text: str) -> str:
    """Escape invisible characters in JSON, which is parsed as before."""
    return _INVISIBLE.sub(
        lambda match: match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1], text
    )
