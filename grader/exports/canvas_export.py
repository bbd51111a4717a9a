"""Fills one column of a gradebook that was downloaded from Canvas.

The rules are those of Canvas's own importer (`lib/gradebook_importer.rb`) and exporter
(`lib/gradebook_exporter.rb`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.errors import UsageError
from grader.exports.column_filling import (
    GradeColumn,
    build_filled_export,
    fill_column,
)
from grader.exports.csv_file import CsvFile, parse_csv_file
from grader.exports.export import Export, ExportOptions, Grades
from grader.exports.number_format import to_number
from grader.exports.row_matching import LmsRow, normalize_text
from grader.exports.student_grades import list_student_grades
from grader.model import Rubric

SYSTEM = "canvas"
EXCUSED = "is excused there"
"""Why a student's grade is left alone."""
_ASSIGNMENT = re.compile(r"(?P<title>.*)\s\((?P<id>\d+)\)", re.DOTALL)
_COMPUTED_COLUMN = re.compile(
    r"(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)"
)
"""Matches the columns that Canvas computes, which are no assignments."""
_NOT_A_STUDENT = re.compile(r"\s*(?:Muted|Manual Posting.*)?\s*", re.IGNORECASE)
_PROVISIONAL_TITLE = "so far"


@dataclass(frozen=True, slots=True, kw_only=True)
class _IdentityColumns:
    """The columns that identify a student."""

    names: tuple[int, ...]
    """One column, or last name and first name."""
    lms_id: int
    other_ids: tuple[int, ...]
    """SIS user id and login."""


def export_canvas(grades: Grades, *, options: ExportOptions) -> Export:
    """Fill the column; every other byte of the file stays as it was.

    Raises:
        UsageError: there is no file, it is not a gradebook of Canvas, or no column can be filled.
    """
    if options.into is None:
        raise UsageError("canvas: say which gradebook to fill: --into FILE, downloaded from Canvas")
    sheet = parse_csv_file(options.into.data, name=options.into.name)
    identity = _find_identity_columns(sheet, name=options.into.name)
    column = _find_column(sheet, options=options, rubric=grades.rubric)
    header = sheet.header[column]
    records = [index for index in range(1, len(sheet.records)) if _is_student(sheet, index)]
    points_possible = _read_points_possible(sheet, column, header=header)
    filling, matches = fill_column(
        sheet,
        grades=list_student_grades(grades.results),
        rows=[_parse_row(sheet, index, identity=identity) for index in records],
        column=GradeColumn(
            index=column, keep_reason=lambda index: _keep_reason(sheet.value(index, column))
        ),
        system=SYSTEM,
        provisional=options.so_far,
    )
    return build_filled_export(
        sheet,
        filling,
        name=options.into.name,
        header=header,
        notes=_notes(points_possible, rubric=grades.rubric),
        unmatched_rows=matches.unmatched_rows,
    )


def _find_identity_columns(sheet: CsvFile, *, name: str) -> _IdentityColumns:
    """Return the columns that identify a student.

    Raises:
        UsageError: The header is not that of a gradebook of Canvas.
    """
    header = sheet.header
    split_names = header[:2] == ("LastName", "FirstName")
    id_column = 2 if split_names else 1
    is_canvas = split_names or "Student" in header[0]
    if not is_canvas or len(header) < id_column + 3 or "ID" not in header[id_column]:
        raise UsageError(
            f"{name}: is not a gradebook of Canvas: it begins with {', '.join(header[:3])!r}, "
            "not with Student, ID. Download it from Grades, Export, Export Entire Gradebook"
        )
    end = next((i for i, word in enumerate(header) if word.strip() == "Section"), id_column + 1)
    others = [i for i in range(id_column + 1, end) if re.search(r"SIS\s+(?:User|Login)", header[i])]
    return _IdentityColumns(
        names=(0, 1) if split_names else (0,), lms_id=id_column, other_ids=tuple(others)
    )


def _squeeze(name: str) -> str:
    return normalize_text(name).replace(" ", "")


def _find_column(sheet: CsvFile, *, options: ExportOptions, rubric: Rubric) -> int:
    """Return the index of the column to fill.

    Raises:
        UsageError: No column fits, several do, or it could be mistaken for final grades.
    """
    assignments = {
        index: (title["title"].strip(), title["id"])
        for index, header in enumerate(sheet.header)
        if (title := _ASSIGNMENT.fullmatch(header)) and not _COMPUTED_COLUMN.search(header)
    }
    requested = options.column.strip()
    # 'Lab 2' in Canvas is 'Lab 2: Loops' in a rubric, or 'lab2'.
    own_names = {_squeeze(n) for n in (rubric.title, rubric.title.partition(":")[0], rubric.id)}
    candidates = [
        index
        for index, (title, number) in assignments.items()
        if (
            requested in (sheet.header[index].strip(), title, number)
            if requested
            else _squeeze(title) in own_names
        )
    ]
    if len(candidates) != 1:
        titles = "\n".join(f"  {sheet.header[index]}" for index in assignments) or "  (none)"
        quoted_name = repr(requested) if requested else repr(rubric.title)
        problem = "several columns are" if candidates else "no column of an assignment is"
        raise UsageError(f"{problem} called {quoted_name}; name one with --column:\n{titles}")
    if options.so_far and _PROVISIONAL_TITLE not in normalize_text(sheet.header[candidates[0]]):
        raise UsageError(
            "--so-far puts numbers that are not final into "
            f"{sheet.header[candidates[0]]!r}, and nobody could tell. Make an "
            "assignment in Canvas whose name has 'so far' in it, that doesn't "
            "count toward the final grade, and name its column with --column"
        )
    return candidates[0]


def _is_student(sheet: CsvFile, index: int) -> bool:
    """Return whether Canvas would read the record as a student."""
    values = sheet.values(index)
    return "Points Possible" not in values[0] and not all(map(_NOT_A_STUDENT.fullmatch, values))


def _parse_row(sheet: CsvFile, index: int, *, identity: _IdentityColumns) -> LmsRow:
    names = [sheet.value(index, column).strip() for column in identity.names]
    ids = (normalize_text(sheet.value(index, column)) for column in identity.other_ids)
    return LmsRow(
        index=index,
        name=", ".join(filter(None, names)),
        lms_id=sheet.value(index, identity.lms_id).strip(),
        ids=frozenset(filter(None, ids)),
    )


def _keep_reason(value: str) -> str:
    """Return why a cell must not be changed, for students who are excused or not assigned."""
    word = value.strip().upper()
    if word == "EX":
        return f"{EXCUSED}: the cell stays EX"
    return "was not given this assignment there: the cell stays N/A" if word == "N/A" else ""


def _read_points_possible(sheet: CsvFile, column: int, *, header: str) -> str:
    """Return the points possible that the file has for the column, or ''.

    Raises:
        UsageError: The file marks the column as read only.
    """
    for index in range(1, len(sheet.records)):
        if "Points Possible" in sheet.value(index, 0):
            text = sheet.value(index, column).strip()
            if re.search(r"read\s+only", text):
                raise UsageError(f"the column {header!r} is read only in Canvas")
            return text
    return ""


def _notes(points_possible: str, *, rubric: Rubric) -> Iterator[str]:
    try:
        canvas_points = float(points_possible.replace(",", "."))
    except ValueError:
        return
    yield from list_point_notes(canvas_points, shown=points_possible, rubric=rubric)


def list_point_notes(canvas_points: float, *, shown: str, rubric: Rubric) -> Iterator[str]:
    """Yield a note where Canvas counts an assignment out of other points than the rubric."""
    if canvas_points != float(rubric.total):
        yield (
            f"Canvas counts this assignment out of {shown}, the rubric out of "
            f"{to_number(rubric.total)}: points are written as they are"
        )
