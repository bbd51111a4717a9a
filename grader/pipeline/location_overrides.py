"""Reads the cells that a person names for the answers of items, and stores them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from grader.csv_tables import TextTable, format_table, parse_table
from grader.errors import UsageError
from grader.folder import OutputFolder
from grader.gradebook import Gradebook
from grader.gradebook.course_records import LocationOverrides, load_overrides, save_overrides
from grader.model import Graded, Rubric

COLUMNS = ("submission", "item", "cells")
NO_CELLS = "none"
"""The entry for an item without an answer."""
_MAX_CELL = 9_999
_MAX_CELLS = 100
_MAX_BYTES = 10_000_000
_SHOWN = 5
_RANGE = re.compile(r"(\d{1,4})(?:\s?[-\u2013]\s?(\d{1,4}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRow:
    """One line of the file."""

    submission: str
    item: str
    cells: tuple[int, ...] | None
    """None takes an earlier override back."""


def apply_override_file(
    book: Gradebook,
    rubric: Rubric,
    *,
    file: Path | None,
    names: Mapping[str, str],
    notify: Callable[[str], None],
) -> LocationOverrides:
    """Return the stored overrides with those of a file, which are stored as well.

    Args:
        book: the gradebook that stores them.
        rubric: the rubric, with the items that a file may name.
        file: a CSV with the columns submission, item and cells, or None.
        names: every name that a submission may have in the file, to its safe name.
        notify: called with a sentence about submissions that are not here.

    Raises:
        UsageError: the file can't be read, or its rows are not valid.
    """
    overrides = {name: dict(items) for name, items in load_overrides(book, rubric.id).items()}
    if file is None:
        return overrides
    unknown_names = []
    for row in read_override_rows(file, rubric=rubric):
        if row.submission not in names:
            unknown_names.append(row.submission)
        item_cells = overrides.setdefault(names.get(row.submission, row.submission), {})
        item_cells.pop(row.item, None)
        if row.cells is not None:
            item_cells[row.item] = row.cells
    overrides = {name: items for name, items in overrides.items() if items}
    save_overrides(book, rubric.id, overrides=overrides)
    if unknown_names:
        sample = ", ".join(dict.fromkeys(unknown_names[:_SHOWN]))
        notify(f"{file.name} names submissions that are not here, and is kept for them: {sample}")
    return overrides


def read_override_rows(file: Path, *, rubric: Rubric) -> tuple[OverrideRow, ...]:
    """Read the rows of a file.

    Raises:
        UsageError: it can't be read, or some rows are not valid; the first of them are named.
    """
    text = _read_text(file)
    table = TextTable(columns=(), rows=())
    if text.strip():
        table = parse_table(text, name=str(file), verbatim=True)
    header = {name.strip().lower(): index for index, name in enumerate(table.columns)}
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UsageError(
            f"{file}: no column {', '.join(missing)}; its first line is {','.join(COLUMNS)}"
        )
    rows: list[OverrideRow] = []
    problems: list[str] = []
    for row in table.rows:
        values = [row.cell(header[name]).strip() for name in COLUMNS]
        try:
            rows += [_parse_row(*values, rubric=rubric)] if any(values) else []
        except ValueError as error:
            problems.append(f"line {row.line_number}: {error}")
    if problems:
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise UsageError(f"{file}:\n  " + "\n  ".join(problems[:_SHOWN]) + more)
    return tuple(rows)


def _parse_row(submission: str, item: str, cells: str, *, rubric: Rubric) -> OverrideRow:
    ids = [rubric_item.id for rubric_item in rubric.items]
    if item not in ids:
        nearest = get_close_matches(item, ids, n=1, cutoff=0.0)[0]
        raise ValueError(f"there is no item {item!r}; the nearest is {nearest!r}")
    if not submission:
        raise ValueError("it names no submission")
    return OverrideRow(submission=submission, item=item, cells=_parse_cells(cells))


def _parse_cells(text: str) -> tuple[int, ...] | None:
    """Parse cells such as '7', '7 9', '7-9' or 'none'; return None for an empty text."""
    if not text:
        return None
    if text.lower() == NO_CELLS:
        return ()
    cells: list[int] = []
    for part in re.split(r"[\s,;]+", re.sub(r"\s*[-\u2013]\s*", "-", text)):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"{text!r} names no cells; write 7, '7 9', 7-9, or {NO_CELLS}")
        first, last = int(match[1]), int(match[2] or match[1])
        cells += range(first, last + 1)
        if last < first or len(cells) > _MAX_CELLS:
            raise ValueError(f"{text!r}: from the lower cell to the higher, at most {_MAX_CELLS}")
    return tuple(dict.fromkeys(cells))


def _read_text(file: Path) -> str:
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


def folder_locations_csv(folder: Path, *, include_sure: bool) -> str:
    """Return the locations of the answers of a class, as the text of a file of overrides.

    Raises:
        UsageError: the folder holds no gradebook.
    """
    with OutputFolder.open_existing(folder).open_gradebook() as book:
        return locations_csv(book.all_graded(), include_sure=include_sure)


def locations_csv(grades: Iterable[Graded], *, include_sure: bool) -> str:
    """Return the locations of answers, as the text of a file of overrides.

    Args:
        grades: the class.
        include_sure: whether to list locations that are not in doubt, too.

    Returns:
        CSV with two more columns: the confidence, and the reason for doubt.
    """
    rows = [(*COLUMNS, "confidence", "why")]
    for graded in grades:
        for item, answer in graded.answers.items():
            if include_sure or answer.concern:
                cells = " ".join(map(str, answer.cells)) or NO_CELLS
                confidence = f"{answer.confidence:.2f}"
                rows.append((graded.submission.name, item, cells, confidence, answer.concern))
    return format_table(rows)
