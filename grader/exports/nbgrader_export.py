"""Writes the table that `nbgrader export` writes, for programs that read that one.

Columns and what stands in them are those of nbgrader's own exporter
(`nbgrader/plugins/export.py`), but for two things: cells are quoted where they must be, and what
waits for a person is an empty cell.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from fractions import Fraction

from grader.exports.export import Export, Grades, Line, Wish
from grader.exports.gradebook_csv import defused
from grader.exports.student_grades import Standing, standings, two_decimals

COLUMNS = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)


def nbgrader(grades: Grades, *, wish: Wish) -> Export:  # noqa: ARG001 - it has no options
    """A row for each student of each submission."""
    found = standings(grades.results)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    total = two_decimals(grades.rubric.total)
    writer.writerows(_row(one, assignment=grades.rubric.id, total=total) for one in found)
    return Export(
        files={"grades.csv": written.getvalue().encode()},
        done=f"{len(found)} rows, as nbgrader writes them",
        waiting=tuple(Line(who=s.who, why=s.waits) for s in found if s.waits and not s.reason),
        left=tuple(Line(who=s.who, why=s.waits) for s in found if s.reason),
    )


def _row(standing: Standing, *, assignment: str, total: str) -> list[str]:
    student, late = standing.student, standing.late
    last, _, first = student.name.partition(",")
    taken = late.deduction if late else Fraction(0)
    return [
        defused(assignment),
        _moment(late.due if late else ""),
        _moment(late.at if late else standing.at),
        defused(student.id),
        defused(last.strip()),
        defused(first.strip()),
        defused(student.email),
        _points(standing.total),
        "" if standing.reason else _points(taken),
        _points(standing.final),
        total,
    ]


def _points(points: Fraction | None) -> str:
    return "" if points is None else two_decimals(points)


def _moment(told: str) -> str:
    """A moment in UTC as nbgrader writes one: '2031-04-02 09:30:00'; '' if its zone is unknown."""
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        return ""
    return str(moment.astimezone(UTC).replace(tzinfo=None))
