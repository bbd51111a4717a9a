"""Compute how late a submission is for each student, from their own due dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from grader import timestamps
from grader.model import Flag, FlagKind, Lateness, LateRule, Student, Submission
from grader.people.directory import comparable_ids, student_ids
from grader.people.name_matching import normalize_id

DAY_S = 24 * 60 * 60
_NOBODY = Student(name="", id="")


def course_zone(rule: LateRule) -> tzinfo:
    """Return the time zone of times without one: the rule's own, else that of the due date."""
    if rule.timezone:
        return timestamps.find_zone(rule.timezone)
    return timestamps.utc_offset(timestamps.parse_due(rule.due))


class LatenessCalculator:
    """Computes lateness by the rule of an assignment.

    Args:
        rule: the due date, and the deduction for each day.
        extensions: later due dates, in ISO 8601 with an offset, by a student's id.
        times: submission times that replace those of the download, in ISO 8601 with an offset, by
            the name of a submission or a student's id.
    """

    def __init__(
        self, rule: LateRule, *, extensions: Mapping[str, str], times: Mapping[str, str]
    ) -> None:
        self._rule = rule
        self._due = timestamps.parse_due(rule.due)
        self.zone = course_zone(rule)
        self._extensions = {
            normalize_id(identifier): timestamps.parse_due(due)
            for identifier, due in extensions.items()
        }
        self._times = {normalize_id(identifier): time for identifier, time in times.items()}

    def calculate(
        self, submission: Submission, *, students: Sequence[Student]
    ) -> tuple[tuple[Lateness | None, ...], tuple[Flag, ...]]:
        """Compute the lateness of each student, or of the submission where nobody is named.

        Returns:
            The lateness of each student in order, None where the time is not known; and what a
            person should look at.
        """
        team = students or (_NOBODY,)
        due_dates = [self.due_for(student) for student in team]
        time_text = self._submission_time(submission, team)
        submitted_at = timestamps.parse_lms_time(time_text, zone=self.zone) if time_text else None
        if submitted_at is not None:
            lateness = tuple(self._measure_lateness(submitted_at, due=due) for due in due_dates)
            return lateness, self._contradictions(submission, submitted_at, lateness)
        if not time_text and not submission.late:
            return (None,) * len(team), ()
        unknown = tuple(self._make_lateness(due=due, at="", late_s=0, days=0) for due in due_dates)
        if time_text:
            return unknown, (Flag(FlagKind.TIME_UNREADABLE, (time_text,)),)
        return unknown, (Flag(FlagKind.LATE_WITHOUT_TIME),)

    def due_for(self, student: Student) -> datetime:
        """Return a student's due date, never before that of the assignment."""
        ids = comparable_ids(student) & self._extensions.keys()
        return max([self._due, *(self._extensions[identifier] for identifier in ids)])

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
