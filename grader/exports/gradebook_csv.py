"""Write the gradebook as CSV with one row per student, safe to open in a spreadsheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from fractions import Fraction

from grader import scoring
from grader.csv_tables import format_table
from grader.exports.number_format import replace_surrogates, to_number
from grader.model import Graded, ItemScore, Lateness, Rubric, Score, Student

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
NOBODY = Student(name="", id="")
MISSING = "missing"
"""The status of somebody on the roster who is in no submission."""
_FORMULA_PREFIXES = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - some spreadsheets read wide ones too


CsvRow = tuple[str, ...]
"""The words and numbers of one student."""


def render_gradebook_csv(rows: Iterable[CsvRow], *, rubric: Rubric) -> str:
    """Render the fixed columns, then one column per item of the rubric.

    Args:
        rows: every student, as `csv_rows` makes them.
        rubric: what they were graded by.
    """
    header = (*COLUMNS, *(escape_formula(item.id) for item in rubric.items))
    return format_table((header, *rows))


def escape_formula(text: str) -> str:
    """Return the text on one line, with an apostrophe before anything a spreadsheet would run."""
    cleaned = "".join(_printable(letter) for letter in replace_surrogates(text)).strip(" ")
    visible = cleaned.lstrip("".join(filter(_is_invisible, cleaned)))
    starts_with_control = text.startswith(("\t", "\r"))
    return f"'{cleaned}" if starts_with_control or visible[:1] in _FORMULA_PREFIXES else cleaned


def _printable(letter: str) -> str:
    if letter in "\t\n\r":
        return " "
    return "" if unicodedata.category(letter) == "Cc" else letter


def _is_invisible(letter: str) -> bool:
    """Return whether the letter is a space or format character that could hide a formula."""
    return unicodedata.category(letter)[0] in "ZC"


def csv_rows(graded: Graded, *, rubric: Rubric) -> tuple[CsvRow, ...]:
    """Return one row per student of a submission, or one row if nobody is named."""
    team = graded.students or (NOBODY,)
    team_lateness = graded.lateness or (None,) * len(team)
    rows = []
    for student, late in zip(team, team_lateness, strict=True):
        texts = (graded.submission.name, student.name, student.id, graded.status)
        numbers = _number_cells(graded.score, late=late, rubric=rubric)
        rows.append((*(escape_formula(text) for text in texts), *numbers))
    return tuple(rows)


def missing_row(student: Student, *, rubric: Rubric) -> CsvRow:
    """Return a row without numbers for who submitted nothing: an empty cell is no zero."""
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
    by_item = {item.item.id: item for item in score.items}
    return [*source_cells, *final_cells, *(_earned(by_item.get(i.id)) for i in rubric.items)]


def _earned(item: ItemScore | None) -> str:
    return "" if item is None else _format_points(item.earned)


def _format_points(points: Fraction | None) -> str:
    return "" if points is None else str(to_number(points))
