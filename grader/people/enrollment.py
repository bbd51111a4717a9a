"""Says of one submission whose it is and how late it came, by all that a course knows of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.model import Lateness, LateRule, Student, Submission
from grader.people.directory import Directory
from grader.people.lateness import Clock, Timed
from grader.people.roster import Member
from grader.people.team_resolution import team


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What a course knows of its people; plain data, so that it can be sent to processes."""

    members: tuple[Member, ...] = ()
    """The roster; empty where there is none."""
    extensions: Mapping[str, str] = field(default_factory=dict)
    """Due dates of their own, in ISO 8601 with an offset, by a student's id."""
    times: Mapping[str, str] = field(default_factory=dict)
    """When submissions were handed in, as staff know it, by a submission's name or student's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """Whose a submission is, how late it came for each, and what asks for a person."""

    students: tuple[Student, ...]
    lateness: tuple[Lateness | None, ...]
    """For each student in order; empty where nothing has a due date."""
    doubts: tuple[str, ...]
    """In words for staff."""


class Registrar:
    """Knows the people of a course and the due date of an assignment."""

    def __init__(self, people: People, *, rule: LateRule | None) -> None:
        self._directory = Directory(people.members) if people.members else None
        self._clock = (
            Clock(rule, extensions=people.extensions, times=people.times) if rule else None
        )

    def enter(self, submission: Submission, *, named: Sequence[Student]) -> Entered:
        """Whose it is and how late.

        Args:
            submission: with what the folder says of it.
            named: whom the notebook names.
        """
        whose = team(named=named, told=submission.students, directory=self._directory)
        timed = Timed()
        if self._clock is not None:
            timed = self._clock.tell(submission, students=whose.students)
        return Entered(
            students=whose.students,
            lateness=timed.lateness,
            doubts=(*whose.doubts, *timed.doubts),
        )
