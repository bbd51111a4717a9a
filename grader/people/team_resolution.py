"""Whose a submission is, from what the notebook, the folder and the roster say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.model import Student
from grader.people.directory import Directory, spoken, told_marks
from grader.people.name_matching import part_of, plain_id, same_name
from grader.people.roster import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Whose a submission is, and what asks for a person."""

    students: tuple[Student, ...]
    doubts: tuple[str, ...] = ()
    """In words for staff."""


def team(*, named: Sequence[Student], told: Sequence[Student], directory: Directory | None) -> Team:
    """Put together what is known; nobody whom anyone names is left out.

    Args:
        named: whom the notebook names.
        told: whom the folder or its metadata says.
        directory: everyone in the course, or None where there is no roster.
    """
    if directory is None:
        return _among_themselves(named, told)
    from_notebook, doubts = _resolved(named, directory)
    from_folder, more = _resolved(told, directory)
    kept = [one for one in from_folder if not from_notebook or _is_known(one)]
    return Team(
        students=_without_repetition([*from_notebook, *kept]),
        doubts=tuple(dict.fromkeys((*doubts, *more, *_disagreements(from_notebook, from_folder)))),
    )


def _is_known(told: Student) -> bool:
    """Whether a system knows somebody; a name alone may be that of a folder."""
    return bool(told_marks(told))


def _resolved(
    people: Sequence[Student], directory: Directory
) -> tuple[tuple[Student, ...], list[str]]:
    """Each as the roster has them, or as they were named; and doubts."""
    students, doubts = [], []
    for one in people:
        found = directory.find(one)
        students.append(_completed(found.member, one) if found.member else one)
        if found.doubt:
            doubts.append(found.doubt)
    return tuple(students), doubts


def _completed(member: Member, told: Student) -> Student:
    """The roster's record, with ids in other systems that only the folder knows."""
    known = member.student
    return replace(
        known,
        id=known.id or told.id,
        name=known.name or told.name,
        email=known.email or told.email,
        lms={**told.lms, **known.lms},
    )


def _among_themselves(named: Sequence[Student], told: Sequence[Student]) -> Team:
    """Without a roster: the notebook's names, completed by the folder's."""
    students, folder, doubts = list(named), [], []
    for one in told:
        places = [at for at, other in enumerate(named) if _may_be(one, other, among=named)]
        if len(places) != 1:
            folder.append(one)
            continue
        ours = students[places[0]]
        if ours.id and one.id and plain_id(ours.id) != plain_id(one.id):
            doubts.append(f"{spoken(ours)} in the notebook has the id {one.id} in the folder")
        students[places[0]] = _joined(ours, one)
        folder.append(students[places[0]])
    kept = [one for one in folder if not named or _is_known(one)]
    return Team(
        students=_without_repetition([*students, *kept]),
        doubts=(*doubts, *_disagreements(students, folder)),
    )


def _may_be(told: Student, named: Student, *, among: Sequence[Student]) -> bool:
    """Whether the folder means somebody whom the notebook names, and nobody else of the team."""
    marks = {plain_id(mark) for mark in told_marks(told)}
    marks |= {plain_id(told.email.partition("@")[0])} - {""}
    if named.id and plain_id(named.id) in marks:
        return True
    if any(other.id and plain_id(other.id) in marks for other in among):
        return False
    for name in filter(None, (told.name, told.id)):
        if same_name(name, named.name) or part_of(name, named.name) or part_of(named.name, name):
            return True
    return False


def _joined(named: Student, told: Student) -> Student:
    return Student(
        name=named.name or told.name,
        id=named.id or told.id,
        email=named.email or told.email,
        section=named.section or told.section,
        lms={**told.lms, **named.lms},
    )


def _disagreements(notebook: Sequence[Student], folder: Sequence[Student]) -> list[str]:
    """Who stands on one side only, where both name somebody."""
    if not notebook or not folder:
        return []
    doubts = [
        f"handed in by {spoken(one)}, whom the notebook does not name"
        for one in folder
        if not any(same_person(one, other) for other in notebook)
    ]
    if len(folder) > 1:  # one alone may have handed in for a team
        doubts += [
            f"the notebook names {spoken(one)}, and the folder does not"
            for one in notebook
            if not any(same_person(one, other) for other in folder)
        ]
    return doubts


def same_person(one: Student, other: Student) -> bool:
    """Whether two records are of one person: by id where both have one, else by name."""
    for first, second in ((one.id, other.id), (one.email, other.email)):
        if first and second:
            return plain_id(first) == plain_id(second)
    return bool(one.name) and same_name(one.name, other.name)


def _without_repetition(students: Sequence[Student]) -> tuple[Student, ...]:
    kept: list[Student] = []
    for one in students:
        if not any(same_person(one, other) for other in kept):
            kept.append(one)
    return tuple(kept)
