"""Reads in which cells a person says items are answered, and keeps it for later runs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from grader import gradebook
from grader.errors import UsageError
from grader.folder import Folder
from grader.gradebook import Gradebook
from grader.gradebook.stored_overrides import Parts, keep, kept
from grader.model import Graded, Rubric

__all__ = ["Parts", "Row", "corrected", "kept", "listed", "listing", "rows"]

COLUMNS = ("submission", "item", "cells")
NONE = "none"
"""What stands for cells where there is no answer."""
_MAX_CELL = 9_999
_MAX_CELLS = 100
_MAX_BYTES = 10_000_000
_SHOWN = 5
_RANGE = re.compile(r"(\d{1,4})(?:\s?[-\u2013]\s?(\d{1,4}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the file: cells of None take an earlier word back."""

    submission: str
    item: str
    cells: tuple[int, ...] | None


def corrected(
    book: Gradebook, rubric: Rubric, *, file: Path | None, names: Mapping[str, str]
) -> tuple[Parts, tuple[str, ...]]:
    """What people told so far, and what a file adds to it; kept from now on.

    Args:
        book: where it is kept.
        rubric: whose items are told.
        file: a CSV with the columns submission, item and cells, or None.
        names: every name that a submission may go by in the file, and its safe name.

    Returns:
        All that was told, and what the person at the keyboard should know.

    Raises:
        UsageError: the file can't be read, or its rows are not as they must be.
    """
    told = {name: dict(items) for name, items in kept(book, rubric.id).items()}
    if file is None:
        return told, ()
    strangers = []
    for row in rows(file, rubric=rubric):
        name = names.get(row.submission)
        if name is None:
            strangers.append(row.submission)
        of_it = told.setdefault(name or row.submission, {})
        of_it.pop(row.item, None)
        if row.cells is not None:
            of_it[row.item] = row.cells
    told = {name: items for name, items in told.items() if items}
    keep(book, rubric.id, told=told)
    if not strangers:
        return told, ()
    some = ", ".join(dict.fromkeys(strangers[:_SHOWN]))
    return told, (f"{file.name} names submissions that are not here, and is kept for them: {some}",)


def rows(file: Path, *, rubric: Rubric) -> tuple[Row, ...]:
    """The rows of a file.

    Raises:
        UsageError: it can't be read, or some rows are not as they must be; each is named.
    """
    reader = csv.DictReader(io.StringIO(_text(file), newline=""), delimiter=_delimiter(file))
    header = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UsageError(
            f"{file}: no column {', '.join(missing)}; its first line is {','.join(COLUMNS)}"
        )
    found: list[Row] = []
    faults: list[str] = []
    try:
        for line in reader:
            cells = [(line.get(header[name]) or "").strip() for name in COLUMNS]
            if any(cells):
                _take(cells, rubric=rubric, found=found, faults=faults, number=reader.line_num)
    except csv.Error as error:
        faults.append(f"line {reader.line_num}: {error}")
    if faults:
        more = f"\n  and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise UsageError(f"{file}:\n  " + "\n  ".join(faults[:_SHOWN]) + more)
    return tuple(found)


def _take(
    words: list[str], *, rubric: Rubric, found: list[Row], faults: list[str], number: int
) -> None:
    submission, item, told = words
    ids = [one.id for one in rubric.items]
    if item not in ids:
        near = get_close_matches(item, ids, n=1, cutoff=0.0)[0]
        faults.append(f"line {number}: there is no item {item!r}; the nearest is {near!r}")
        return
    if not submission:
        faults.append(f"line {number}: it names no submission")
        return
    try:
        cells = _cells(told)
    except ValueError as error:
        faults.append(f"line {number}: {error}")
        return
    found.append(Row(submission=submission, item=item, cells=cells))


def _cells(told: str) -> tuple[int, ...] | None:
    """Cells from words such as '7', '7 9', '7-9' or 'none'; None where there is no word."""
    if not told:
        return None
    if told.lower() == NONE:
        return ()
    cells: list[int] = []
    for part in re.split(r"[\s,;]+", re.sub(r"\s*[-\u2013]\s*", "-", told)):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise ValueError(f"{told!r} names no cells; write 7, '7 9', 7-9, or {NONE}")
        first, last = int(found[1]), int(found[2] or found[1])
        cells += range(first, last + 1)
        if last < first or len(cells) > _MAX_CELLS:
            raise ValueError(f"{told!r}: from the lower cell to the higher, at most {_MAX_CELLS}")
    return tuple(dict.fromkeys(cells))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UsageError(f"{file}: larger than {_MAX_BYTES // 10**6} MB")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8; save it as CSV in UTF-8") from error


def _delimiter(file: Path) -> str:
    """The comma, or what spreadsheets of half the world write in its place."""
    first = _text(file).partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def listing(folder: Path, *, every: bool) -> str:
    """Where answers of a class were found, as the text of such a file.

    Raises:
        UsageError: the folder holds no gradebook.
    """
    if not Folder.is_one(folder):
        raise UsageError(f"{folder}: no gradebook there; `grade PATH` makes one")
    with gradebook.opened(Folder(folder).store) as book:
        known = book.keys()
        return listed(book.all_graded([n for n in book.roll() if n in known]), every=every)


def listed(grades: Iterable[Graded], *, every: bool) -> str:
    """Where answers were found, as the text of such a file.

    Args:
        grades: the class.
        every: whether to list what is sure, too.

    Returns:
        CSV with two more columns: how sure it is, and why not surer.
    """
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow([*COLUMNS, "confidence", "why"])
    for graded in grades:
        for item, answer in graded.answers.items():
            if every or answer.doubt:
                cells = " ".join(map(str, answer.cells)) or NONE
                how_sure = f"{answer.confidence:.2f}"
                writer.writerow([graded.submission.name, item, cells, how_sure, answer.doubt])
    return page.getvalue()
