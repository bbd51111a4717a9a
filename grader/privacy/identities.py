"""Everyone whom a gradebook knows: who is one person under several names, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from grader.model import Graded, Student
from grader.people import People
from grader.people.directory import told_marks
from grader.people.name_matching import plain_id, same_name


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody, as different sources know them."""

    students: list[Student] = field(default_factory=list)
    submissions: list[str] = field(default_factory=list)

    def is_one(self, other: Student) -> bool:
        """Whether a record is of this person: by an id in common, else, without one, by name."""
        marks = marks_of(other)
        return any(
            bool(marks & marks_of(one))
            if marks and marks_of(one)
            else same_name(one.name, other.name)
            for one in self.students
        )

    def add(self, student: Student, *, submission: str = "") -> None:
        """One more record of them."""
        if student not in self.students:
            self.students.append(student)
        if submission and submission not in self.submissions:
            self.submissions.append(submission)


def everyone(graded: Iterable[Graded], *, people: People) -> list[Person]:
    """All people of a class, each once, those of the roster first."""
    known: list[Person] = []
    by_mark: dict[str, Person] = {}
    for member in people.members:
        students = [member.student]
        students += [replace(member.student, name=alias) for alias in member.aliases]
        person = Person(students=students)
        known.append(person)
        by_mark.update(dict.fromkeys(marks_of(member.student), person))
    for one in graded:
        for student in whose(one):
            _enter(student, one.submission.name, known, by_mark)
    return known


def whose(graded: Graded) -> Sequence[Student]:
    """Everyone whom a submission names anywhere."""
    return (*graded.students, *graded.named, *graded.submission.students)


def marks_of(student: Student) -> frozenset[str]:
    """Every id of a student, plain."""
    return frozenset(filter(None, map(plain_id, told_marks(student))))


def _enter(
    student: Student, submission: str, known: list[Person], by_mark: dict[str, Person]
) -> None:
    """A record of somebody known, or of somebody new."""
    marks = marks_of(student)
    if not marks and not student.name:
        return
    person = next((by_mark[mark] for mark in marks if mark in by_mark), None)
    if person is None:
        person = next((one for one in known if one.is_one(student)), None)
    if person is None:
        person = Person()
        known.append(person)
    person.add(student, submission=submission)
    by_mark.update(dict.fromkeys(marks, person))
