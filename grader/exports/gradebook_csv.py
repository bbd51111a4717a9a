"""Writes the gradebook: a row a student, as CSV that a spreadsheet opens and does not run."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from fractions import Fraction

from grader import scoring
from grader.exports.number_format import rounded, storable
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
_NUMBERS = COLUMNS[4:]
NOBODY = Student(name="", id="")
MISSING = "missing"
"""The status of somebody on the roster who is in no submission."""
_STARTS_A_FORMULA = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - some spreadsheets read wide ones too


CsvRow = tuple[str, ...]
"""The words and numbers of one student."""


def gradebook_csv(rows: Iterable[CsvRow], *, rubric: Rubric) -> str:
    """The gradebook: the columns above, then one an item of the rubric.

    Args:
        rows: every student, as `csv_rows` makes them.
        rubric: what they were graded by.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([*COLUMNS, *(defused(item.id) for item in rubric.items)])
    writer.writerows(rows)
    return written.getvalue()


def defused(text: str) -> str:
    """The text on one line without control characters; an apostrophe before what would run."""
    cleaned = "".join(_kept(letter) for letter in storable(text)).strip(" ")
    visible = cleaned.lstrip("".join(filter(_is_unseen, cleaned)))
    started = text.startswith(("\t", "\r"))
    return f"'{cleaned}" if started or visible[:1] in _STARTS_A_FORMULA else cleaned


def _kept(letter: str) -> str:
    if letter in "\t\n\r":
        return " "
    return "" if unicodedata.category(letter) == "Cc" else letter


def _is_unseen(letter: str) -> bool:
    """Whether it is a space or a format character, behind which a formula could hide."""
    return unicodedata.category(letter)[0] in "ZC"


def csv_rows(graded: Graded, *, rubric: Rubric) -> tuple[CsvRow, ...]:
    """The rows of one submission: one without names gives one row, a team of two gives two."""
    team = graded.students or (NOBODY,)
    each = graded.lateness or (None,) * len(team)
    rows = []
    for one, late in zip(team, each, strict=True):
        words = (graded.submission.name, one.name, one.id, graded.status)
        numbers = _numbers(graded.score, late=late, rubric=rubric)
        rows.append((*(defused(word) for word in words), *numbers))
    return tuple(rows)


def missing_row(student: Student, *, rubric: Rubric) -> CsvRow:
    """The row of somebody who handed in nothing: no number in it, so nobody takes it for a zero."""
    words = ("", student.name, student.id, MISSING)
    return (*(defused(word) for word in words), *_empty(rubric))


def _empty(rubric: Rubric) -> list[str]:
    return [""] * (len(_NUMBERS) + len(rubric.items))


def _numbers(score: Score | None, *, late: Lateness | None, rubric: Rubric) -> list[str]:
    if score is None:
        return _empty(rubric)
    tally = score.total
    taken = "" if late is None else _plain(late.deduction)
    ends = (_plain(tally.final), taken, _plain(scoring.final(tally, late=late)))
    counts = [_plain(points) for points in (tally.auto, tally.marked, tally.pending, tally.blocked)]
    by_item = {item.item.id: item for item in score.items}
    return [*counts, *ends, *(_earned(by_item.get(i.id)) for i in rubric.items)]


def _earned(item: ItemScore | None) -> str:
    return "" if item is None else _plain(item.earned)


def _plain(points: Fraction | None) -> str:
    return "" if points is None else str(rounded(points))
