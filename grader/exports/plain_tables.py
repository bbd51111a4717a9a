"""Write all grades once more as one table or one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.exports.export import Export, ExportOptions, Grades, ListedStudent
from grader.exports.gradebook_csv import csv_rows, missing_row, render_gradebook_csv
from grader.exports.results_json import class_to_json
from grader.exports.student_grades import StudentGrade, list_student_grades
from grader.model import Graded


def export_csv(grades: Grades, *, options: ExportOptions) -> Export:  # noqa: ARG001 - it has no options
    """Export the gradebook as CSV: a row per student, missing ones too, a column per item."""
    stream = _ResultStream(grades.results)
    rows = [row for graded in stream for row in csv_rows(graded, rubric=grades.rubric)]
    rows += [missing_row(student, rubric=grades.rubric) for student in grades.list_missing()]
    text = render_gradebook_csv(rows, rubric=grades.rubric)
    return stream.build_export("gradebook.csv", text, summary=f"{len(rows)} rows, one a student")


def export_json(grades: Grades, *, options: ExportOptions) -> Export:  # noqa: ARG001 - it has no options
    """Export all results in one object, each as in `results/<submission>.json`."""
    stream = _ResultStream(grades.results)
    text = class_to_json(stream, rubric=grades.rubric)
    return stream.build_export("results.json", text, summary=f"{stream.count} submissions")


class _ResultStream:
    """Passes results on to a writer, and collects who has no number."""

    def __init__(self, results: Iterable[Graded]) -> None:
        self._results = results
        self._not_final: list[StudentGrade] = []
        self.count = 0

    def __iter__(self) -> Iterator[Graded]:
        for graded in self._results:
            self.count += 1
            self._not_final += (
                grade for grade in list_student_grades([graded]) if grade.why_not_final
            )
            yield graded

    def build_export(self, name: str, text: str, *, summary: str) -> Export:
        """Build the export from the rendered file and the collected lists."""
        lines = [
            (grade, ListedStudent(label=grade.label, reason=grade.why_not_final))
            for grade in self._not_final
        ]
        return Export(
            files={name: text.encode()},
            summary=summary,
            pending=tuple(line for grade, line in lines if not grade.reason),
            left_out=tuple(line for grade, line in lines if grade.reason),
        )
