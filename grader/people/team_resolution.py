"""Determine the students of a submission from the notebook, the folder and the roster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.model import Flag, FlagKind, Student
from grader.people.directory import Directory, comparable_ids, name_and_id, student_ids
from grader.people.name_matching import is_partial_name, normalize_id, same_name
from grader.people.roster import RosterMember


def resolve_team(
    *, named: Sequence[Student], folder_students: Sequence[Student], directory: Directory | None
) -> tuple[tuple[Student, ...], tuple[Flag, ...]]:
    """Combine all sources; everybody who is named anywhere is included.

    Args:
        named: the students whom the notebook names.
        folder_students: the students whom the folder or its metadata names.
        directory: everyone in the course; None without a roster.

    Returns:
        The students of the submission, and what a person should look at.
    """
    if directory is None:
        return _resolve_without_roster(named, folder_students)
    from_notebook, flags = _match_to_roster(named, directory)
    from_folder, folder_flags = _match_to_roster(folder_students, directory)
    additional = [student for student in from_folder if not from_notebook or _has_id(student)]
    all_flags = (*flags, *folder_flags, *_disagreements(from_notebook, from_folder))
    return _deduplicate([*from_notebook, *additional]), tuple(dict.fromkeys(all_flags))


def _has_id(student: Student) -> bool:
    """Return whether a system knows the student; a bare name may be a folder's."""
    return bool(student_ids(student))


def _match_to_roster(
    people: Sequence[Student], directory: Directory
) -> tuple[tuple[Student, ...], list[Flag]]:
    """Replace each student by the roster's record where there is one, and collect flags."""
    students, flags = [], []
    for person in people:
        member, flag = directory.find_member(person)
        students.append(_complete_member(member, person) if member else person)
        flags += [flag] if flag else []
    return tuple(students), flags


def _complete_member(member: RosterMember, folder_student: Student) -> Student:
    """Complete the roster's record with ids that only the folder knows."""
    known = member.student
    return replace(
        known,
        id=known.id or folder_student.id,
        name=known.name or folder_student.name,
        email=known.email or folder_student.email,
        lms={**folder_student.lms, **known.lms},
    )


def _resolve_without_roster(
    named: Sequence[Student], folder_students: Sequence[Student]
) -> tuple[tuple[Student, ...], tuple[Flag, ...]]:
    """Complete the notebook's names by the folder's."""
    students, completed, flags = list(named), [], []
    for folder_student in folder_students:
        indexes = [
            index
            for index, other in enumerate(named)
            if _may_be_same(folder_student, other, team=named)
        ]
        if len(indexes) != 1:
            completed.append(folder_student)
            continue
        student = students[indexes[0]]
        ids = {normalize_id(each.id) for each in (student, folder_student) if each.id}
        if len(ids) > 1:
            args = (name_and_id(student), folder_student.id)
            flags.append(Flag(FlagKind.ID_DIFFERS_IN_FOLDER, args))
        students[indexes[0]] = _merge_students(student, folder_student)
        completed.append(students[indexes[0]])
    additional = [student for student in completed if not named or _has_id(student)]
    return (
        _deduplicate([*students, *additional]),
        (*flags, *_disagreements(students, completed)),
    )


def _may_be_same(folder_student: Student, named: Student, *, team: Sequence[Student]) -> bool:
    """Return whether the folder means this named student and nobody else of the team."""
    identifiers = comparable_ids(folder_student)
    if named.id and normalize_id(named.id) in identifiers:
        return True
    if any(other.id and normalize_id(other.id) in identifiers for other in team):
        return False
    return any(
        same_name(name, named.name)
        or is_partial_name(name, named.name)
        or is_partial_name(named.name, name)
        for name in (folder_student.name, folder_student.id)
        if name
    )


def _merge_students(named: Student, folder_student: Student) -> Student:
    return Student(
        name=named.name or folder_student.name,
        id=named.id or folder_student.id,
        email=named.email or folder_student.email,
        section=named.section or folder_student.section,
        lms={**folder_student.lms, **named.lms},
    )


def _disagreements(notebook: Sequence[Student], folder: Sequence[Student]) -> list[Flag]:
    """Return flags for students who are named on one side only."""
    if not notebook or not folder:
        return []
    flags = [
        Flag(FlagKind.SUBMITTER_NOT_NAMED, (name_and_id(student),))
        for student in folder
        if not any(same_person(student, other) for other in notebook)
    ]
    if len(folder) > 1:  # a single student may have submitted for a team
        flags += [
            Flag(FlagKind.NAMED_NOT_IN_FOLDER, (name_and_id(student),))
            for student in notebook
            if not any(same_person(student, other) for other in folder)
        ]
    return flags


def same_person(student: Student, other: Student) -> bool:
    """Return whether two records are of one person: by id where both have one, else by name."""
    for first, second in ((student.id, other.id), (student.email, other.email)):
        if first and second:
            return normalize_id(first) == normalize_id(second)
    return bool(student.name) and same_name(student.name, other.name)


def _deduplicate(students: Sequence[Student]) -> tuple[Student, ...]:
    unique: list[Student] = []
    for student in students:
        if not any(same_person(student, other) for other in unique):
            unique.append(student)
    return tuple(unique)
