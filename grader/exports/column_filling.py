"""Fills the grade column of a file that a learning management system wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from grader.exports.csv_file import CsvFile
from grader.exports.export import Export, ListedStudent
from grader.exports.row_matching import LmsRow, Matches, match_rows
from grader.exports.student_grades import StudentGrade, two_decimals

_NUMBER = re.compile(r"\s*[-+]?[0-9]+(?:[.,][0-9]*)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeColumn:
    """A column to fill, and the rules for its cells."""

    index: int
    keep_reason: Callable[[int], str]
    """For the index of a record, why its cell must not be changed, or ''."""
    decimal_comma: bool = False
    """Whether its numbers have a decimal comma."""
    maximum: float | None = None
    """The largest number that the system accepts."""


@dataclass(slots=True, kw_only=True)
class FilledColumn:
    """The cells to write, and the students who are listed for the person."""

    changes: dict[tuple[int, int], str] = field(default_factory=dict)
    grades: dict[int, StudentGrade] = field(default_factory=dict)
    """By the index of a record, the grade that was filled in."""
    replaced_count: int = 0
    """Number of cells that had another number before."""
    pending: list[ListedStudent] = field(default_factory=list)
    left_out: list[ListedStudent] = field(default_factory=list)


def fill_column(
    sheet: CsvFile,
    *,
    grades: Sequence[StudentGrade],
    rows: Sequence[LmsRow],
    column: GradeColumn,
    system: str,
    provisional: bool,
) -> tuple[FilledColumn, Matches]:
    """Decide what to write into every cell of the column.

    A final grade is written with two decimals. If marks are pending, the cell is emptied, so that
    neither 0 nor an old number is taken for the grade; with `provisional`, the points so far are
    written. Cells of students who can't be graded are not changed, and the students are listed.
    """
    matches = match_rows(grades, rows=rows, system=system)
    filling = FilledColumn(left_out=list(matches.left_out))
    for index, grade in sorted(matches.by_index.items()):
        _fill_cell(filling, sheet, index, grade=grade, column=column, provisional=provisional)
    return filling, matches


def _fill_cell(
    filling: FilledColumn,
    sheet: CsvFile,
    index: int,
    *,
    grade: StudentGrade,
    column: GradeColumn,
    provisional: bool,
) -> None:
    old_value = sheet.value(index, column.index)
    has_cell = sheet.has_cell(index, column.index)
    keep_reason = column.keep_reason(index) if has_cell else "the row is too short"
    points = grade.provisional if provisional and grade.final is None else grade.final
    if keep_reason or grade.reason:
        filling.left_out.append(
            ListedStudent(label=grade.label, reason=keep_reason or f"{grade.why_not_final}")
        )
        return
    if column.maximum is not None and points is not None and points > column.maximum:
        reason = (
            f"{two_decimals(points)} is more than the {column.maximum:g} that are possible there"
        )
        filling.left_out.append(ListedStudent(label=grade.label, reason=reason))
        return
    if grade.final is None:
        previous = (
            f" (the cell said {old_value.strip()})" if old_value.strip() and not provisional else ""
        )
        filling.pending.append(
            ListedStudent(label=grade.label, reason=grade.why_not_final + previous)
        )
    new_value = "" if points is None else two_decimals(points)
    new_value = new_value.replace(".", ",") if column.decimal_comma else new_value
    if points is not None:
        filling.grades[index] = grade
        filling.replaced_count += _is_different(old_value, new_value)
    if old_value != new_value:
        filling.changes[index, column.index] = new_value


def _is_different(old_value: str, new_value: str) -> bool:
    """Return whether a cell held another value before."""
    if not old_value.strip():
        return False
    if not _NUMBER.fullmatch(old_value):
        return True
    return round(float(old_value.replace(",", ".")), 2) != float(new_value.replace(",", "."))


def build_filled_export(
    sheet: CsvFile,
    filling: FilledColumn,
    *,
    name: str,
    header: str,
    notes: Iterable[str],
    unmatched_rows: Sequence[LmsRow],
) -> Export:
    """Return the export of a filled file.

    Args:
        sheet: The file as it was downloaded.
        filling: The cells to write.
        name: The name of the downloaded file.
        header: The header of the filled column.
        notes: Sentences for the person who uploads it.
        unmatched_rows: Rows of the file without a submission.
    """
    count = len(filling.grades)
    names = [row.name or row.lms_id for row in unmatched_rows]
    unmatched = f"In the file, but not among the submissions ({len(names)}): {'; '.join(names)}"
    return Export(
        files={f"filled-{name}": sheet.with_values(filling.changes).to_bytes()},
        summary=f"{count} {'number' if count == 1 else 'numbers'} in the column {header!r}"
        f", {filling.replaced_count} replacing another",
        pending=tuple(filling.pending),
        left_out=tuple(filling.left_out),
        notes=(*notes, *([unmatched] if names else [])),
    )
