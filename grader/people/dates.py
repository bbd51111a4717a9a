"""Read extensions and submission times from a table with two columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from grader import timestamps
from grader.csv_tables import clean_value, is_damaged_id, quote_names, read_table
from grader.errors import UsageError
from grader.people.columns import PERSON_COLUMNS, map_columns
from grader.people.name_matching import normalize_id

_WHO_COLUMNS = {
    "who": " ".join(
        ("submission", PERSON_COLUMNS["id"], PERSON_COLUMNS["login"], PERSON_COLUMNS["email"])
    )
}
_DUE_COLUMNS = "due dueat duedate extendedto extension until newdue deadline"
_TIME_COLUMNS = "at time submittedat submitted handedin timestamp when"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDates:
    """A time for each id, and a note on what was read."""

    dates: Mapping[str, str]
    """In ISO 8601 with an offset, by the id as it is written."""
    note: str
    """The columns it came from, in words for the person at the keyboard."""


def read_extensions(path: Path, *, zone: tzinfo | None) -> ParsedDates:
    """Read extended due dates; only ids and dates are read.

    Args:
        path: the file; other columns, such as a reason, stay unread.
        zone: the time zone of the course, for the advice where a due date has no offset.

    Raises:
        UsageError: it is no table, a column is missing, a due date has no offset, or an id occurs
            twice.
    """

    def parse_due(cell: str) -> str:
        return timestamps.parse_due(cell, zone=zone).isoformat()

    return _read_dates(
        path, date_words=_DUE_COLUMNS, parse=parse_due, description="extended due dates"
    )


def read_submission_times(path: Path, *, zone: tzinfo) -> ParsedDates:
    """Read submission times that staff know.

    Args:
        path: the file; ids or names of submissions, and times.
        zone: the time zone of times without an offset.

    Raises:
        UsageError: it is no table, a column is missing, a time can't be read, or an id occurs
            twice.
    """

    def parse_time(cell: str) -> str:
        moment = timestamps.parse_lms_time(cell, zone=zone)
        if moment is None:
            raise ValueError(f"must be a date and time, such as {timestamps.EXAMPLE}")
        return moment.isoformat()

    return _read_dates(
        path, date_words=_TIME_COLUMNS, parse=parse_time, description="submission times"
    )


def _read_dates(
    path: Path, *, date_words: str, parse: Callable[[str], str], description: str
) -> ParsedDates:
    words = {**_WHO_COLUMNS, "when": date_words}
    table = read_table(path, count_known=lambda names: len(map_columns(names, words=words)) // 2)
    columns = map_columns(table.columns, words=words)
    if columns.keys() != {"who", "when"}:
        required = f"'id' and '{date_words.split(maxsplit=1)[0]}'"
        raise UsageError(
            f"{path.name}: needs the columns {required}; it has {quote_names(table.columns)}"
        )
    dates: dict[str, str] = {}
    seen: dict[str, int] = {}
    for row in table.rows:
        location = f"{path.name}: line {row.line_number}"
        identifier, cell = clean_value(row.cell(columns["who"])), row.cell(columns["when"])
        if not identifier or is_damaged_id(identifier):
            raise UsageError(f"{location}: has no id")
        first_line = seen.setdefault(normalize_id(identifier), row.line_number)
        if first_line != row.line_number:
            raise UsageError(f"{location}: {identifier} is also in line {first_line}")
        try:
            dates[identifier] = parse(cell)
        except ValueError as error:
            raise UsageError(f"{location}: '{cell}' {error}") from error
    used = ", ".join(f"'{table.columns[column]}'" for column in columns.values())
    return ParsedDates(dates=dates, note=f"{path.name}: {len(dates)} {description}, from {used}")
