"""Reads who may hand in later, and when something was handed in, from two columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from grader import timestamps
from grader.errors import UsageError
from grader.people.columns import PERSON, mapped
from grader.people.name_matching import plain_id
from grader.people.table_reader import Line, is_rounded, sheet, shown, word

_WHO = {"who": " ".join(("submission", PERSON["id"], PERSON["login"], PERSON["email"]))}
_DUE = "due dueat duedate extendedto extension until newdue deadline"
_AT = "at time submittedat submitted handedin timestamp when"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDates:
    """A moment for each id, and what was made of the file."""

    dates: Mapping[str, str]
    """In ISO 8601 with an offset, by the id as it is written."""
    note: str
    """The columns it came from, in words for the person at the keyboard."""


def read_extensions(path: Path, *, zone: tzinfo | None) -> ReadDates:
    """Who may hand in later; of the file nothing but ids and due dates is looked at.

    Args:
        path: the file; other columns, such as a reason, stay unread.
        zone: the time zone of the course, for the advice where a due date has no offset.

    Raises:
        UsageError: it is no table, a column is missing, a due date has no offset, or somebody
            stands there twice.
    """

    def due(cell: str) -> str:
        return timestamps.due(cell, zone=zone).isoformat()

    return _read(path, when=_DUE, reads=due, what="due dates of their own")


def read_times(path: Path, *, zone: tzinfo) -> ReadDates:
    """When submissions were handed in, as staff know it.

    Args:
        path: the file; ids or names of submissions, and times.
        zone: of times that say no offset.

    Raises:
        UsageError: it is no table, a column is missing, a time can't be read, or somebody stands
            there twice.
    """

    def at(cell: str) -> str:
        found = timestamps.reckoned(cell, zone=zone)
        if found is None:
            raise ValueError(f"must be a date and time, such as {timestamps.EXAMPLE}")
        return found.isoformat()

    return _read(path, when=_AT, reads=at, what="times of handing in")


def _read(path: Path, *, when: str, reads: Callable[[str], str], what: str) -> ReadDates:
    found = sheet(path)
    columns = mapped(found.columns, words={**_WHO, "when": when})
    if columns.keys() != {"who", "when"}:
        wanted = f"'id' and '{when.split(maxsplit=1)[0]}'"
        raise UsageError(f"{path.name}: needs the columns {wanted}; it has {shown(found.columns)}")
    dates: dict[str, str] = {}
    seen: dict[str, int] = {}
    for line in found.lines:
        mark, cell = _mark(line, columns["who"], name=path.name), line.at(columns["when"])
        if plain_id(mark) in seen:
            first = seen[plain_id(mark)]
            raise UsageError(f"{path.name}: line {line.number}: {mark} stands in line {first}, too")
        seen[plain_id(mark)] = line.number
        try:
            dates[mark] = reads(cell)
        except ValueError as error:
            raise UsageError(f"{path.name}: line {line.number}: '{cell}' {error}") from error
    used = ", ".join(f"'{found.columns[at]}'" for at in columns.values())
    return ReadDates(dates=dates, note=f"{path.name}: {len(dates)} {what}, from {used}")


def _mark(line: Line, column: int, *, name: str) -> str:
    mark = word(line.at(column))
    if not mark or is_rounded(mark):
        raise UsageError(f"{name}: line {line.number}: says no id")
    return mark
