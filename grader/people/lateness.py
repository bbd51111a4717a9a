"""How late a submission is for each of its students, counted from their own due dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from grader import timestamps
from grader.model import Lateness, LateRule, Student, Submission
from grader.people.directory import told_marks
from grader.people.name_matching import plain_id

DAY_S = 24 * 60 * 60
_NOBODY = Student(name="", id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """The lateness of each student in order, and what asks for a person."""

    lateness: tuple[Lateness | None, ...] = ()
    doubts: tuple[str, ...] = ()
    """In words for staff."""


class Clock:
    """Tells lateness by the rule of an assignment.

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
        self._due = timestamps.due(rule.due)
        self.zone: tzinfo = (
            timestamps.zone(rule.timezone) if rule.timezone else timestamps.offset_of(self._due)
        )
        self._extensions = {plain_id(mark): timestamps.due(due) for mark, due in extensions.items()}
        self._times = {plain_id(mark): at for mark, at in times.items()}

    def tell(self, submission: Submission, *, students: Sequence[Student]) -> Timed:
        """How late it is for each student, or for itself where nobody is named."""
        who = students or (_NOBODY,)
        told = self._told_time(submission, who)
        at = timestamps.reckoned(told, zone=self.zone) if told else None
        if told and at is None:
            return self._unknown(who, f"the time it was handed in can't be read: {told}")
        if at is None and submission.late:
            return self._unknown(
                who, "called late, but nobody says when it came: nothing is taken off by guess"
            )
        if at is None:
            return Timed(lateness=(None,) * len(who))
        lateness = tuple(self._late(at, due=self.due_of(one)) for one in who)
        return Timed(lateness=lateness, doubts=self._doubts(submission, at, lateness))

    def due_of(self, student: Student) -> datetime:
        """A student's own due date: never before that of the assignment."""
        marks = (*told_marks(student), student.email.partition("@")[0])
        own = [self._extensions[m] for m in map(plain_id, marks) if m in self._extensions]
        return max([self._due, *own])

    def _told_time(self, submission: Submission, who: Sequence[Student]) -> str:
        """When it was handed in: as staff say, else as the folder does."""
        marks = (submission.name, submission.shown, *(m for one in who for m in told_marks(one)))
        known = (self._times[m] for m in map(plain_id, marks) if m in self._times)
        return next(known, submission.at)

    def _late(self, at: datetime, *, due: datetime) -> Lateness:
        """Days are of 24 hours, also when clocks change, and each begins with the grace."""
        over = -((due.astimezone(UTC) - at) // timedelta(seconds=1))
        counted = over - self._rule.grace_s
        return self._record(
            due=due,
            at=at.astimezone(self.zone).isoformat(timespec="seconds"),
            late_s=over if counted > 0 else 0,
            days=max(0, -(-counted // DAY_S)),
        )

    def _unknown(self, who: Sequence[Student], doubt: str) -> Timed:
        """Late by nobody knows how much."""
        lateness = tuple(self._record(due=self.due_of(one), at="", late_s=0, days=0) for one in who)
        return Timed(lateness=lateness, doubts=(doubt,))

    def _record(self, *, due: datetime, at: str, late_s: int, days: int) -> Lateness:
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

    def _doubts(
        self, submission: Submission, at: datetime, lateness: Sequence[Lateness]
    ) -> tuple[str, ...]:
        """Where the time and the mark of the learning management system say different things."""
        said = at.astimezone(self.zone).isoformat(timespec="seconds")
        extended = any(late.due != self._due.isoformat() for late in lateness)
        if submission.late and not extended and at <= self._due.astimezone(UTC):
            return (f"called late, but handed in at {said}, before it was due",)
        if submission.late is False and any(late.days for late in lateness):
            return (f"not called late, but handed in at {said}, after it was due",)
        return ()
