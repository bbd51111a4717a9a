"""Resolve whose a submission is and how late it came, from everything the course knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.model import Flag, Lateness, LateRule, Student, Submission
from grader.people.directory import Directory
from grader.people.lateness import LatenessCalculator, TeamLateness
from grader.people.roster import RosterMember
from grader.people.team_resolution import resolve_team


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people of a course, as plain data that can be sent to processes."""

    members: tuple[RosterMember, ...] = ()
    """The roster; empty where there is none."""
    extensions: Mapping[str, str] = field(default_factory=dict)
    """Due dates of their own, in ISO 8601 with an offset, by a student's id."""
    submission_times: Mapping[str, str] = field(default_factory=dict)
    """When submissions were handed in, as staff know it, by a submission's name or student's id."""


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
            submission: with what the folder says of it.
            named: whom the notebook names.
        """
        resolved_team = resolve_team(
            named=named, folder_students=submission.students, directory=self._directory
        )
        team_lateness = TeamLateness()
        if self._lateness_calculator is not None:
            team_lateness = self._lateness_calculator.calculate(
                submission, students=resolved_team.students
            )
        return Enrollment(
            students=resolved_team.students,
            lateness=team_lateness.lateness,
            flags=(*resolved_team.flags, *team_lateness.flags),
        )
