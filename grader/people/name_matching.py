"""Compares names and ids as people write them: any order, case and accents, squeezed or in part."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SPECIAL = str.maketrans(
    dict(zip("ßøđłæœ\u0131þð", ("ss", "o", "d", "l", "ae", "oe", "i", "th", "d"), strict=True))
)
"""Letters that are no letter with an accent, and how people type them."""
_WORD = re.compile(r"[^\W_]+")
MOST_WORDS = 8
"""Words of a name that are compared."""
_SHORTEST_STEM = 3


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The words of a name in small letters without accents; 'Last, First' the right way round."""
    last, comma, first = name.partition(",")
    turned = f"{first} {last}" if comma and "," not in first else name
    joined = re.sub(r"(?<=\w)['\u2019\u02bc`](?=\w)", "", bare(turned))
    return tuple(_WORD.findall(joined))[:MOST_WORDS]


def bare(text: str) -> str:
    """A text in small letters without accents."""
    small = text.casefold().translate(_SPECIAL)
    return "".join(c for c in unicodedata.normalize("NFKD", small) if not unicodedata.combining(c))


def same_name(one: str, other: str) -> bool:
    """Whether two names have the same words in any order, or are squeezed into one alike."""
    first, second = words(one), words(other)
    if not first or not second:
        return False
    if sorted(first) == sorted(second):
        return True
    if min(len(first), len(second)) > 1:
        return False
    return bool(_squeezed(first) & _squeezed(second))


def part_of(part: str, whole: str) -> bool:
    """Whether all words of one name stand in the other, a word or an initial for a longer one.

    'Ada', 'A. Rivers' and 'ada rivers' are parts of 'Ada Byron Rivers'; 'R.' alone is none.
    """
    few, many = words(part), list(words(whole))
    if not few or max(map(len, few)) < _SHORTEST_STEM:
        return False
    for word in sorted(few, key=len, reverse=True):
        found = next((other for other in many if other == word), None) or next(
            (other for other in many if len(word) == 1 and other.startswith(word)), None
        )
        if found is None:
            return False
        many.remove(found)
    return True


def akin(one: str, other: str) -> bool:
    """Whether two names have a word or its beginning in common: 'Ada' and 'Adaline Rivers'."""
    first, second = words(one), words(other)
    if _squeezed(first) & _squeezed(second):
        return True
    return any(
        len(shorter) >= _SHORTEST_STEM and longer.startswith(shorter)
        for a in first
        for b in second
        for shorter, longer in [sorted((a, b), key=len)]
    )


@lru_cache(maxsize=4096)
def plain_id(mark: str) -> str:
    """An id without spaces, signs of a spreadsheet, case and leading zeros."""
    bare = "".join(unicodedata.normalize("NFKC", mark).split()).lstrip("#").casefold()
    return bare.lstrip("0") or bare if bare.isdigit() else bare


def _squeezed(name: tuple[str, ...]) -> set[str]:
    """The words run together as systems do: in order, and with the last before the others."""
    if not name:
        return set()
    return {"".join(name[place:] + name[:place]) for place in range(len(name))}
