"""Resolve the students and the lateness of a submission from everything the course knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.model import Flag, FlagKind, Lateness, LateRule, Student, Submission
from grader.people.directory import Directory
from grader.people.lateness import LatenessCalculator
from grader.people.roster import RosterMember
from grader.people.team_resolution import resolve_team


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people of a course, as plain data that can be sent to processes."""

    members: tuple[RosterMember, ...] = ()
    """The roster; empty without one."""
    extensions: Mapping[str, str] = field(default_factory=dict)
    """Extended due dates, in ISO 8601 with an offset, by a student's id."""
    submission_times: Mapping[str, str] = field(default_factory=dict)
    """Submission times that staff know, by a submission's name or a student's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """The students of a submission, their lateness, and what a person should look at."""

    students: tuple[Student, ...]
    lateness: tuple[Lateness | None, ...]
    """For each student in order; empty where nothing has a due date."""
    flags: tuple[Flag, ...]


class EnrollmentResolver:
    """Resolves submissions against a roster and a due date."""

    def __init__(self, people: People, *, rule: LateRule | None) -> None:
        self._directory = Directory(people.members) if people.members else None
        self._lateness_calculator = (
            LatenessCalculator(rule, extensions=people.extensions, times=people.submission_times)
            if rule
            else None
        )

    def resolve(self, submission: Submission, *, named: Sequence[Student]) -> Enrollment:
        """Resolve the students and the lateness of a submission.

        Args:
            submission: the submission, with its students and time in the download.
            named: the students whom the notebook names.
        """
        students, flags = resolve_team(
            named=named, folder_students=submission.students, directory=self._directory
        )
        if self._lateness_calculator is None:
            late_flags = (Flag(FlagKind.LATE_WITHOUT_RULE),) if submission.late else ()
            return Enrollment(students=students, lateness=(), flags=(*flags, *late_flags))
        lateness, time_flags = self._lateness_calculator.calculate(submission, students=students)
        return Enrollment(students=students, lateness=lateness, flags=(*flags, *time_flags))
