"""The offline sheet of `grade mark --sheet`: what is written to it, and what is taken from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import MarkConflict, UsageError
from grader.exports.marks_sheet import (
    FilledRow,
    SheetAnswer,
    read_marks_sheet,
    render_marks_sheet,
    sheet_answers,
)
from grader.gradebook import Gradebook, NewMark, answer_digest, ledger
from grader.model import Graded, ItemScore, Mark
from grader.report.text_format import format_number

SubmissionItem = tuple[str, str]
"""A submission and an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetImport:
    """What reading a sheet came to."""

    marked: tuple[str, ...]
    """A submission for each mark that was given."""
    unchanged: int
    """Lines that say what stands already."""
    conflicts: tuple[str, ...]
    """Lines that were not taken since something came between, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledLine:
    """A line that was filled in, and what is there now."""

    row: FilledRow
    score: ItemScore
    digest: str

    @property
    def latest_mark(self) -> Mark | None:
        """The mark that stands, be it on this answer or on an earlier one."""
        return self.score.mark or self.score.outdated

    def requested_mark(self, *, by: str) -> NewMark:
        """What the line asks for: where a cell is blank, what stands."""
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
        """Whether the mark that counts says all that the line says."""
        row, mark = self.row, self.score.mark
        if mark is None:
            return False
        pairs = ((row.points, mark.points), (row.comment, mark.comment), (row.reason, mark.reason))
        return all(written in {None, "", stored} for written, stored in pairs)

    def conflict_message(self) -> str:
        """What happened since the sheet was written, in words; '' where nothing did."""
        mark = self.latest_mark
        if not self.digest.startswith(self.row.digest):
            return "what was marked has changed since the sheet was written"
        if (mark.number if mark else None) == self.row.mark_number:
            return ""
        if mark is None:
            return "its mark was taken back since the sheet was written"
        return f"{mark.by} gave it {format_number(mark.points)} since the sheet was written"

    def fault_message(self) -> str:
        """Why it can't be taken, whatever else happened; '' where it can."""
        row, item = self.row, self.score.item
        if row.points is not None and not 0 <= row.points <= item.points:
            return f"{item.id} is worth 0 to {format_number(item.points)} points"
        if row.points is None and self.score.mark is None:
            return "words without points, and no mark that counts for them to join"
        if item.kind == "auto" and not self.requested_mark(by="").reason:
            return f"{item.id} is automatic: fill in a reason, too"
        return ""


def write_sheet(book: Gradebook, path: Path, *, item: str | None) -> int:
    """Write a new sheet of what is in the book; how many answers stand in it.

    Raises:
        UsageError: it can't be written, or there is nothing to write.
    """
    lines = [line for graded in _all_graded(book) for line in _submission_lines(graded, item=item)]
    if not lines:
        raise UsageError("there is nothing to mark" + (f" in an item {item}" if item else ""))
    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:  # the mark is for Excel
            file.write(render_marks_sheet(lines))
    except OSError as error:
        raise UsageError(f"{path}: can't be written ({error.strerror})") from error
    return len(lines)


def import_sheet(book: Gradebook, path: Path, *, by: str) -> SheetImport:
    """Take what was filled in into the ledger; nothing is overwritten that the sheet didn't show.

    Raises:
        UsageError: the sheet can't be read, or a line can't be taken; then none is.
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
    """Give the mark of one line; what came between at the last moment, or ''."""
    try:
        ledger.add_mark(book, line.requested_mark(by=by), expected_current=line.row.mark_number)
    except MarkConflict as conflict:
        return str(conflict)
    return ""


def _all_graded(book: Gradebook) -> Iterator[Graded]:
    stored_names = book.cache_keys()
    return book.all_graded([name for name in book.roll() if name in stored_names])


def _submission_lines(graded: Graded, *, item: str | None) -> Iterator[SheetAnswer]:
    items = graded.score.items if graded.score else ()
    digests = {
        item_score.item.id: answer_digest(graded, item_score.item.id) for item_score in items
    }
    return sheet_answers(graded, digests=digests, item=item)


def _match_rows(rows: Sequence[FilledRow], book: Gradebook) -> list[FilledLine]:
    """The lines with what is there.

    Raises:
        UsageError: some are about what is not there, or can't be taken; all of them are named.
    """
    scores = _answer_scores(book, {row.submission for row in rows})
    lines, faults = [], []
    for row in rows:
        scored = scores.get((row.submission, row.item))
        line = None if scored is None else FilledLine(row=row, score=scored[0], digest=scored[1])
        fault = line.fault_message() if line else f"there is no {row.item} of {row.submission}"
        if fault:
            faults.append(f"line {row.line_number}: {fault}")
        elif line:
            lines.append(line)
    if faults:
        raise UsageError("nothing was read from the sheet:\n  " + "\n  ".join(faults))
    return lines


def _answer_scores(
    book: Gradebook, names: set[str]
) -> Mapping[SubmissionItem, tuple[ItemScore, str]]:
    """Each item of these submissions, and what stands for its answer."""
    return {
        (graded.submission.name, item_score.item.id): (
            item_score,
            answer_digest(graded, item_score.item.id),
        )
        for graded in _all_graded(book)
        if graded.submission.name in names and graded.score
        for item_score in graded.score.items
    }
