"""Finds in a text the words that say who somebody is, and puts others in their place.

A text is taken as words: runs of letters and digits, small and without accents. Whoever is looked
for is a few rows of such words, so a long text costs what its length is, however large the class.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.model import Student
from grader.people.name_matching import fold_accents

_WORD = re.compile(r"[^\W_]+")
MAX_GAP = 3
"""Characters that may stand between two words of one name."""
MIN_ID_LENGTH = 4
"""Characters of an id; a shorter one is an ordinary word or number."""
MIN_NAME_LENGTH = 2
MIN_LOWERCASE_LENGTH = 3
"""Letters of a part of a name that is looked for in small letters, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody, and what stands in the place of what tells who it is."""

    records: tuple[Student, ...]
    """The same person, as different sources know them."""
    replacement_name: str
    """In the place of the whole name."""
    replacement_id: str
    """In the place of ids and addresses."""
    replacement_part: str = "[name]"
    """In the place of a part of the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _WordPattern:
    """Words in a row that are looked for."""

    words: tuple[str, ...]
    replacement: str
    is_name_part: bool = False
    """Whether it is a part of a name: it must begin with a capital."""


class Redactor:
    """Knows the words of some people.

    Args:
        identities: whom to look for.
        assignment_words: words of the assignment, which stay although somebody may be called so.
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
        """The text without them.

        Args:
            text: any text.
            own_words: words of names that go in small letters, too: those of whoever wrote the text;
                None where parts of names stay.
        """
        normalized = unicodedata.normalize("NFC", text)
        pieces, position = [], 0
        for start, end, pattern in self._find_matches(normalized, own_words=own_words):
            pieces += [normalized[position:start], pattern.replacement]
            position = end
        return "".join([*pieces, normalized[position:]]) if pieces else text

    def redact_full_names(self, text: str) -> str:
        """The text without whole names, ids and addresses; parts of names stay."""
        return self.redact(text, own_words=None)

    def identifies_person(self, text: str) -> bool:
        """Whether a whole name, an id or an address stands in it."""
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
    """Whether a part of a name is meant: by a capital, a script that has none, or its writer."""
    if own_words is None:
        return False
    if first_word.isupper() or first_word.lower() == first_word.upper():
        return True
    return len("".join(pattern.words)) >= MIN_LOWERCASE_LENGTH and own_words.issuperset(
        pattern.words
    )


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """The words of some texts."""
    return frozenset(word for text in texts for word in _normalized_words(text))


def words_in_names(students: Iterable[Student]) -> frozenset[str]:
    """The words of some names."""
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
    """Whole names: in order, the last before the others, first and last alone, run together."""
    for record in identity.records:
        words = _normalized_words(record.name)
        if len(words) < 2:  # noqa: PLR2004 (one word is a part of a name)
            continue
        orders = {words[start:] + words[:start] for start in range(len(words))}
        orders |= {(words[0], words[-1]), (words[-1], words[0])}
        for order in orders:
            yield _WordPattern(words=order, replacement=identity.replacement_name)
            yield _WordPattern(words=("".join(order),), replacement=identity.replacement_name)
