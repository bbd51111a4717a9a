"""Fill the grade column of a file that a learning management system wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from grader.exports.csv_file import CsvFile
from grader.exports.export import ListedStudent
from grader.exports.row_matching import LmsRow, Matches, match_rows
from grader.exports.student_grades import StudentGrade, two_decimals

_NUMBER = re.compile(r"\s*[-+]?[0-9]+(?:[.,][0-9]*)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeColumn:
    """A column to fill, and the rules for its cells."""

    index: int
    keep_reason: Callable[[int], str] = lambda _: ""
    """Why the cell of a record must stay as it is; '' if it need not."""
    decimal_comma: bool = False
    """Whether its numbers have a comma where others have a point."""
    maximum: float | None = None
    """The largest number that is taken."""


@dataclass(slots=True, kw_only=True)
class FilledColumn:
    """The cells to write and the students listed on the way, collected step by step."""

    changes: dict[tuple[int, int], str] = field(default_factory=dict)
    grades: dict[int, StudentGrade] = field(default_factory=dict)
    """Who got a number, by record."""
    replaced_count: int = 0
    """How many cells said another number before."""
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

    A final number, with two decimals, for who has one. Who waits for marks gets an empty cell,
    whatever stood there, so that no 0 and no number of yesterday is taken for theirs; `so_far`
    gives them what they have. Who could not be graded or was not found is left alone and listed.
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
    keep_reason = (
        column.keep_reason(index) if sheet.has_cell(index, column.index) else "the row is too short"
    )
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


def describe_filling(filling: FilledColumn, *, header: str) -> str:
    """Summarize what was written, as a sentence."""
    count = len(filling.grades)
    return (
        f"{count} {'number' if count == 1 else 'numbers'} in the column {header!r}"
        f", {filling.replaced_count} in the place of another"
    )


def unmatched_notes(matches: Matches) -> tuple[str, ...]:
    """Warn about rows that match no submission."""
    names = [row.name or row.lms_id for row in matches.unmatched_rows]
    note = f"In the file, but not among the submissions ({len(names)}): {'; '.join(names)}"
    return (note,) if names else ()
