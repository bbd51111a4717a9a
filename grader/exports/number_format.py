"""Writes numbers and words so that a program reads them as we meant them."""

from __future__ import annotations

import json
import re
from fractions import Fraction

_INVISIBLE = re.compile(r"[^\n\x20-\x7e\xa1-\xac\xae-\u02ff]")
"""What may be a letter that shows nothing, or that moves a cursor."""
_SURROGATES = (0xD800, 0xDFFF)


def to_number(points: Fraction) -> int | float:
    """Points rounded half up to 0.01; whole ones without a fraction."""
    hundredths = (points.numerator * 200 + points.denominator) // (2 * points.denominator)
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


def replace_surrogates(text: str) -> str:
    """The text with halves of characters replaced, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    first, last = _SURROGATES
    return "".join("\ufffd" if first <= ord(letter) <= last else letter for letter in text)


def escape_invisible(text: str) -> str:
    """The JSON with escapes for letters that don't show: safe to look at, the same to read."""
    return _INVISIBLE.sub(lambda match: _escape_letter(match.group()), text)


def _escape_letter(letter: str) -> str:
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]
