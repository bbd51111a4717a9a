"""Writes the offline sheet of `grade mark --sheet`, and takes the marks in it into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import MarkConflict, UsageError
from grader.exports.marks_sheet import (
    FilledRow,
    read_marks_sheet,
    render_marks_sheet,
    sheet_answers,
)
from grader.gradebook import Gradebook, NewMark, answer_digest, ledger
from grader.model import Graded, ItemScore, Mark
from grader.report.text_format import format_number


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetImport:
    """What became of the lines of a sheet."""

    marked: tuple[str, ...]
    """The submission of each mark that was given."""
    unchanged: int
    """Lines that say what the ledger says already."""
    conflicts: tuple[str, ...]
    """Messages about lines that were not taken, since the answer or its mark changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledLine:
    """A line that was filled in, and the answer as it is now."""

    row: FilledRow
    score: ItemScore
    digest: str

    @property
    def latest_mark(self) -> Mark | None:
        """The latest mark, be it on this answer or on an earlier version of it."""
        return self.score.mark or self.score.outdated

    def requested_mark(self, *, by: str) -> NewMark:
        """Return the mark that the line asks for; the latest mark fills blank cells."""
        row, mark = self.row, self.latest_mark
        new_mark = NewMark(
            submission=row.submission,
            item=row.item,
            answer_digest=self.digest,
            by=by,
            comment=row.comment or (mark.comment if mark else ""),
            reason=row.reason or (mark.reason if mark else ""),
            points=row.points,
        )
        if row.points is not None or mark is None:
            return new_mark
        return replace(new_mark, criteria=mark.criteria, adjustment=mark.adjustment)

    def matches_mark(self) -> bool:
        """Tell whether the mark that counts says all that the line says."""
        row, mark = self.row, self.score.mark
        if mark is None:
            return False
        pairs = ((row.points, mark.points), (row.comment, mark.comment), (row.reason, mark.reason))
        return all(written in {None, "", stored} for written, stored in pairs)

    def conflict_message(self) -> str:
        """Return what happened to the answer since the sheet was written; '' for nothing."""
        mark = self.latest_mark
        if not self.digest.startswith(self.row.digest):
            return "what was marked has changed since the sheet was written"
        if (mark.number if mark else None) == self.row.mark_number:
            return ""
        if mark is None:
            return "its mark was taken back since the sheet was written"
        return f"{mark.by} gave it {format_number(mark.points)} since the sheet was written"

    def fault_message(self) -> str:
        """Return why the line can't be taken in any case; '' if it can."""
        row, item = self.row, self.score.item
        if row.points is not None and not 0 <= row.points <= item.points:
            return f"{item.id} is worth 0 to {format_number(item.points)} points"
        if row.points is None and self.score.mark is None:
            return "words without points, and no mark that counts for them to join"
        if item.kind == "auto" and not self.requested_mark(by="").reason:
            return f"{item.id} is automatic: fill in a reason, too"
        return ""


def write_sheet(book: Gradebook, path: Path, *, item: str | None) -> int:
    """Write a new sheet of the answers in the gradebook, and return their number.

    Raises:
        UsageError: The file can't be written, or there is nothing to mark.
    """
    lines = [
        line
        for graded in book.all_graded()
        for line in sheet_answers(graded, digests=_answer_digests(graded), item=item)
    ]
    if not lines:
        raise UsageError("there is nothing to mark" + (f" in an item {item}" if item else ""))
    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:  # the mark is for Excel
            file.write(render_marks_sheet(lines))
    except OSError as error:
        raise UsageError(f"{path}: can't be written ({error.strerror})") from error
    return len(lines)


def import_sheet(book: Gradebook, path: Path, *, by: str) -> SheetImport:
    """Add the marks of a sheet to the ledger; a mark that the sheet didn't show stays.

    Raises:
        UsageError: The sheet can't be read, or a line can't be taken; then none is.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8; save it as 'CSV UTF-8'") from error
    marked, conflicts, unchanged = [], [], 0
    for line in _match_rows(read_marks_sheet(text), book):
        if line.matches_mark():
            unchanged += 1
        elif message := line.conflict_message() or _give_mark(book, line, by=by):
            location = f"line {line.row.line_number}: {line.row.item} of {line.row.submission}"
            conflicts.append(f"{location} was not taken: {message}")
        else:
            marked.append(line.row.submission)
    return SheetImport(marked=tuple(marked), unchanged=unchanged, conflicts=tuple(conflicts))


def _give_mark(book: Gradebook, line: FilledLine, *, by: str) -> str:
    """Give the mark of one line; return what came between at the last moment, or ''."""
    try:
        ledger.add_mark(book, line.requested_mark(by=by), expected_current=line.row.mark_number)
    except MarkConflict as conflict:
        return str(conflict)
    return ""


def _answer_digests(graded: Graded) -> dict[str, str]:
    items = graded.score.items if graded.score else ()
    return {score.item.id: answer_digest(graded, score.item.id) for score in items}


def _match_rows(rows: Sequence[FilledRow], book: Gradebook) -> list[FilledLine]:
    """Return the rows with the answers that they are about.

    Raises:
        UsageError: Rows are about no answer, or can't be taken; the message names all of them.
    """
    names = {row.submission for row in rows}
    grades = {g.submission.name: g for g in book.all_graded() if g.submission.name in names}
    lines, faults = [], []
    for row in rows:
        graded = grades.get(row.submission)
        scores = graded.score.items if graded and graded.score else ()
        score = next((score for score in scores if score.item.id == row.item), None)
        if graded is None or score is None:
            faults.append(f"line {row.line_number}: there is no {row.item} of {row.submission}")
            continue
        line = FilledLine(row=row, score=score, digest=answer_digest(graded, row.item))
        lines.append(line)
        if fault := line.fault_message():
            faults.append(f"line {row.line_number}: {fault}")
    if faults:
        raise UsageError("nothing was read from the sheet:\n  " + "\n  ".join(faults))
    return lines
