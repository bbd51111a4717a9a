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
from grader.folder import OutputFolder
from grader.gradebook import Gradebook
from grader.gradebook.stored_overrides import LocationOverrides, load_overrides, save_overrides
from grader.model import Graded, Rubric

__all__ = [
    "LocationOverrides",
    "OverrideRow",
    "apply_override_file",
    "folder_locations_csv",
    "load_overrides",
    "locations_csv",
    "read_override_rows",
]

COLUMNS = ("submission", "item", "cells")
NO_CELLS = "none"
"""What stands for cells where there is no answer."""
_MAX_CELL = 9_999
_MAX_CELLS = 100
_MAX_BYTES = 10_000_000
_SHOWN = 5
_RANGE = re.compile(r"(\d{1,4})(?:\s?[-\u2013]\s?(\d{1,4}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRow:
    """One line of the file: cells of None take an earlier word back."""

    submission: str
    item: str
    cells: tuple[int, ...] | None


def apply_override_file(
    book: Gradebook, rubric: Rubric, *, file: Path | None, names: Mapping[str, str]
) -> tuple[LocationOverrides, tuple[str, ...]]:
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
    overrides = {name: dict(items) for name, items in load_overrides(book, rubric.id).items()}
    if file is None:
        return overrides, ()
    unknown_names = []
    for row in read_override_rows(file, rubric=rubric):
        name = names.get(row.submission)
        if name is None:
            unknown_names.append(row.submission)
        item_cells = overrides.setdefault(name or row.submission, {})
        item_cells.pop(row.item, None)
        if row.cells is not None:
            item_cells[row.item] = row.cells
    overrides = {name: items for name, items in overrides.items() if items}
    save_overrides(book, rubric.id, overrides=overrides)
    if not unknown_names:
        return overrides, ()
    sample = ", ".join(dict.fromkeys(unknown_names[:_SHOWN]))
    return overrides, (
        f"{file.name} names submissions that are not here, and is kept for them: {sample}",
    )


def read_override_rows(file: Path, *, rubric: Rubric) -> tuple[OverrideRow, ...]:
    """The rows of a file.

    Raises:
        UsageError: it can't be read, or some rows are not as they must be; each is named.
    """
    reader = csv.DictReader(
        io.StringIO(_read_text(file), newline=""), delimiter=_detect_delimiter(file)
    )
    header = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UsageError(
            f"{file}: no column {', '.join(missing)}; its first line is {','.join(COLUMNS)}"
        )
    parsed: list[OverrideRow] = []
    problems: list[str] = []
    try:
        for record in reader:
            values = [(record.get(header[name]) or "").strip() for name in COLUMNS]
            if any(values):
                _parse_override(
                    values,
                    rubric=rubric,
                    parsed=parsed,
                    problems=problems,
                    line_number=reader.line_num,
                )
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: {error}")
    if problems:
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise UsageError(f"{file}:\n  " + "\n  ".join(problems[:_SHOWN]) + more)
    return tuple(parsed)


def _parse_override(
    values: list[str],
    *,
    rubric: Rubric,
    parsed: list[OverrideRow],
    problems: list[str],
    line_number: int,
) -> None:
    submission, item, cell_text = values
    ids = [rubric_item.id for rubric_item in rubric.items]
    if item not in ids:
        nearest = get_close_matches(item, ids, n=1, cutoff=0.0)[0]
        problems.append(
            f"line {line_number}: there is no item {item!r}; the nearest is {nearest!r}"
        )
        return
    if not submission:
        problems.append(f"line {line_number}: it names no submission")
        return
    try:
        cells = _parse_cells(cell_text)
    except ValueError as error:
        problems.append(f"line {line_number}: {error}")
        return
    parsed.append(OverrideRow(submission=submission, item=item, cells=cells))


def _parse_cells(text: str) -> tuple[int, ...] | None:
    """Cells from words such as '7', '7 9', '7-9' or 'none'; None where there is no word."""
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


def _detect_delimiter(file: Path) -> str:
    """The comma, or what spreadsheets of half the world write in its place."""
    header = _read_text(file).partition("\n")[0]
    return ";" if header.count(";") > header.count(",") else ","


def folder_locations_csv(folder: Path, *, include_sure: bool) -> str:
    """Where answers of a class were found, as the text of such a file.

    Raises:
        UsageError: the folder holds no gradebook.
    """
    with gradebook.open_gradebook(OutputFolder.open_existing(folder).store) as book:
        stored_keys = book.cache_keys()
        return locations_csv(
            book.all_graded([n for n in book.roll() if n in stored_keys]), include_sure=include_sure
        )


def locations_csv(grades: Iterable[Graded], *, include_sure: bool) -> str:
    """Where answers were found, as the text of such a file.

    Args:
        grades: the class.
        include_sure: whether to list what is sure, too.

    Returns:
        CSV with two more columns: how sure it is, and why not surer.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*COLUMNS, "confidence", "why"])
    for graded in grades:
        for item, answer in graded.answers.items():
            if include_sure or answer.doubt:
                cells = " ".join(map(str, answer.cells)) or NO_CELLS
                confidence = f"{answer.confidence:.2f}"
                writer.writerow([graded.submission.name, item, cells, confidence, answer.doubt])
    return buffer.getvalue()
