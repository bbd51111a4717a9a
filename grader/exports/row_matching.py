"""Matches students to the rows of a file from a learning management system.

Ids decide before names do, and nothing is guessed: a student who matches no row, or two, is listed.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.exports.export import ListedStudent
from grader.exports.student_grades import StudentGrade
from grader.model import Student
from grader.text_folding import strip_accents


@dataclass(frozen=True, slots=True, kw_only=True)
class LmsRow:
    """A student's row in the file."""

    index: int
    """The index of its record."""
    name: str
    lms_id: str
    """The system's own id of the student, as `Student.lms` has it."""
    ids: frozenset[str]
    """Other ids in it, logins and addresses, as `normalize_text` returns them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The rows of the students, and both sides that have no match."""

    by_index: Mapping[int, StudentGrade]
    """By the index of a row, the grade of its student."""
    left_out: tuple[ListedStudent, ...]
    """Students without a row."""
    unmatched_rows: tuple[LmsRow, ...]
    """Rows without a student."""


def normalize_text(text: str) -> str:
    """Normalize case, spaces and Unicode form, for comparing ids and names."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def match_rows(grades: Sequence[StudentGrade], *, rows: Sequence[LmsRow], system: str) -> Matches:
    """Find each student's row.

    In order: the system's own id; an id or a login; the address; the name, apart from case and
    'Last, First'. Where the file has the same kind of ids as the submissions, a student with
    another id is not matched by name alone.

    Args:
        grades: The students' grades.
        rows: The rows of the file.
        system: The key of `Student.lms` that holds the system's own id.
    """
    finder = _RowFinder(grades, rows=rows, system=system)
    lookups = [(grade, *finder.find_row(grade)) for grade in grades]
    claims = defaultdict(list)
    for grade, row, _ in lookups:
        if row is not None:
            claims[row.index].append(grade)
    left_out = [
        ListedStudent(label=grade.label, reason=reason)
        for grade, row, reason in lookups
        if row is None
    ]
    left_out += [
        line for claim in claims.values() if len(claim) > 1 for line in _list_ambiguous(claim)
    ]
    return Matches(
        by_index={index: claim[0] for index, claim in claims.items() if len(claim) == 1},
        left_out=tuple(left_out),
        unmatched_rows=tuple(row for row in rows if row.index not in claims),
    )


def _list_ambiguous(claim: Sequence[StudentGrade]) -> Iterator[ListedStudent]:
    """List the students, or submissions of one student, that match the same row."""
    submissions = ", ".join(grade.submission for grade in claim)
    for grade in claim:
        yield ListedStudent(
            label=grade.label,
            reason=f"{len(claim)} of ours fit one row ({submissions}): none was used",
        )


class _RowFinder:
    """An index of the rows by id and by name."""

    def __init__(
        self, grades: Sequence[StudentGrade], *, rows: Sequence[LmsRow], system: str
    ) -> None:
        self._system = system
        self._by_lms: dict[str, list[LmsRow]] = defaultdict(list)
        self._by_id: dict[str, list[LmsRow]] = defaultdict(list)
        self._by_name: dict[str, list[LmsRow]] = defaultdict(list)
        for row in rows:
            self._by_lms[normalize_text(row.lms_id)].append(row)
            self._by_name[_first_last(row.name)].append(row)
            for row_id in row.ids:
                self._by_id[row_id].append(row)
        students = {(grade.student.name, grade.student.id, grade.student.email) for grade in grades}
        self._names = Counter(_first_last(name) for name, _, _ in students)
        self._ids_comparable = any(
            normalize_text(grade.student.id) in self._by_id
            for grade in grades
            if grade.student.id.strip()
        )

    def find_row(self, grade: StudentGrade) -> tuple[LmsRow | None, str]:
        """Return the student's row, or None and the reason."""
        student = grade.student
        lms_rows = self._lookup(self._by_lms, student.lms.get(self._system, ""))
        id_rows = [
            *self._lookup(self._by_id, student.id),
            *self._lookup(self._by_id, student.email),
        ]
        rows_by_index = {row.index: row for row in (*lms_rows, *id_rows)}
        if len(rows_by_index) > 1:
            return None, "the ids fit different rows"
        if not rows_by_index:
            return self._find_by_name(student)
        (row,) = rows_by_index.values()
        if not lms_rows and _names_disjoint(student.name, row.name):
            return None, f"the id is that of {row.name!r}; the names have nothing in common"
        return row, ""

    def _find_by_name(self, student: Student) -> tuple[LmsRow | None, str]:
        name = _first_last(student.name)
        rows = self._by_name.get(name, []) if name else []
        if not rows:
            return None, "is not in the file" if name or student.id else "it names no student"
        if len(rows) > 1 or self._names[name] > 1:
            return None, "the name fits more than one student"
        if self._ids_comparable and student.id.strip() and rows[0].ids:
            return None, f"the name is that of {rows[0].name!r}, and the id is not"
        return rows[0], ""

    @staticmethod
    def _lookup(index: Mapping[str, list[LmsRow]], key: str) -> list[LmsRow]:
        return index.get(normalize_text(key), []) if key.strip() else []


def _first_last(name: str) -> str:
    """Return the name as 'first last', whichever way round it was written."""
    last, comma, first = normalize_text(name).partition(",")
    return f"{first.strip()} {last.strip()}".strip() if comma else last


def _names_disjoint(name: str, other_name: str) -> bool:
    """Return whether two known names share no word, ignoring accents."""
    words, others = _name_words(name), _name_words(other_name)
    return bool(words and others and not words & others)


def _name_words(name: str) -> frozenset[str]:
    letters = strip_accents(name.casefold())
    return frozenset("".join(c if c.isalnum() else " " for c in letters).split())
