"""Compare names and ids as people write them: any order, case, accents, or in part."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from grader.text_folding import WORD, fold_accents

MAX_WORDS = 8
"""Words of a name that are compared."""
_SHORTEST_STEM = 3
_MIN_RUN = 2
"""The least words of a name that are known when they are run together."""


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

    'Ada', 'A. Rivers' and 'ada rivers' are parts of 'Ada Byron Rivers'; 'R.' alone is not. So is
    'riversada', run together, and 'Ada Rivers' of 'riversadabyron'.
    """
    part_words = tuple(map(_plain_umlauts, name_words(part)))
    full_words = list(map(_plain_umlauts, name_words(full_name)))
    if len(part_words) == 1 and _is_run_of(part_words[0], full_words):
        return True
    if len(full_words) == 1 and _spans(part_words, full_words[0]):
        return True
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


def _is_run_of(text: str, words: Sequence[str], *, least: int = _MIN_RUN) -> bool:
    """Return whether a text is at least two words of a name, and initials, run together."""
    if not text:
        return least <= 0
    return any(
        text.startswith(piece)
        and _is_run_of(
            text[len(piece) :],
            [*words[:index], *words[index + 1 :]],
            least=least - (len(piece) > 1),
        )
        for index, word in enumerate(words)
        if word not in words[:index]
        for piece in {word, word[:1]}
    )


def _spans(words: Sequence[str], text: str) -> bool:
    """Return whether a name's words run together are a text's beginning, its end or both ends.

    What else stands in it are other names: 'riversadabyron', 'riversfieldsada', 'delariversada'.
    """
    if len(words) < _MIN_RUN or len(text) - len("".join(words)) < _SHORTEST_STEM:
        return False
    return any(
        text.startswith(start + end)
        or text.endswith(start + end)
        or (text.startswith(start) and text.endswith(end))
        for index in range(1, len(words))
        for first, last in [("".join(words[:index]), "".join(words[index:]))]
        for start, end in ((first, last), (last, first))
    )


def _plain_umlauts(word: str) -> str:
    """Return a folded word with 'a', 'o' and 'u' for 'ae', 'oe' and 'ue': 'Mueller', 'Müller'."""
    return re.sub(r"(?<=[aou])e", "", word)


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
