"""What only the whole class shows: who is in two submissions, and who in none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader import timestamps
from grader.model import LateRule, Student
from grader.people.directory import spoken, told_marks
from grader.people.enrollment import People
from grader.people.name_matching import plain_id, words
from grader.people.roster import Member

NAMED = 5
"""How many are named in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """Who handed in how often."""

    clashes: Mapping[str, tuple[str, ...]]
    """What to say of a submission whose students are in another, too, by its name."""
    missing: tuple[Student, ...]
    """Those on the roster who are in no submission, in its order."""


def check_roster(
    teams: Mapping[str, Sequence[Student]], *, members: Iterable[Member]
) -> Attendance:
    """Look at all submissions at once.

    Args:
        teams: the students of each submission, by its name.
        members: everyone in the course; nobody where there is no roster.
    """
    places: dict[str, list[tuple[str, Student]]] = {}
    present: set[str] = set()
    for name, students in teams.items():
        for one in students:
            if _key(one):
                places.setdefault(_key(one), []).append((name, one))
            present |= set(map(plain_id, told_marks(one)))
    clashes: dict[str, list[str]] = {}
    for found in places.values():
        names = list(dict.fromkeys(name for name, _ in found))
        for name, one in found if len(names) > 1 else ():
            others = ", ".join(other for other in names if other != name)
            clashes.setdefault(name, []).append(f"{spoken(one)} is in {others}, too")
    missing = tuple(
        member.student
        for member in members
        if _key(member.student) not in places
        and not present & set(map(plain_id, told_marks(member.student)))
    )
    return Attendance(
        clashes={name: tuple(said) for name, said in clashes.items()}, missing=missing
    )


def strangers(marks: Iterable[str], *, known: Iterable[Student]) -> tuple[str, ...]:
    """The ids that are nobody's.

    Args:
        marks: ids as staff wrote them.
        known: everyone on the roster, or in a submission.
    """
    theirs = {
        plain_id(mark) for one in known for mark in (*told_marks(one), one.email.partition("@")[0])
    }
    return tuple(mark for mark in marks if plain_id(mark) not in theirs)


def remarks(
    teams: Mapping[str, Sequence[Student]],
    *,
    people: People,
    rule: LateRule | None,
    untimed: Sequence[str],
) -> Iterator[str]:
    """What concerns a class and no submission of it, in words for staff.

    Args:
        teams: the students of each submission, by its name.
        people: the roster, and the dates.
        rule: when the assignment is due, if it says so.
        untimed: the submissions of which nobody says when they came.
    """
    everyone = [one for students in teams.values() for one in students]
    everyone += [member.student for member in people.members]
    for mark in strangers(people.extensions, known=everyone):
        yield f"the extension of {mark} is nobody's: no student here has that id"
    if rule is None:
        return
    due = timestamps.due(rule.due)
    for mark in (mark for mark, own in people.extensions.items() if timestamps.due(own) < due):
        yield f"the extension of {mark} ends before the assignment is due, so it changes nothing"
    if untimed:
        names = ", ".join(untimed[:NAMED]) + (" …" if len(untimed) > NAMED else "")
        yield (
            f"nobody says when {len(untimed)} of {len(teams)} were handed in, so nothing is taken "
            f"off: {names} (--times says when)"
        )


def _key(student: Student) -> str:
    """What tells a student from others: the id, else the name."""
    return plain_id(student.id or student.email) or " ".join(sorted(words(student.name)))
