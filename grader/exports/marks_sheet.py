"""Writes marks as a sheet to fill in offline, and reads what was filled in; blank is unchanged."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from grader.errors import UsageError
from grader.exports.gradebook_csv import defused
from grader.exports.number_format import rounded
from grader.model import Answer, Graded, ItemScore, Mark

FILLED_IN = ("points", "comment", "reason")
COLUMNS = (
    "item",
    "submission",
    *FILLED_IN,
    "worth",
    "so_far",
    "so_far_comment",
    "answer",
    "pictures",
    "seen",
)
NEEDED = frozenset({"item", "submission", *FILLED_IN, "seen"})
LONGEST = 30_000
"""Letters of an answer: a spreadsheet's cell holds 32,767."""
_POINTS = re.compile(r"[+-]?\d{1,6}([.,]\d{1,4})?")
_SEEN = re.compile(r"seen-(\d+)-([0-9a-f]{16})")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """One answer of the sheet, as it is written."""

    score: ItemScore
    submission: str
    answer: Answer | None
    digest: str

    @property
    def standing(self) -> Mark | None:
        """The mark that stands, be it on this answer or on an earlier one."""
        return self.score.mark or self.score.outdated


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One line of a sheet in which something was filled in."""

    line: int
    """Its number in the file, from 1; the heading is line 1."""
    item: str
    submission: str
    points: Fraction | None
    comment: str
    reason: str
    over: int | None
    """The number of the mark that stood when the sheet was written."""
    digest: str
    """The first 16 digits of the `answer_digest` then."""


def sheet_lines(
    graded: Graded, *, digests: Mapping[str, str], item: str | None = None
) -> Iterator[SheetLine]:
    """What of one submission stands in a sheet: written answers, and what else waits for a person.

    Args:
        graded: the submission, with its marks.
        digests: the `answer_digest` of each item.
        item: of this item only.
    """
    for score in graded.score.items if graded.score else ():
        asked = score.item.kind == "written" or score.earned is None or score.mark is not None
        if asked and item in {None, score.item.id}:
            yield SheetLine(
                score=score,
                submission=graded.submission.name,
                answer=graded.answers.get(score.item.id),
                digest=digests[score.item.id],
            )


def marks_sheet(lines: Iterable[SheetLine]) -> str:
    """The sheet: CSV that a spreadsheet opens and does not run, a question after the other."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    placed: dict[str, list[SheetLine]] = {}
    for line in lines:
        placed.setdefault(line.score.item.id, []).append(line)
    writer.writerows(_cells(line) for group in placed.values() for line in group)
    return written.getvalue()


def _cells(line: SheetLine) -> tuple[str, ...]:
    mark, answer = line.standing, line.answer
    number = mark.number if mark else 0
    return (
        defused(line.score.item.id),
        defused(line.submission),
        "",
        "",
        "",
        str(rounded(line.score.item.points)),
        "" if line.score.earned is None else str(rounded(line.score.earned)),
        defused(mark.comment) if mark else "",
        defused(answer.text)[:LONGEST] if answer else "",
        str(len(answer.images)) if answer and answer.images else "",
        f"seen-{number}-{line.digest[:16]}",
    )


def read_sheet(text: str) -> tuple[SheetRow, ...]:
    """The lines in which something was filled in; commas, semicolons or tabs between the cells.

    Raises:
        UsageError: a column is missing, or lines can't be read; all of them are named.
    """
    heading = text.removeprefix("\ufeff").lstrip().partition("\n")[0]
    between = max(",;\t", key=heading.count)
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=between)
    try:
        columns = [name.strip().lower() for name in next(rows, [])]
        missing = sorted(NEEDED - set(columns))
        if missing:
            raise UsageError(f"the sheet has no column {', '.join(missing)}")
        told = [
            (rows.line_num, dict(zip(columns, cells, strict=False))) for cells in rows if any(cells)
        ]
    except csv.Error as error:
        raise UsageError(f"the sheet can't be read (line {rows.line_num}: {error})") from error
    faults: list[str] = []
    read = [row for line, cells in told if (row := _row(line, cells, faults=faults))]
    if faults:
        raise UsageError("nothing was read from the sheet:\n  " + "\n  ".join(faults))
    return tuple(read)


def _row(line: int, cells: Mapping[str, str], *, faults: list[str]) -> SheetRow | None:
    said = {name: cells.get(name, "").strip() for name in NEEDED}
    if not any(said[name] for name in FILLED_IN):
        return None
    points, seen = said["points"], _SEEN.fullmatch(said["seen"])
    if points and not _POINTS.fullmatch(points):
        faults.append(f"line {line}: {points!r} is no number of points")
        return None
    if seen is None:
        faults.append(f"line {line}: the column 'seen' was changed; write a new sheet")
        return None
    return SheetRow(
        line=line,
        item=said["item"],
        submission=said["submission"],
        points=Fraction(points.replace(",", ".")) if points else None,
        comment=said["comment"],
        reason=said["reason"],
        over=int(seen[1]) or None,
        digest=seen[2],
    )
