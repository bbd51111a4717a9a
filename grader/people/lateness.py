"""Compute how late a submission is for each student, from their own due dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from grader import timestamps
from grader.model import Flag, FlagKind, Lateness, LateRule, Student, Submission
from grader.people.directory import student_ids
from grader.people.name_matching import normalize_id

DAY_S = 24 * 60 * 60
_NOBODY = Student(name="", id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamLateness:
    """The lateness of each student in order, and what a person should look at."""

    lateness: tuple[Lateness | None, ...] = ()
    flags: tuple[Flag, ...] = ()


class LatenessCalculator:
    """Computes lateness by the rule of an assignment.

    Args:
        rule: when it is due and what a day takes.
        extensions: later due dates, in ISO 8601 with an offset, by a student's id.
        times: when submissions were handed in where staff know better than the folder, likewise,
            by the name of a submission or a student's id.
    """

    def __init__(
        self, rule: LateRule, *, extensions: Mapping[str, str], times: Mapping[str, str]
    ) -> None:
        self._rule = rule
        self._due = timestamps.parse_due(rule.due)
        self.zone: tzinfo = (
            timestamps.find_zone(rule.timezone)
            if rule.timezone
            else timestamps.utc_offset(self._due)
        )
        self._extensions = {
            normalize_id(identifier): timestamps.parse_due(due)
            for identifier, due in extensions.items()
        }
        self._times = {normalize_id(identifier): time for identifier, time in times.items()}

    def calculate(self, submission: Submission, *, students: Sequence[Student]) -> TeamLateness:
        """Compute the lateness of each student, or of the submission where nobody is named."""
        team = students or (_NOBODY,)
        time_text = self._submission_time(submission, team)
        submitted_at = timestamps.parse_lms_time(time_text, zone=self.zone) if time_text else None
        if time_text and submitted_at is None:
            return self._unknown_lateness(team, Flag(FlagKind.TIME_UNREADABLE, (time_text,)))
        if submitted_at is None and submission.late:
            return self._unknown_lateness(team, Flag(FlagKind.LATE_WITHOUT_TIME))
        if submitted_at is None:
            return TeamLateness(lateness=(None,) * len(team))
        lateness = tuple(
            self._measure_lateness(submitted_at, due=self.due_for(student)) for student in team
        )
        return TeamLateness(
            lateness=lateness, flags=self._contradictions(submission, submitted_at, lateness)
        )

    def due_for(self, student: Student) -> datetime:
        """Return a student's due date, never before that of the assignment."""
        identifiers = (*student_ids(student), student.email.partition("@")[0])
        extended = [
            self._extensions[identifier]
            for identifier in map(normalize_id, identifiers)
            if identifier in self._extensions
        ]
        return max([self._due, *extended])

    def _submission_time(self, submission: Submission, team: Sequence[Student]) -> str:
        """Return the submission time from staff, else from the download."""
        identifiers = (
            submission.name,
            submission.display_path,
            *(identifier for student in team for identifier in student_ids(student)),
        )
        staff_times = (
            self._times[identifier]
            for identifier in map(normalize_id, identifiers)
            if identifier in self._times
        )
        return next(staff_times, submission.submitted_at)

    def _measure_lateness(self, submitted_at: datetime, *, due: datetime) -> Lateness:
        """Count started days of 24 hours, also across clock changes; each starts with the grace."""
        overdue_s = -((due.astimezone(UTC) - submitted_at) // timedelta(seconds=1))
        counted_s = overdue_s - self._rule.grace_s
        return self._make_lateness(
            due=due,
            at=submitted_at.astimezone(self.zone).isoformat(timespec="seconds"),
            late_s=overdue_s if counted_s > 0 else 0,
            days=max(0, -(-counted_s // DAY_S)),
        )

    def _unknown_lateness(self, team: Sequence[Student], flag: Flag) -> TeamLateness:
        """Return lateness of unknown length."""
        lateness = tuple(
            self._make_lateness(due=self.due_for(student), at="", late_s=0, days=0)
            for student in team
        )
        return TeamLateness(lateness=lateness, flags=(flag,))

    def _make_lateness(self, *, due: datetime, at: str, late_s: int, days: int) -> Lateness:
        return Lateness(
            due=due.isoformat(),
            at=at,
            late_s=late_s,
            days=days,
            deduction=None,
            per_day=self._rule.per_day,
            unit=self._rule.unit,
            cap=self._rule.cap,
        )

    def _contradictions(
        self, submission: Submission, submitted_at: datetime, lateness: Sequence[Lateness]
    ) -> tuple[Flag, ...]:
        """Return flags where the time contradicts the system's own late status."""
        time_text = submitted_at.astimezone(self.zone).isoformat(timespec="seconds")
        has_extension = any(late.due != self._due.isoformat() for late in lateness)
        if submission.late and not has_extension and submitted_at <= self._due.astimezone(UTC):
            return (Flag(FlagKind.LATE_BUT_BEFORE_DUE, (time_text,)),)
        if submission.late is False and any(late.days for late in lateness):
            return (Flag(FlagKind.NOT_LATE_BUT_AFTER_DUE, (time_text,)),)
        return ()
