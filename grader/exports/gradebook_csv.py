"""Writes the gradebook as CSV with one row per student, safe to open in a spreadsheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from fractions import Fraction

from grader import scoring
from grader.csv_tables import format_table
from grader.exports.number_format import replace_surrogates, to_number
from grader.exports.student_grades import NOBODY
from grader.model import Graded, Lateness, Rubric, Score, Student

COLUMNS = (
    "submission",
    "name",
    "id",
    "status",
    "auto",
    "marked",
    "pending",
    "blocked",
    "total",
    "late",
    "final",
)
_NUMBER_COLUMNS = COLUMNS[4:]
MISSING = "missing"
"""The status of a student on the roster who is in no submission."""
_FORMULA_PREFIXES = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - some spreadsheets read wide ones too


CsvRow = tuple[str, ...]
"""The cells of one student."""


def render_gradebook_csv(rows: Iterable[CsvRow], *, rubric: Rubric) -> str:
    """Render the fixed columns, then one column per item of the rubric.

    Args:
        rows: Every student's row, from `csv_rows` or `missing_row`.
        rubric: The rubric they were graded by.
    """
    header = (*COLUMNS, *(escape_formula(item.id) for item in rubric.items))
    return format_table((header, *rows))


def escape_formula(text: str) -> str:
    """Return the text on one line, with an apostrophe before a formula that a spreadsheet runs."""
    on_one_line = replace_surrogates(text).translate(str.maketrans("\t\n\r", "   "))
    cleaned = "".join(c for c in on_one_line if unicodedata.category(c) != "Cc").strip(" ")
    # Spaces and format characters before a formula don't keep a spreadsheet from running it.
    visible = cleaned.lstrip("".join(c for c in cleaned if unicodedata.category(c)[0] in "ZC"))
    starts_with_control = text.startswith(("\t", "\r"))
    return f"'{cleaned}" if starts_with_control or visible[:1] in _FORMULA_PREFIXES else cleaned


def csv_rows(graded: Graded, *, rubric: Rubric) -> tuple[CsvRow, ...]:
    """Return one row per student of a submission, or a single row if no student is named."""
    team = graded.students or (NOBODY,)
    team_lateness = graded.lateness or (None,) * len(team)
    rows = []
    for student, late in zip(team, team_lateness, strict=True):
        texts = (graded.submission.name, student.name, student.id, graded.status)
        numbers = _number_cells(graded.score, late=late, rubric=rubric)
        rows.append((*(escape_formula(text) for text in texts), *numbers))
    return tuple(rows)


def missing_row(student: Student, *, rubric: Rubric) -> CsvRow:
    """Return the row of a student who submitted nothing: its empty cells are no zeros."""
    texts = ("", student.name, student.id, MISSING)
    return (*(escape_formula(text) for text in texts), *_empty_cells(rubric))


def _empty_cells(rubric: Rubric) -> list[str]:
    return [""] * (len(_NUMBER_COLUMNS) + len(rubric.items))


def _number_cells(score: Score | None, *, late: Lateness | None, rubric: Rubric) -> list[str]:
    if score is None:
        return _empty_cells(rubric)
    tally = score.total
    deduction = "" if late is None else _format_points(late.deduction)
    final_cells = (
        _format_points(tally.final),
        deduction,
        _format_points(scoring.final_points(tally, late=late)),
    )
    source_cells = [
        _format_points(points)
        for points in (tally.auto, tally.marked, tally.pending, tally.blocked)
    ]
    earned_by_item = {item_score.item.id: item_score.earned for item_score in score.items}
    item_cells = [_format_points(earned_by_item.get(item.id)) for item in rubric.items]
    return [*source_cells, *final_cells, *item_cells]


def _format_points(points: Fraction | None) -> str:
    return "" if points is None else str(to_number(points))
