"""Finds the words in a text that identify a person, and replaces them.

A text is split into words: runs of letters and digits, in lower case and without accents. A person
is represented by a few sequences of such words, which are looked up by the first word, so that the
time grows with the length of the text and not with the size of the class.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.model import Student
from grader.text_folding import fold_accents

_WORD = re.compile(r"[^\W_]+")
MAX_GAP = 3
"""Characters between two words of one name, at most."""
MIN_ID_LENGTH = 4
"""Characters; a shorter id is an ordinary word or number, and is not redacted."""
MIN_NAME_LENGTH = 2
MIN_LOWERCASE_LENGTH = 3
"""Letters; a shorter part of a name is not searched for in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person, and what replaces their names and ids."""

    records: tuple[Student, ...]
    """The same person, as different sources know them."""
    replacement_name: str
    """Replaces the full name."""
    replacement_id: str
    """Replaces ids and addresses."""
    replacement_part: str = "[name]"
    """Replaces a part of the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _WordPattern:
    """A sequence of words to search for."""

    words: tuple[str, ...]
    replacement: str
    is_name_part: bool = False
    """Whether it is a part of a name, which must begin with a capital."""


class Redactor:
    """Redacts the names and ids of some people.

    Args:
        identities: the people.
        assignment_words: words of the assignment, which are kept although they may be names.
    """

    def __init__(
        self, identities: Iterable[Identity], *, assignment_words: Iterable[str] = ()
    ) -> None:
        self._assignment_words = frozenset(assignment_words)
        self._patterns: dict[str, list[_WordPattern]] = {}
        for identity in identities:
            for pattern in (
                *_full_name_patterns(identity),
                *_id_patterns(identity),
                *self._name_part_patterns(identity),
            ):
                self._patterns.setdefault(pattern.words[0], []).append(pattern)
        for patterns in self._patterns.values():
            patterns.sort(key=lambda pattern: (-len(pattern.words), pattern.is_name_part))

    def redact(self, text: str, *, own_words: frozenset[str] | None = frozenset()) -> str:
        """Return a text without names and ids.

        Args:
            text: any text.
            own_words: words of names that are redacted in lower case, too: those of the text's
                authors; None where parts of names are kept.
        """
        normalized = unicodedata.normalize("NFC", text)
        pieces, position = [], 0
        for start, end, pattern in self._find_matches(normalized, own_words=own_words):
            pieces += [normalized[position:start], pattern.replacement]
            position = end
        return "".join([*pieces, normalized[position:]]) if pieces else text

    def identifies_person(self, text: str) -> bool:
        """Return whether a text holds a full name, an id or an address."""
        return any(
            not pattern.is_name_part
            for *_, pattern in self._find_matches(
                unicodedata.normalize("NFC", text), own_words=None
            )
        )

    def _find_matches(
        self, text: str, *, own_words: frozenset[str] | None
    ) -> Iterator[tuple[int, int, _WordPattern]]:
        words = [
            (match.start(), match.end(), fold_accents(match[0])) for match in _WORD.finditer(text)
        ]
        index = 0
        while index < len(words):
            pattern = self._pattern_at(text, words, index, own_words=own_words)
            if pattern is None:
                index += 1
                continue
            last = index + len(pattern.words) - 1
            yield words[index][0], words[last][1], pattern
            index = last + 1

    def _pattern_at(
        self,
        text: str,
        words: Sequence[tuple[int, int, str]],
        index: int,
        *,
        own_words: frozenset[str] | None,
    ) -> _WordPattern | None:
        for pattern in self._patterns.get(words[index][2], ()):
            window = words[index : index + len(pattern.words)]
            if tuple(word for *_, word in window) != pattern.words:
                continue
            near = all(b[0] - a[1] <= MAX_GAP for a, b in pairwise(window))
            if near and (
                not pattern.is_name_part
                or _is_name_part(text[window[0][0]], pattern, own_words=own_words)
            ):
                return pattern
        return None

    def _name_part_patterns(self, identity: Identity) -> Iterator[_WordPattern]:
        for record in identity.records:
            for part in record.name.replace(",", " ").split():
                words = _normalized_words(part)
                for sequence in (words, *((word,) for word in words)):
                    if len(
                        "".join(sequence)
                    ) >= MIN_NAME_LENGTH and not self._assignment_words.issuperset(sequence):
                        yield _WordPattern(
                            words=sequence, replacement=identity.replacement_part, is_name_part=True
                        )


def _is_name_part(
    first_word: str, pattern: _WordPattern, *, own_words: frozenset[str] | None
) -> bool:
    """Return whether a word is a name: by a capital, a script without capitals, or the author."""
    if own_words is None:
        return False
    if first_word.isupper() or first_word.lower() == first_word.upper():
        return True
    return len("".join(pattern.words)) >= MIN_LOWERCASE_LENGTH and own_words.issuperset(
        pattern.words
    )


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of some texts, in lower case and without accents."""
    return frozenset(word for text in texts for word in _normalized_words(text))


def words_in_names(students: Iterable[Student]) -> frozenset[str]:
    """Return the words of some names."""
    return vocabulary(student.name for student in students)


def _normalized_words(text: str) -> tuple[str, ...]:
    normalized = unicodedata.normalize("NFC", text)
    return tuple(word for raw_word in _WORD.findall(normalized) if (word := fold_accents(raw_word)))


def _id_patterns(identity: Identity) -> Iterator[_WordPattern]:
    for record in identity.records:
        local = record.email.partition("@")[0]
        for student_id in (record.id, record.email, local, *record.lms.values()):
            words = _normalized_words(student_id)
            if len("".join(words)) >= MIN_ID_LENGTH:
                yield _WordPattern(words=words, replacement=identity.replacement_id)


def _full_name_patterns(identity: Identity) -> Iterator[_WordPattern]:
    """Yield full names: in order, last name first, first and last alone, run together."""
    for record in identity.records:
        words = _normalized_words(record.name)
        if len(words) < 2:  # noqa: PLR2004 (one word is a part of a name)
            continue
        orders = {words[start:] + words[:start] for start in range(len(words))}
        orders |= {(words[0], words[-1]), (words[-1], words[0])}
        for order in orders:
            yield _WordPattern(words=order, replacement=identity.replacement_name)
            yield _WordPattern(words=("".join(order),), replacement=identity.replacement_name)
