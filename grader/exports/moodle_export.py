"""Fills the grading worksheet of a Moodle assignment, in any language.

The rules are those of Moodle's own code: `mod/assign/gradingtable.php` writes the worksheet and
`mod/assign/feedback/offline/` reads it. Headers are in the teacher's language, the order of columns
is always the same: the identifier first, and the grade right before the highest one there is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.errors import UsageError
from grader.exports.column_filling import (
    FilledColumn,
    GradeColumn,
    build_filled_export,
    fill_column,
)
from grader.exports.csv_file import CsvFile, parse_csv_file
from grader.exports.export import Export, ExportOptions, Grades, ListedStudent
from grader.exports.number_format import to_number
from grader.exports.row_matching import LmsRow, normalize_text
from grader.exports.student_grades import StudentGrade, list_student_grades
from grader.model import Rubric

SYSTEM = "moodle"
_ANONYMOUS_COLUMNS = 2
"""Columns before the grade where the worksheet is anonymous: identifier and status."""
_IDENTIFIER = re.compile(r"\D*?(?P<number>\d+)\s*")
"""'Participant 12345', 'Teilnehmer/in12345'."""
_POINTS = re.compile(r"\s*(?P<whole>\d+)(?:(?P<mark>[.,])(?P<part>\d*))?\s*")
_NO_WORDS = frozenset(
    ("no", "nein", "non", "não", "nee", "nie", "nej", "nei", "ne", "нет", "ні", "否")
)
"""The word for 'no' under 'Grade can be changed' in some languages."""
_YES_WORDS = frozenset(
    ("yes", "ja", "oui", "sí", "si", "sì", "sim", "tak", "ano", "да", "так", "是")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksheetLayout:
    """The columns of a worksheet by their role."""

    grade_column: int
    maximum_column: int
    """The column with the highest possible grade."""
    lock_column: int | None
    """The column that says whether the grade can be changed, if its language is known."""
    comment_column: int | None


def export_moodle(grades: Grades, *, options: ExportOptions) -> Export:
    """Fill in grades, and comments on request; every other byte stays as it was.

    Raises:
        UsageError: There is no file, it is no worksheet, or its columns can't be identified.
    """
    if options.into is None:
        raise UsageError("moodle: say which worksheet to fill: --into FILE, downloaded from Moodle")
    if options.so_far and not options.comments:
        raise UsageError(
            "--so-far puts numbers that are not final into the grades, and nobody could tell. Name "
            "the column for comments with --comments, so that each says so"
        )
    sheet = parse_csv_file(options.into.data, name=options.into.name)
    records = find_participants(sheet, name=options.into.name)
    layout = find_layout(sheet, records=records, options=options)
    maximums = [sheet.value(index, layout.maximum_column) for index in records]
    filling, matches = fill_column(
        sheet,
        grades=list_student_grades(grades.results),
        rows=participant_rows(sheet, records=records, grade_column=layout.grade_column),
        column=GradeColumn(
            index=layout.grade_column,
            keep_reason=lambda index: _keep_reason(sheet, index, layout=layout),
            decimal_comma=any("," in value for value in maximums),
            maximum=max(map(_parse_number, maximums)),
        ),
        system=SYSTEM,
        provisional=options.so_far,
    )
    if layout.comment_column is not None:
        _add_comments(filling, sheet, layout=layout, column=layout.comment_column)
    return build_filled_export(
        sheet,
        filling,
        name=options.into.name,
        header=sheet.header[layout.grade_column],
        notes=_notes(sheet, layout, maximums, rubric=grades.rubric),
        unmatched_rows=matches.unmatched_rows,
    )


def find_participants(sheet: CsvFile, *, name: str) -> list[int]:
    """Return the indexes of the records that are participants' rows.

    Raises:
        UsageError: There is none, or a row does not begin with a participant's number.
    """
    records = [index for index in range(1, len(sheet.records)) if any(sheet.values(index))]
    if not records or not all(_IDENTIFIER.fullmatch(sheet.value(index, 0)) for index in records):
        raise UsageError(
            f"{name}: is not a grading worksheet of Moodle: its first column is not 'Participant "
            "12345' in every row. Download it from the assignment, Submissions, Download grading "
            "worksheet"
        )
    return records


def participant_rows(sheet: CsvFile, *, records: Sequence[int], grade_column: int) -> list[LmsRow]:
    """Return the identity of each record: cells before the grade are names, addresses or ids."""
    return [
        LmsRow(
            index=index,
            name=sheet.value(index, 1).strip() if grade_column > _ANONYMOUS_COLUMNS else "",
            lms_id=_IDENTIFIER.sub(r"\g<number>", sheet.value(index, 0)),
            ids=frozenset(
                normalize_text(sheet.value(index, column)) for column in range(2, grade_column)
            )
            - {""},
        )
        for index in records
    ]


def find_layout(
    sheet: CsvFile, *, records: Sequence[int], options: ExportOptions
) -> WorksheetLayout:
    """Find the columns by their values.

    Raises:
        UsageError: The column of grades can't be identified, or a named one does not exist.
    """
    name = options.into.name if options.into else ""
    header = [word.strip() for word in sheet.header]
    if options.column:
        grade_column = _find_column(header, options.column, name=name)
        candidates = (
            [grade_column] if _is_maximum_column(sheet, grade_column + 1, records=records) else []
        )
    else:
        candidates = [
            index
            for index in range(1, len(header) - 1)
            if _is_maximum_column(sheet, index + 1, records=records)
            and all(
                not value.strip() or _POINTS.fullmatch(value)
                for value in (sheet.value(record, index) for record in records)
            )
        ]
    if len(candidates) != 1:
        raise UsageError(
            f"{name}: which column holds the grades can't be told: it is followed by one that has "
            "the highest grade in every row. Scales can't be filled. Otherwise name it with "
            f"--column: {', '.join(header)}"
        )
    (grade_column,) = candidates
    columns_after = range(
        grade_column + 2, min(grade_column + 4, len(header))
    )  # a workflow state may stand between
    return WorksheetLayout(
        grade_column=grade_column,
        maximum_column=grade_column + 1,
        lock_column=next(
            (i for i in columns_after if _is_yes_no_column(sheet, i, records=records)), None
        ),
        comment_column=_find_column(header, options.comments, name=name)
        if options.comments
        else None,
    )


def _find_column(header: Sequence[str], requested: str, *, name: str) -> int:
    indexes = [
        index
        for index, word in enumerate(header)
        if normalize_text(word) == normalize_text(requested)
    ]
    if len(indexes) != 1:
        raise UsageError(
            f"{name}: no column is called {requested!r}; there are {', '.join(header)}"
        )
    return indexes[0]


def _is_maximum_column(sheet: CsvFile, column: int, *, records: Sequence[int]) -> bool:
    """Return whether the column holds one number above 0, the same in every row."""
    values = {sheet.value(record, column).strip() for record in records}
    return len(values) == 1 and all(_POINTS.fullmatch(v) and _parse_number(v) > 0 for v in values)


def _is_yes_no_column(sheet: CsvFile, column: int, *, records: Sequence[int]) -> bool:
    return all(
        normalize_text(sheet.value(record, column)) in _NO_WORDS | _YES_WORDS for record in records
    )


def _parse_number(value: str) -> float:
    return float(value.strip().replace(",", "."))


def _keep_reason(sheet: CsvFile, index: int, *, layout: WorksheetLayout) -> str:
    column = layout.lock_column
    is_locked = column is not None and normalize_text(sheet.value(index, column)) in _NO_WORDS
    return "the grade is locked in Moodle" if is_locked else ""


def _add_comments(
    filling: FilledColumn, sheet: CsvFile, *, layout: WorksheetLayout, column: int
) -> None:
    """Add a comment to every filled grade that has no comment yet.

    A provisional grade is filled in only with a comment that says so.
    """
    for index, grade in list(filling.grades.items()):
        if sheet.has_cell(index, column) and not sheet.value(index, column).strip():
            filling.changes[index, column] = _comment_text(grade)
        elif grade.final is None:
            reason = "has a comment already; points so far need one that says so"
            filling.left_out.append(ListedStudent(label=grade.label, reason=reason))
            filling.changes[index, layout.grade_column] = ""
            del filling.grades[index]


def _comment_text(grade: StudentGrade) -> str:
    possible = to_number(grade.possible or Fraction(0))
    if grade.final is None:
        return (
            f"So far, not final: {to_number(grade.provisional or Fraction(0))} of {possible} "
            f"points; {grade.why_not_final}."
        )
    deduction = grade.lateness.deduction if grade.lateness else None
    late_text = f", after a late penalty of {to_number(deduction)}" if deduction else ""
    return f"{to_number(grade.total or Fraction(0))} of {possible} points{late_text}."


def _notes(
    sheet: CsvFile, layout: WorksheetLayout, maximums: Sequence[str], *, rubric: Rubric
) -> tuple[str, ...]:
    column, maximum = sheet.header[layout.grade_column], sheet.header[layout.maximum_column]
    notes = [f"The grades are the column {column!r}, before {maximum!r}"]
    if _parse_number(maximums[0]) != float(rubric.total):
        notes.append(
            f"Moodle counts this assignment out of {maximums[0]}, the rubric out of "
            f"{to_number(rubric.total)}: points were written as they are"
        )
    return tuple(notes)
