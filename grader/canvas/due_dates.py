"""Due dates of somebody's own, from what Canvas calls overrides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from grader import timestamps
from grader.canvas.records import CanvasAssignment, CanvasSubmission, CanvasUser, DueOverride
from grader.errors import UsageError

NEVER = "9999-12-30T00:00:00+00:00"
"""The due date of whoever has none."""


def find_extensions(
    assignment: CanvasAssignment,
    *,
    overrides: Sequence[DueOverride],
    students: Sequence[CanvasUser],
    submissions: Sequence[CanvasSubmission],
) -> dict[int, str]:
    """Return the due date of each user who has another one than the assignment says.

    What Canvas says of a submission decides, as it knows its own rules; where it says nothing, the
    overrides do.

    Raises:
        UsageError: Canvas has written a date that can't be read.
    """
    by_user = {submission.user_id: submission for submission in submissions}
    usual = _parse(assignment.due_at)
    extensions: dict[int, str] = {}
    for student in students:
        submission = by_user.get(student.id)
        sections = {enrollment.course_section_id for enrollment in student.enrollments}
        group = submission.group_id if submission else None
        own = list(_own_dates(overrides, user=student.id, group=group, sections=sections))
        if submission is not None and "cached_due_date" in submission.model_fields_set:
            due = _parse(submission.cached_due_date)
        elif own:
            due = None if None in own else max(date for date in own if date is not None)
        else:
            continue
        if due != usual:
            extensions[student.id] = due.isoformat() if due else NEVER
    return extensions


def _own_dates(
    overrides: Sequence[DueOverride],
    *,
    user: int,
    group: int | None,
    sections: Collection[int | None],
) -> Iterator[datetime | None]:
    """Yield the due dates of a user's overrides: by name, else those of group and sections."""
    changing = [override for override in overrides if override.changes_due_date]
    personal = [override for override in changing if user in override.student_ids]
    shared = [
        override
        for override in changing
        if (override.group_id is not None and override.group_id == group)
        or (override.course_section_id is not None and override.course_section_id in sections)
    ]
    yield from (_parse(override.due_at) for override in personal or shared)


def _parse(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return timestamps.parse_due(text)
    except ValueError as error:
        raise UsageError(f"Canvas has a due date that cannot be read: {text}") from error
