"""Writes the gradebook: a row a student, as CSV that a spreadsheet opens and does not run."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from fractions import Fraction

from grader.exports.figures import rounded, storable
from grader.model import Graded, ItemScore, Rubric, Score, Student

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
    numbers = _numbers(graded.score, rubric=rubric)
    team = graded.students or (NOBODY,)
    words = ((graded.submission.name, one.name, one.id, graded.status) for one in team)
    return tuple((*(defused(word) for word in row), *numbers) for row in words)


def _numbers(score: Score | None, *, rubric: Rubric) -> list[str]:
    if score is None:
        return [""] * (len(_NUMBERS) + len(rubric.items))
    tally = score.total
    late = ""  # nothing is taken off yet, so the total is final as soon as it is known
    total = _plain(tally.final)
    counts = [_plain(points) for points in (tally.auto, tally.marked, tally.pending, tally.blocked)]
    by_item = {item.item.id: item for item in score.items}
    return [*counts, total, late, total, *(_earned(by_item.get(i.id)) for i in rubric.items)]


def _earned(item: ItemScore | None) -> str:
    return "" if item is None else _plain(item.earned)


def _plain(points: Fraction | None) -> str:
    return "" if points is None else str(rounded(points))
