"""Exports all grades as one table or one JSON document."""

from __future__ import annotations

from collections.abc import Iterator

from grader.exports.export import Export, ExportOptions, Grades
from grader.exports.gradebook_csv import CsvRow, csv_rows, missing_row, render_gradebook_csv
from grader.exports.results_json import class_to_json
from grader.exports.student_grades import StudentGrade, list_not_final, list_student_grades
from grader.model import Graded


def export_csv(grades: Grades, *, options: ExportOptions) -> Export:  # noqa: ARG001 - it has no options
    """Export the gradebook as CSV: a row per student, missing ones too, a column per item."""
    rows: list[CsvRow] = []
    student_grades: list[StudentGrade] = []
    for graded in grades.results:
        rows += csv_rows(graded, rubric=grades.rubric)
        student_grades += list_student_grades([graded])
    rows += [missing_row(student, rubric=grades.rubric) for student in grades.list_missing()]
    text = render_gradebook_csv(rows, rubric=grades.rubric)
    pending, ungradable = list_not_final(student_grades)
    return Export(
        files={"gradebook.csv": text.encode()},
        summary=f"{len(rows)} rows, one per student",
        pending=pending,
        left_out=ungradable,
    )


def export_json(grades: Grades, *, options: ExportOptions) -> Export:  # noqa: ARG001 - it has no options
    """Export all results in one object, each as in `results/<submission>.json`."""
    count = 0
    student_grades: list[StudentGrade] = []

    def pass_results() -> Iterator[Graded]:
        # One at a time: a class may be larger than memory.
        nonlocal count, student_grades
        for graded in grades.results:
            count += 1
            student_grades += list_student_grades([graded])
            yield graded

    text = class_to_json(pass_results(), rubric=grades.rubric)
    pending, ungradable = list_not_final(student_grades)
    return Export(
        files={"results.json": text.encode()},
        summary=f"{count} submissions",
        pending=pending,
        left_out=ungradable,
    )
