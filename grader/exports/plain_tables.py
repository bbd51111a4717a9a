"""Writes everything once more as one table or one JSON document, for spreadsheets and programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.exports.export import Export, Grades, Line, Wish
from grader.exports.gradebook_csv import csv_rows, gradebook_csv, missing_row
from grader.exports.results_json import class_json
from grader.exports.student_grades import Standing, standings
from grader.model import Graded


def table(grades: Grades, *, wish: Wish) -> Export:  # noqa: ARG001 - it has no options
    """The gradebook as CSV: a row a student, who handed in nothing too, and a column an item."""
    noticed = _Noticed(grades.results)
    rows = [row for graded in noticed for row in csv_rows(graded, rubric=grades.rubric)]
    rows += [missing_row(student, rubric=grades.rubric) for student in grades.absent()]
    text = gradebook_csv(rows, rubric=grades.rubric)
    return noticed.export("gradebook.csv", text, done=f"{len(rows)} rows, one a student")


def document(grades: Grades, *, wish: Wish) -> Export:  # noqa: ARG001 - it has no options
    """All results in one object, each as in `results/<submission>.json`."""
    noticed = _Noticed(grades.results)
    text = class_json(noticed, rubric=grades.rubric)
    return noticed.export("results.json", text, done=f"{noticed.count} submissions")


class _Noticed:
    """Results on their way into a file, and who of them has no number."""

    def __init__(self, results: Iterable[Graded]) -> None:
        self._results = results
        self._without: list[Standing] = []
        self.count = 0

    def __iter__(self) -> Iterator[Graded]:
        for graded in self._results:
            self.count += 1
            self._without += (one for one in standings([graded]) if one.waits)
            yield graded

    def export(self, name: str, text: str, *, done: str) -> Export:
        """The file, and the lists."""
        lines = [(one, Line(who=one.who, why=one.waits)) for one in self._without]
        return Export(
            files={name: text.encode()},
            done=done,
            waiting=tuple(line for one, line in lines if not one.reason),
            left=tuple(line for one, line in lines if one.reason),
        )
