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
from grader.people.name_matching import bare

_WORD = re.compile(r"[^\W_]+")
GAP = 3
"""Characters that may stand between two words of one name."""
SHORTEST_MARK = 4
"""Characters of an id; a shorter one is an ordinary word or number."""
SHORTEST_NAME = 2
SHORTEST_SMALL = 3
"""Letters of a part of a name that is looked for in small letters, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody, and what stands in the place of what tells who it is."""

    students: tuple[Student, ...]
    """The same person, as different sources know them."""
    name: str
    """In the place of the whole name."""
    mark: str
    """In the place of ids and addresses."""
    part: str = "[name]"
    """In the place of a part of the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Words in a row that are looked for."""

    words: tuple[str, ...]
    becomes: str
    alone: bool = False
    """Whether it is a part of a name: it must begin with a capital."""


class Veil:
    """Knows the words of some people.

    Args:
        identities: whom to look for.
        spared: words of the assignment, which stay although somebody may be called so.
    """

    def __init__(self, identities: Iterable[Identity], *, spared: Iterable[str] = ()) -> None:
        self._spared = frozenset(spared)
        self._rows: dict[str, list[_Row]] = {}
        for who in identities:
            for row in (*_names(who), *_marks(who), *self._parts(who)):
                self._rows.setdefault(row.words[0], []).append(row)
        for rows in self._rows.values():
            rows.sort(key=lambda row: (-len(row.words), row.alone))

    def text(self, text: str, *, own: frozenset[str] | None = frozenset()) -> str:
        """The text without them.

        Args:
            text: any text.
            own: words of names that go in small letters, too: those of whoever wrote the text;
                None where parts of names stay.
        """
        whole = unicodedata.normalize("NFC", text)
        kept, place = [], 0
        for start, end, row in self._found(whole, own=own):
            kept += [whole[place:start], row.becomes]
            place = end
        return "".join([*kept, whole[place:]]) if kept else text

    def whole(self, text: str) -> str:
        """The text without whole names, ids and addresses; parts of names stay."""
        return self.text(text, own=None)

    def tells(self, text: str) -> bool:
        """Whether a whole name, an id or an address stands in it."""
        return any(
            not row.alone for *_, row in self._found(unicodedata.normalize("NFC", text), own=None)
        )

    def _found(self, text: str, *, own: frozenset[str] | None) -> Iterator[tuple[int, int, _Row]]:
        words = [(match.start(), match.end(), bare(match[0])) for match in _WORD.finditer(text)]
        place = 0
        while place < len(words):
            row = self._row_at(text, words, place, own=own)
            if row is None:
                place += 1
                continue
            last = place + len(row.words) - 1
            yield words[place][0], words[last][1], row
            place = last + 1

    def _row_at(
        self,
        text: str,
        words: Sequence[tuple[int, int, str]],
        place: int,
        *,
        own: frozenset[str] | None,
    ) -> _Row | None:
        for row in self._rows.get(words[place][2], ()):
            here = words[place : place + len(row.words)]
            if tuple(word for *_, word in here) != row.words:
                continue
            near = all(b[0] - a[1] <= GAP for a, b in pairwise(here))
            if near and (not row.alone or _is_a_name(text[here[0][0]], row, own=own)):
                return row
        return None

    def _parts(self, who: Identity) -> Iterator[_Row]:
        for one in who.students:
            for part in one.name.replace(",", " ").split():
                words = _words(part)
                for row in (words, *((word,) for word in words)):
                    if len("".join(row)) >= SHORTEST_NAME and not self._spared.issuperset(row):
                        yield _Row(words=row, becomes=who.part, alone=True)


def _is_a_name(first: str, row: _Row, *, own: frozenset[str] | None) -> bool:
    """Whether a part of a name is meant: by a capital, a script that has none, or its writer."""
    if own is None:
        return False
    if first.isupper() or first.lower() == first.upper():
        return True
    return len("".join(row.words)) >= SHORTEST_SMALL and own.issuperset(row.words)


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """The words of some texts."""
    return frozenset(word for text in texts for word in _words(text))


def words_of(students: Iterable[Student]) -> frozenset[str]:
    """The words of some names."""
    return vocabulary(one.name for one in students)


def _words(text: str) -> tuple[str, ...]:
    whole = unicodedata.normalize("NFC", text)
    return tuple(word for found in _WORD.findall(whole) if (word := bare(found)))


def _marks(who: Identity) -> Iterator[_Row]:
    for one in who.students:
        local = one.email.partition("@")[0]
        for mark in (one.id, one.email, local, *one.lms.values()):
            words = _words(mark)
            if len("".join(words)) >= SHORTEST_MARK:
                yield _Row(words=words, becomes=who.mark)


def _names(who: Identity) -> Iterator[_Row]:
    """Whole names: in order, the last before the others, first and last alone, run together."""
    for one in who.students:
        words = _words(one.name)
        if len(words) < 2:  # noqa: PLR2004 (one word is a part of a name)
            continue
        turned = {words[at:] + words[:at] for at in range(len(words))}
        turned |= {(words[0], words[-1]), (words[-1], words[0])}
        for row in turned:
            yield _Row(words=row, becomes=who.name)
            yield _Row(words=("".join(row),), becomes=who.name)
