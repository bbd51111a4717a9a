"""Compare names and ids as people write them: any order, case, accents, or in part."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from grader.text_folding import WORD, fold_accents

MAX_WORDS = 8
"""Words of a name that are compared."""
_SHORTEST_STEM = 3


@lru_cache(maxsize=4096)
def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a name, folded; 'Last, First' becomes 'first last'."""
    plain = re.sub(r"(?<=\w)\s*\([^()]*\)", " ", name)  # 'Xiaoming (Ming) Beispiel'
    last, comma, first = plain.partition(",")
    reordered = f"{first} {last}" if comma and "," not in first else plain
    joined = re.sub(r"(?<=\w)['\u2019\u02bc`](?=\w)", "", fold_accents(reordered))
    return tuple(WORD.findall(joined))[:MAX_WORDS]


def same_name(name: str, other: str) -> bool:
    """Return whether two names have the same words in any order, or the same run together."""
    first, second = name_words(name), name_words(other)
    if not first or not second:
        return False
    if sorted(first) == sorted(second):
        return True
    if min(len(first), len(second)) > 1:
        return False
    return bool(_joined_forms(first) & _joined_forms(second))


def is_partial_name(part: str, full_name: str) -> bool:
    """Return whether every word or initial of one name matches a word of the other.

    'Ada', 'A. Rivers' and 'ada rivers' are parts of 'Ada Byron Rivers'; 'R.' alone is not.
    """
    part_words, full_words = name_words(part), list(name_words(full_name))
    if not part_words or max(map(len, part_words)) < _SHORTEST_STEM:
        return False
    for word in sorted(part_words, key=len, reverse=True):
        match = next((other for other in full_words if other == word), None) or next(
            (other for other in full_words if len(word) == 1 and other.startswith(word)), None
        )
        if match is None:
            return False
        full_words.remove(match)
    return True


def names_overlap(name: str, other: str) -> bool:
    """Return whether two names share a word or its beginning: 'Ada' and 'Adaline Rivers'."""
    first, second = name_words(name), name_words(other)
    if _joined_forms(first) & _joined_forms(second):
        return True
    return any(
        len(shorter) >= _SHORTEST_STEM and longer.startswith(shorter)
        for a in first
        for b in second
        for shorter, longer in [sorted((a, b), key=len)]
    )


def is_made_of(identifier: str, *, name: str) -> bool:
    """Return whether an id has a name's initials or a word of it: 'ar10001', 'arivers'.

    Of names that systems run together ('riversada') an initial is the first letter of the whole.
    """
    match = re.match(r"[^\W\d_]+", fold_accents(identifier).replace(".", ""))
    letters, words = match[0] if match else "", name_words(name)
    initials = "".join(word[0] for word in words)
    if any(len(word) >= _SHORTEST_STEM and word in letters for word in words):
        return True
    if len(words) == 1 and len(letters) > 1:
        return words[0].startswith(letters[-1]) and letters[0] in words[0][1:]
    return len(letters) > 1 and letters in {initials, initials[:1] + initials[-1:], initials[::-1]}


@lru_cache(maxsize=4096)
def normalize_id(identifier: str) -> str:
    """Strip spaces, a spreadsheet's '#', case and leading zeros from an id."""
    cleaned = "".join(unicodedata.normalize("NFKC", identifier).split()).lstrip("#").casefold()
    return cleaned.lstrip("0") or cleaned if cleaned.isdigit() else cleaned


def _joined_forms(parts: tuple[str, ...]) -> set[str]:
    """Return the words run together as systems do, in every rotation."""
    if not parts:
        return set()
    return {"".join(parts[index:] + parts[:index]) for index in range(len(parts))}
