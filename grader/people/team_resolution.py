"""Determine the students of a submission from the notebook, the folder and the roster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.model import Flag, FlagKind, Student
from grader.people.directory import Directory, comparable_ids, name_and_id, student_ids
from grader.people.name_matching import is_made_of, is_partial_name, normalize_id, same_name
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
    records = [_look_up(student, directory) for student in named]
    students = [student for student, _, _ in records]
    flags = [flag for _, _, flag in records if flag]
    submitters: list[Student] = []
    for folder_student in folder_students:
        student, is_member, flag = _look_up(folder_student, directory)
        index = None if is_member else _find_same(student, students)
        if index is not None:
            flags += _differing_ids(students[index], student)
            student = students[index] = _merge_students(students[index], student)
        elif named and _is_account(student):
            continue  # one of the team, whichever
        else:
            flags += [flag] if flag else []
        submitters.append(student)
    additional = [student for student in submitters if not named or student_ids(student)]
    all_flags = (*flags, *_disagreements(students, submitters))
    return _deduplicate([*students, *additional]), tuple(dict.fromkeys(all_flags))


def _look_up(person: Student, directory: Directory | None) -> tuple[Student, bool, Flag | None]:
    """Return the roster's record of a person if there is one, whether there is, and a flag."""
    if directory is None:
        return person, False, None
    member, flag = directory.find_member(person)
    return (_complete_member(member, person), True, flag) if member else (person, False, flag)


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


def _is_account(student: Student) -> bool:
    """Return whether a system's login is all that is known: it says nobody's name or id."""
    return not (student.name or student.id or student.email)


def _find_same(folder_student: Student, team: Sequence[Student]) -> int | None:
    """Return the index of the only named student whom the folder can mean.

    One with the same name goes before one whose name is a part of it.
    Where one side knows only a name and the other only an id, the id must be made of the name,
    unless the notebook names nobody else.
    """
    same = [n for n, other in enumerate(team) if _may_be_same(folder_student, other, team=team)]
    exact = [n for n in same if same_name(folder_student.name, team[n].name)]
    same = exact if len(exact) == 1 else same
    if len(same) != 1:
        gaps = [n for n, other in enumerate(team) if _may_complete(folder_student, other)]
        fitting = [n for n in gaps if _id_fits_name(folder_student, team[n])]
        same = gaps if len(team) == 1 else fitting
    return same[0] if len(same) == 1 else None


def _may_complete(folder_student: Student, named: Student) -> bool:
    """Return whether one side has only a name and the other only an id."""
    if _is_account(folder_student):
        return True
    if not folder_student.name:
        return bool(named.name) and (not named.id or _id_fits_name(folder_student, named))
    return not (folder_student.id or folder_student.email or named.name)


def _id_fits_name(student: Student, other: Student) -> bool:
    """Return whether an id of the one without a name is made of the other's name."""
    with_id, with_name = (other, student) if student.name else (student, other)
    identifiers = student_ids(with_id)
    return not with_id.name and any(is_made_of(each, name=with_name.name) for each in identifiers)


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


def _differing_ids(named: Student, folder_student: Student) -> list[Flag]:
    ids = {normalize_id(each.id) for each in (named, folder_student) if each.id}
    args = (name_and_id(named), folder_student.id)
    return [Flag(FlagKind.ID_DIFFERS_IN_FOLDER, args)] if len(ids) > 1 else []


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
    systems = student.lms.keys() & other.lms.keys()
    ids = [(student.lms[system], other.lms[system]) for system in sorted(systems)]
    for first, second in ((student.id, other.id), (student.email, other.email), *ids):
        if first and second:
            return normalize_id(first) == normalize_id(second)
    return bool(student.name) and same_name(student.name, other.name)


def _deduplicate(students: Sequence[Student]) -> tuple[Student, ...]:
    unique: list[Student] = []
    for student in students:
        if not any(same_person(student, other) for other in unique):
            unique.append(student)
    return tuple(unique)
