"""Writes numbers and words so that a program reads them as we meant them."""

from __future__ import annotations

from fractions import Fraction

_SURROGATES = (0xD800, 0xDFFF)


def rounded(points: Fraction) -> int | float:
    """Points rounded half up to 0.01; whole ones without a fraction."""
    hundredths = (points.numerator * 200 + points.denominator) // (2 * points.denominator)
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


def storable(text: str) -> str:
    """The text with halves of characters replaced, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    first, last = _SURROGATES
    return "".join("\ufffd" if first <= ord(letter) <= last else letter for letter in text)
