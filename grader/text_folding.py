"""Normalizes names and words, so that they compare equal apart from accents, case and spacing."""

from __future__ import annotations

import re
import unicodedata

WORD = re.compile(r"[^\W_]+")
"""A word: letters and digits, without underscores and signs."""
_SPECIAL = str.maketrans(
    dict(zip("ßøđłæœ\u0131þð", ("ss", "o", "d", "l", "ae", "oe", "i", "th", "d"), strict=True))
)
"""Letters that don't decompose into a letter and an accent, and how people type them."""


def strip_accents(text: str) -> str:
    """Return the text without accents: 'Émile' as 'Emile'."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def fold_accents(text: str) -> str:
    """Return the text without case and accents: 'Émile STRASSE' as 'emile strasse'."""
    return strip_accents(text.casefold().translate(_SPECIAL))


def fold_case(text: str) -> str:
    """Return the text without case and typographic variants; accents stay."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()


def squeeze_words(text: str) -> str:
    """Return the text without case, signs and spaces: 'HW 5: CNNs' as 'hw5cnns'."""
    return "".join(WORD.findall(text)).casefold()
