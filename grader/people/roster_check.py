"""Find students in several submissions, and roster members in none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from grader import timestamps
from grader.model import Flag, FlagKind, LateRule, Student
from grader.people.directory import (
    are_told_apart,
    comparable_ids,
    has_id,
    name_and_id,
    normalized_ids,
)
from grader.people.enrollment import People
from grader.people.name_matching import name_words, normalize_id
from grader.people.roster import RosterMember

MAX_NAMED = 5
"""Maximum number of names in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterCheckResult:
    """Duplicate and missing students of a class."""

    duplicate_flags: Mapping[str, tuple[Flag, ...]]
    """By submission, the flags for students who are in another submission, too."""
    missing: tuple[Student, ...]
    """Those on the roster who are in no submission, in its order."""


def check_roster(
    teams: Mapping[str, Sequence[Student]], *, members: Iterable[RosterMember]
) -> RosterCheckResult:
    """Compare all submissions with each other and with the roster.

    Args:
        teams: the students of each submission, by its name.
        members: everyone in the course; empty without a roster.
    """
    submissions_by_student: dict[str, list[tuple[str, Student]]] = {}
    present_ids: set[str] = set()
    for name, students in teams.items():
        for student in students:
            if _student_key(student):
                submissions_by_student.setdefault(_student_key(student), []).append((name, student))
            present_ids |= normalized_ids(student)
    duplicate_flags: dict[str, list[Flag]] = {}
    for occurrences in chain.from_iterable(map(_split_by_lms_id, submissions_by_student.values())):
        names = list(dict.fromkeys(name for name, _ in occurrences))
        for name, student in occurrences if len(names) > 1 else ():
            others = _list_others(names, besides=name)
            duplicate_flags.setdefault(name, []).append(
                Flag(FlagKind.DUPLICATE_STUDENT, (name_and_id(student), others))
            )
    missing = tuple(
        member.student
        for member in members
        if not present_ids & normalized_ids(member.student)
        and all(
            not has_id(member.student) and are_told_apart(member.student, student)
            for _, student in submissions_by_student.get(_student_key(member.student), ())
        )
    )
    return RosterCheckResult(
        duplicate_flags={name: tuple(flags) for name, flags in duplicate_flags.items()},
        missing=missing,
    )


def _split_by_lms_id(
    occurrences: Sequence[tuple[str, Student]],
) -> Iterable[Sequence[tuple[str, Student]]]:
    """Return the students of one name apart where a system's ids tell them apart."""
    by_lms: dict[tuple[tuple[str, str], ...], list[tuple[str, Student]]] = {}
    for name, student in occurrences:
        by_lms.setdefault(tuple(sorted(student.lms.items())), []).append((name, student))
    is_one = () in by_lms or any(has_id(student) for _, student in occurrences)
    return [occurrences] if is_one else list(by_lms.values())


def _list_others(names: Sequence[str], *, besides: str) -> str:
    """Return some of the other names: a name that 400 submissions share has 400 flags."""
    nearest = [name for name in names[: MAX_NAMED + 1] if name != besides][:MAX_NAMED]
    more = len(names) - 1 - len(nearest)
    return ", ".join(nearest) + (f" and {more:,} more" if more else "")


def unknown_ids(ids: Iterable[str], *, known: Iterable[Student]) -> tuple[str, ...]:
    """Return the ids that belong to no known student.

    Args:
        ids: ids as staff wrote them.
        known: everyone on the roster, or in a submission.
    """
    known_ids = {identifier for student in known for identifier in comparable_ids(student)}
    return tuple(identifier for identifier in ids if normalize_id(identifier) not in known_ids)


def class_notes(
    teams: Mapping[str, Sequence[Student]],
    *,
    people: People,
    rule: LateRule | None,
    untimed: Sequence[str],
) -> Iterator[str]:
    """Yield notes for staff that concern the class rather than a submission.

    Args:
        teams: the students of each submission, by its name.
        people: the roster, and the dates.
        rule: the due date of the assignment, if it has one.
        untimed: the submissions without a known submission time.
    """
    everyone = [student for students in teams.values() for student in students]
    everyone += [member.student for member in people.members]
    for identifier in unknown_ids(people.extensions, known=everyone):
        yield f"the extension of {identifier} matches no student"
    if rule is None:
        return
    due = timestamps.parse_due(rule.due)
    for identifier, extension in people.extensions.items():
        if timestamps.parse_due(extension) < due:
            yield (
                f"the extension of {identifier} ends before the assignment is due, so it changes "
                "nothing"
            )
    if untimed:
        names = ", ".join(untimed[:MAX_NAMED]) + (" …" if len(untimed) > MAX_NAMED else "")
        yield (
            f"no submission time for {len(untimed)} of {len(teams)}; no late penalty applied: "
            f"{names} (add times with --times)"
        )


def _student_key(student: Student) -> str:
    """Return what distinguishes a student: the id, else the folded name."""
    return normalize_id(student.id or student.email) or " ".join(sorted(name_words(student.name)))
