"""Finds the people in a gradebook: which records, under several names, are one person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from grader.model import Graded, Student
from grader.people import People
from grader.people.directory import normalized_ids
from grader.people.name_matching import same_name


@dataclass(slots=True, kw_only=True)
class Person:
    """One person, as different sources know them."""

    records: list[Student] = field(default_factory=list)
    submissions: list[str] = field(default_factory=list)

    def matches(self, other: Student) -> bool:
        """Return whether a record is about this person: by id, or by name where one has no id."""
        ids = normalized_ids(other)
        return any(
            bool(ids & normalized_ids(record))
            if ids and normalized_ids(record)
            else same_name(record.name, other.name)
            for record in self.records
        )

    def add(self, student: Student, *, submission: str = "") -> None:
        """Add a record, and the submission it was in."""
        if student not in self.records:
            self.records.append(student)
        if submission and submission not in self.submissions:
            self.submissions.append(submission)


def collect_people(graded: Iterable[Graded], *, people: People) -> list[Person]:
    """Return all people of a class, each once, those of the roster first."""
    persons: list[Person] = []
    by_id: dict[str, Person] = {}
    for member in people.members:
        records = [member.student]
        records += [replace(member.student, name=alias) for alias in member.aliases]
        person = Person(records=records)
        persons.append(person)
        by_id.update(dict.fromkeys(normalized_ids(member.student), person))
    for grade in graded:
        for student in mentioned_students(grade):
            _add_record(student, grade.submission.name, persons, by_id)
    return persons


def mentioned_students(graded: Graded) -> Sequence[Student]:
    """Return all students whom a submission names anywhere."""
    return (*graded.students, *graded.named, *graded.submission.students)


def _add_record(
    student: Student, submission: str, persons: list[Person], by_id: dict[str, Person]
) -> None:
    """Add a record to the person it is about, or to a new person."""
    ids = normalized_ids(student)
    if not ids and not student.name:
        return
    person = next((by_id[student_id] for student_id in ids if student_id in by_id), None)
    if person is None:
        person = next((candidate for candidate in persons if candidate.matches(student)), None)
    if person is None:
        person = Person()
        persons.append(person)
    person.add(student, submission=submission)
    by_id.update(dict.fromkeys(ids, person))
