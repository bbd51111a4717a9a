"""Writes a CSV sheet for marking offline, and reads it back; a blank cell changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from grader.csv_tables import format_table, parse_table
from grader.errors import UsageError
from grader.exports.gradebook_csv import escape_formula
from grader.exports.number_format import to_number
from grader.model import Answer, Graded, ItemScore, Mark

INPUT_COLUMNS = ("points", "comment", "reason")
COLUMNS = (
    "item",
    "submission",
    *INPUT_COLUMNS,
    "worth",
    "so_far",
    "so_far_comment",
    "answer",
    "pictures",
    "seen",
)
REQUIRED_COLUMNS = frozenset({"item", "submission", *INPUT_COLUMNS, "seen"})
MAX_ANSWER_LENGTH = 30_000
"""The most characters of an answer: a spreadsheet's cell holds 32,767."""
_POINTS = re.compile(r"[+-]?\d{1,6}([.,]\d{1,4})?")
_SEEN_TOKEN = re.compile(r"seen-(\d+)-([0-9a-f]{16})")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetAnswer:
    """One answer as the sheet shows it."""

    score: ItemScore
    submission: str
    answer: Answer | None
    digest: str

    @property
    def current_mark(self) -> Mark | None:
        """The mark of this answer, or of an earlier version of it."""
        return self.score.mark or self.score.outdated


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledRow:
    """A row of the sheet that a person filled in."""

    line_number: int
    """Its number in the file, from 1; the heading is line 1."""
    item: str
    submission: str
    points: Fraction | None
    comment: str
    reason: str
    mark_number: int | None
    """The number of the mark that was current when the sheet was written."""
    digest: str
    """The first 16 digits of the `answer_digest` at that time."""


def sheet_answers(
    graded: Graded, *, digests: Mapping[str, str], item: str | None = None
) -> Iterator[SheetAnswer]:
    """Yield the answers of a submission that need a person.

    Args:
        graded: The submission, with its marks.
        digests: The `answer_digest` of each item.
        item: The only item that is included; None for all.
    """
    for score in graded.score.items if graded.score else ():
        needs_person = (
            score.item.kind == "written" or score.earned is None or score.mark is not None
        )
        if needs_person and item in {None, score.item.id}:
            yield SheetAnswer(
                score=score,
                submission=graded.submission.name,
                answer=graded.answers.get(score.item.id),
                digest=digests[score.item.id],
            )


def render_marks_sheet(answers: Iterable[SheetAnswer]) -> str:
    """Render the sheet item by item, safe to open in a spreadsheet."""
    by_item: dict[str, list[SheetAnswer]] = {}
    for sheet_answer in answers:
        by_item.setdefault(sheet_answer.score.item.id, []).append(sheet_answer)
    rows = (_cells(sheet_answer) for group in by_item.values() for sheet_answer in group)
    return format_table([COLUMNS, *rows])


def _cells(sheet_answer: SheetAnswer) -> tuple[str, ...]:
    mark, answer = sheet_answer.current_mark, sheet_answer.answer
    number = mark.number if mark else 0
    return (
        escape_formula(sheet_answer.score.item.id),
        escape_formula(sheet_answer.submission),
        "",
        "",
        "",
        str(to_number(sheet_answer.score.item.points)),
        "" if sheet_answer.score.earned is None else str(to_number(sheet_answer.score.earned)),
        escape_formula(mark.comment) if mark else "",
        escape_formula(answer.text)[:MAX_ANSWER_LENGTH] if answer else "",
        str(len(answer.images)) if answer and answer.images else "",
        f"seen-{number}-{sheet_answer.digest[:16]}",
    )


def read_marks_sheet(text: str) -> tuple[FilledRow, ...]:
    """Read the rows that were filled in; cells are separated by commas, semicolons or tabs.

    Raises:
        UsageError: A column is missing, or lines can't be read; the message names all of them.
    """
    table = parse_table(text, name="the sheet", verbatim=True)
    columns = [name.strip().lower() for name in table.columns]
    missing = sorted(REQUIRED_COLUMNS - set(columns))
    if missing:
        raise UsageError(f"the sheet has no column {', '.join(missing)}")
    faults: list[str] = []
    filled = [
        row
        for table_row in table.rows
        if (
            row := _parse_row(
                table_row.line_number,
                dict(zip(columns, table_row.cells, strict=False)),
                faults=faults,
            )
        )
    ]
    if faults:
        raise UsageError("nothing was read from the sheet:\n  " + "\n  ".join(faults))
    return tuple(filled)


def _parse_row(
    line_number: int, cells: Mapping[str, str], *, faults: list[str]
) -> FilledRow | None:
    fields = {name: cells.get(name, "").strip() for name in REQUIRED_COLUMNS}
    if not any(fields[name] for name in INPUT_COLUMNS):
        return None
    points, seen = fields["points"], _SEEN_TOKEN.fullmatch(fields["seen"])
    if points and not _POINTS.fullmatch(points):
        faults.append(f"line {line_number}: {points!r} is not a number of points")
        return None
    if seen is None:
        faults.append(f"line {line_number}: the column 'seen' was changed; write a new sheet")
        return None
    return FilledRow(
        line_number=line_number,
        item=fields["item"],
        submission=fields["submission"],
        points=Fraction(points.replace(",", ".")) if points else None,
        comment=fields["comment"],
        reason=fields["reason"],
        mark_number=int(seen[1]) or None,
        digest=seen[2],
    )
