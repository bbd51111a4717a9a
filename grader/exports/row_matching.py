"""Whose row is whose: students of ours and rows of a file from a learning management system.

Ids decide before names do, and nothing is guessed: who fits no row, or two, is listed.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.exports.export import Line
from grader.exports.student_grades import Standing
from grader.model import Student


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A student's row of the file."""

    place: int
    """Which record it is."""
    name: str
    lms: str
    """The system's own id of the student, as `Student.lms` has it."""
    ids: frozenset[str]
    """Other ids in it, logins and addresses, as `plain` leaves them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Who belongs to which row."""

    by_place: Mapping[int, Standing]
    left: tuple[Line, ...]
    """Students of ours without a row."""
    alone: tuple[Row, ...]
    """Rows without a student of ours."""


def plain(text: str) -> str:
    """The text as ids and names are compared: no case, no double spaces, one way to write each."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def match(standings: Sequence[Standing], *, rows: Sequence[Row], system: str) -> Matches:
    """Find each student's row.

    In order: the system's own id; an id or a login; the address; the name, alike but for case and
    'Last, First'. Where ids and logins are of the same kind as ours, a name alone is not enough for
    a student whose id says otherwise.

    Args:
        standings: ours.
        rows: the file's.
        system: the key of `Student.lms` that holds the system's own id.
    """
    finder = _Finder(standings, rows=rows, system=system)
    found = [(standing, *finder.row(standing)) for standing in standings]
    claims = defaultdict(list)
    for standing, row, _ in found:
        if row is not None:
            claims[row.place].append(standing)
    left = [Line(who=one.who, why=why) for one, row, why in found if row is None]
    left += [line for claim in claims.values() if len(claim) > 1 for line in _crowd(claim)]
    return Matches(
        by_place={place: claim[0] for place, claim in claims.items() if len(claim) == 1},
        left=tuple(left),
        alone=tuple(row for row in rows if row.place not in claims),
    )


def _crowd(claim: Sequence[Standing]) -> Iterator[Line]:
    """Two students for one row, or one student in two submissions: which one counts is not ours."""
    files = ", ".join(one.submission for one in claim)
    for one in claim:
        yield Line(who=one.who, why=f"{len(claim)} of ours fit one row ({files}): none was used")


class _Finder:
    """The rows, by everything they are found by."""

    def __init__(self, standings: Sequence[Standing], *, rows: Sequence[Row], system: str) -> None:
        self._system = system
        self._by_lms: dict[str, list[Row]] = defaultdict(list)
        self._by_id: dict[str, list[Row]] = defaultdict(list)
        self._by_name: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            self._by_lms[plain(row.lms)].append(row)
            self._by_name[_in_order(row.name)].append(row)
            for number in row.ids:
                self._by_id[number].append(row)
        students = {(s.student.name, s.student.id, s.student.email) for s in standings}
        self._names = Counter(_in_order(name) for name, _, _ in students)
        self._comparable = any(
            plain(one.student.id) in self._by_id for one in standings if one.student.id.strip()
        )

    def row(self, standing: Standing) -> tuple[Row | None, str]:
        """The student's row; or none, and why not."""
        student = standing.student
        own = self._rows(self._by_lms, student.lms.get(self._system, ""))
        said = [*self._rows(self._by_id, student.id), *self._rows(self._by_id, student.email)]
        places = {row.place: row for row in (*own, *said)}
        if len(places) > 1:
            return None, "the ids fit different rows"
        if not places:
            return self._by_their_name(student)
        (row,) = places.values()
        if not own and _strangers(student.name, row.name):
            return None, f"the id is that of {row.name!r}; the names have nothing in common"
        return row, ""

    def _by_their_name(self, student: Student) -> tuple[Row | None, str]:
        name = _in_order(student.name)
        rows = self._by_name.get(name, []) if name else []
        if not rows:
            return None, "is not in the file" if name or student.id else "it names no student"
        if len(rows) > 1 or self._names[name] > 1:
            return None, "the name fits more than one student"
        if self._comparable and student.id.strip() and rows[0].ids:
            return None, f"the name is that of {rows[0].name!r}, and the id is not"
        return rows[0], ""

    @staticmethod
    def _rows(index: Mapping[str, list[Row]], key: str) -> list[Row]:
        return index.get(plain(key), []) if key.strip() else []


def _in_order(name: str) -> str:
    """The name as 'first last', whichever way round it was written."""
    last, comma, first = plain(name).partition(",")
    return f"{first.strip()} {last.strip()}".strip() if comma else last


def _strangers(one: str, other: str) -> bool:
    """Whether two names, both known, share no word; accents don't count."""
    words, others = _words(one), _words(other)
    return bool(words and others and not words & others)


def _words(name: str) -> frozenset[str]:
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name.casefold())
        if not unicodedata.combining(letter)
    )
    return frozenset("".join(c if c.isalnum() else " " for c in bare).split())
