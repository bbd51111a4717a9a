"""The offline sheet of `grade mark --sheet`: what is written to it, and what is taken from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import MarkConflict, UsageError
from grader.exports.marks_sheet import SheetLine, SheetRow, marks_sheet, read_sheet, sheet_lines
from grader.gradebook import Given, Gradebook, answer_digest, ledger
from grader.model import Graded, ItemScore, Mark
from grader.report.text_format import number

Place = tuple[str, str]
"""A submission and an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRead:
    """What reading a sheet came to."""

    given: tuple[str, ...]
    """A submission for each mark that was given."""
    same: int
    """Lines that say what stands already."""
    conflicts: tuple[str, ...]
    """Lines that were not taken since something came between, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that was filled in, and what is there now."""

    row: SheetRow
    score: ItemScore
    digest: str

    @property
    def standing(self) -> Mark | None:
        """The mark that stands, be it on this answer or on an earlier one."""
        return self.score.mark or self.score.outdated

    def wanted(self, *, by: str) -> Given:
        """What the line asks for: where a cell is blank, what stands."""
        row, mark = self.row, self.standing
        plain = Given(
            submission=row.submission,
            item=row.item,
            answer=self.digest,
            by=by,
            comment=row.comment or (mark.comment if mark else ""),
            reason=row.reason or (mark.reason if mark else ""),
            points=row.points,
        )
        if row.points is not None or mark is None:
            return plain
        return replace(plain, criteria=mark.criteria, adjustment=mark.adjustment)

    def stands(self) -> bool:
        """Whether the mark that counts says all that the line says."""
        row, mark = self.row, self.score.mark
        if mark is None:
            return False
        said = ((row.points, mark.points), (row.comment, mark.comment), (row.reason, mark.reason))
        return all(asked in {None, "", there} for asked, there in said)

    def came_between(self) -> str:
        """What happened since the sheet was written, in words; '' where nothing did."""
        mark = self.standing
        if not self.digest.startswith(self.row.digest):
            return "what was marked has changed since the sheet was written"
        if (mark.number if mark else None) == self.row.over:
            return ""
        if mark is None:
            return "its mark was taken back since the sheet was written"
        return f"{mark.by} gave it {number(mark.points)} since the sheet was written"

    def fault(self) -> str:
        """Why it can't be taken, whatever else happened; '' where it can."""
        row, item = self.row, self.score.item
        if row.points is not None and not 0 <= row.points <= item.points:
            return f"{item.id} is worth 0 to {number(item.points)} points"
        if row.points is None and self.score.mark is None:
            return "words without points, and no mark that counts for them to join"
        if item.kind == "auto" and not self.wanted(by="").reason:
            return f"{item.id} is automatic: fill in a reason, too"
        return ""


def write(book: Gradebook, place: Path, *, item: str | None) -> int:
    """Write a new sheet of what is in the book; how many answers stand in it.

    Raises:
        UsageError: it can't be written, or there is nothing to write.
    """
    lines = [line for graded in _graded(book) for line in _lines(graded, item=item)]
    if not lines:
        raise UsageError("there is nothing to mark" + (f" in an item {item}" if item else ""))
    try:
        with place.open("x", encoding="utf-8-sig", newline="") as file:  # the mark is for Excel
            file.write(marks_sheet(lines))
    except OSError as error:
        raise UsageError(f"{place}: can't be written ({error.strerror})") from error
    return len(lines)


def read(book: Gradebook, place: Path, *, by: str) -> SheetRead:
    """Take what was filled in into the ledger; nothing is overwritten that the sheet didn't show.

    Raises:
        UsageError: the sheet can't be read, or a line can't be taken; then none is.
    """
    try:
        text = place.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{place}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{place}: is not UTF-8; save it as 'CSV UTF-8'") from error
    given, conflicts, same = [], [], 0
    for line in _found(read_sheet(text), book):
        if line.stands():
            same += 1
        elif told := line.came_between() or _give(book, line, by=by):
            at = f"line {line.row.line}: {line.row.item} of {line.row.submission}"
            conflicts.append(f"{at} was not taken: {told}")
        else:
            given.append(line.row.submission)
    return SheetRead(given=tuple(given), same=same, conflicts=tuple(conflicts))


def _give(book: Gradebook, line: Line, *, by: str) -> str:
    """Give the mark of one line; what came between at the last moment, or ''."""
    try:
        ledger.give(book, line.wanted(by=by), over=line.row.over)
    except MarkConflict as conflict:
        return str(conflict)
    return ""


def _graded(book: Gradebook) -> Iterator[Graded]:
    there = book.keys()
    return book.all_graded([name for name in book.roll() if name in there])


def _lines(graded: Graded, *, item: str | None) -> Iterator[SheetLine]:
    items = graded.score.items if graded.score else ()
    digests = {one.item.id: answer_digest(graded, one.item.id) for one in items}
    return sheet_lines(graded, digests=digests, item=item)


def _found(rows: Sequence[SheetRow], book: Gradebook) -> list[Line]:
    """The lines with what is there.

    Raises:
        UsageError: some are about what is not there, or can't be taken; all of them are named.
    """
    scores = _scores(book, {row.submission for row in rows})
    lines, faults = [], []
    for row in rows:
        found = scores.get((row.submission, row.item))
        line = None if found is None else Line(row=row, score=found[0], digest=found[1])
        fault = line.fault() if line else f"there is no {row.item} of {row.submission}"
        if fault:
            faults.append(f"line {row.line}: {fault}")
        elif line:
            lines.append(line)
    if faults:
        raise UsageError("nothing was read from the sheet:\n  " + "\n  ".join(faults))
    return lines


def _scores(book: Gradebook, names: set[str]) -> Mapping[Place, tuple[ItemScore, str]]:
    """Each item of these submissions, and what stands for its answer."""
    return {
        (graded.submission.name, one.item.id): (one, answer_digest(graded, one.item.id))
        for graded in _graded(book)
        if graded.submission.name in names and graded.score
        for one in graded.score.items
    }
