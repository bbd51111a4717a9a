"""Writes the table that `nbgrader export` writes, for programs that read it.

Columns and values are those of nbgrader's own exporter (`nbgrader/plugins/export.py`), with two
differences: cells are quoted where they must be, and pending points are an empty cell.
"""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

from grader.csv_tables import format_table
from grader.exports.export import Export, ExportOptions, Grades
from grader.exports.gradebook_csv import escape_formula
from grader.exports.student_grades import (
    StudentGrade,
    list_not_final,
    list_student_grades,
    two_decimals,
)

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


def export_nbgrader(grades: Grades, *, options: ExportOptions) -> Export:  # noqa: ARG001 - it has no options
    """Write a row for each student of each submission."""
    student_grades = list_student_grades(grades.results)
    total = two_decimals(grades.rubric.total)
    rows = (_table_row(grade, assignment=grades.rubric.id, total=total) for grade in student_grades)
    pending, ungradable = list_not_final(student_grades)
    return Export(
        files={"grades.csv": format_table((COLUMNS, *rows)).encode()},
        summary=f"{len(student_grades)} rows, as nbgrader writes them",
        pending=pending,
        left_out=ungradable,
    )


def _table_row(grade: StudentGrade, *, assignment: str, total: str) -> list[str]:
    student, lateness = grade.student, grade.lateness
    last, _, first = student.name.partition(",")
    deduction = lateness.deduction if lateness else Fraction(0)
    return [
        escape_formula(assignment),
        _format_utc(lateness.due if lateness else ""),
        _format_utc(lateness.at if lateness else grade.submitted_at),
        escape_formula(student.id),
        escape_formula(last.strip()),
        escape_formula(first.strip()),
        escape_formula(student.email),
        _format_points(grade.total),
        "" if grade.reason else _format_points(deduction),
        _format_points(grade.final),
        total,
    ]


def _format_points(points: Fraction | None) -> str:
    return "" if points is None else two_decimals(points)


def _format_utc(text: str) -> str:
    """Format a time in UTC as '2031-04-02 09:30:00', or '' if its zone is unknown."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    if moment.tzinfo is None:
        return ""
    return str(moment.astimezone(UTC).replace(tzinfo=None))
