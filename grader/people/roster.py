"""Read the roster of a course from whatever table there is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.csv_tables import (
    TableRow,
    TextTable,
    clean_value,
    is_damaged_id,
    quote_names,
    read_table,
)
from grader.errors import UsageError
from grader.model import Student
from grader.people.columns import SYSTEM_FIELDS, map_person_columns
from grader.people.name_matching import normalize_id, same_name

_NOT_A_STUDENT = re.compile(r"points possible|student, test|test student", re.IGNORECASE)
"""Rows that Canvas writes among students."""
_PARTICIPANT = re.compile(r"\D+(\d+)")
_NEEDED_FIELDS = frozenset({"id", "name", "first", "last", "email"})
"""The fields of which a roster needs one."""
_MAX_LISTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterMember:
    """A student in the course."""

    student: Student
    aliases: tuple[str, ...] = ()
    """Other names the roster has for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRoster:
    """The roster, and notes on how its file was read."""

    members: tuple[RosterMember, ...]
    notes: tuple[str, ...]


def read_roster(path: Path) -> ParsedRoster:
    """Read a roster file.

    Raises:
        UsageError: it is no table, has no column of ids or names, or nobody in it.
    """
    table = read_table(path, count_known=_count_person_columns)
    columns = map_person_columns(table.columns)
    if not columns.keys() & _NEEDED_FIELDS:
        raise UsageError(
            f"{path.name}: no column is known as an id or a name among "
            f"{quote_names(table.columns)}; call one 'id' or 'name'"
        )
    damaged = [row for row in table.rows if is_damaged_id(row.cell(columns.get("id")))]
    if damaged:
        raise UsageError(
            f"{path.name}: line {damaged[0].line_number}: a spreadsheet has made "
            f"'{damaged[0].cell(columns['id'])}' of an id; format the column as "
            "text and fill it again"
        )
    members, row_notes = _collect_members(table, columns)
    if not members:
        raise UsageError(f"{path.name}: it lists nobody")
    return ParsedRoster(
        members=members,
        notes=(_describe_columns(path.name, table, columns, len(members)), *row_notes),
    )


def _count_person_columns(names: Sequence[str]) -> int:
    """Count the columns that a roster can use; none where none tells who somebody is."""
    columns = map_person_columns(names)
    return len(columns) if columns.keys() & _NEEDED_FIELDS else 0


def _describe_columns(name: str, table: TextTable, columns: Mapping[str, int], count: int) -> str:
    used = ", ".join(f"{field} from '{table.columns[index]}'" for field, index in columns.items())
    rest = [c for index, c in enumerate(table.columns) if c and index not in columns.values()]
    unused = f"; not used: {quote_names(rest)}" if rest else ""
    return f"{name}: {count} {'student' if count == 1 else 'students'}; {used}{unused}"


def _collect_members(
    table: TextTable, columns: Mapping[str, int]
) -> tuple[tuple[RosterMember, ...], tuple[str, ...]]:
    """Collect each member once, with notes on rows that were left out or conflict."""
    members: dict[str, RosterMember] = {}
    empty_lines: list[int] = []
    notes: list[str] = []
    for row in table.rows:
        member = _parse_member(row, columns)
        if member is None:
            empty_lines.append(row.line_number)
            continue
        student = member.student
        key = normalize_id(student.id) or student.email.casefold() or f"line {row.line_number}"
        previous = members.get(key)
        if previous is None:
            members[key] = member
        elif same_name(previous.student.name, student.name):  # somebody in two sections
            sections = filter(None, dict.fromkeys((previous.student.section, student.section)))
            merged = replace(previous.student, section=", ".join(sections))
            members[key] = replace(previous, student=merged)
        else:
            notes.append(
                f"line {row.line_number}: id {student.id} belongs to "
                f"{previous.student.name} and to {student.name}; "
                "it is ignored until that is fixed"
            )
            members[f"{key} {row.line_number}"] = member
    if empty_lines:
        lines = ", ".join(map(str, empty_lines[:_MAX_LISTED])) + (
            " …" if len(empty_lines) > _MAX_LISTED else ""
        )
        notes.append(f"rows without a student left out: line {lines}")
    return tuple(members.values()), tuple(notes)


def _parse_member(row: TableRow, columns: Mapping[str, int]) -> RosterMember | None:
    """Return the member that a row describes, or None."""
    cells = {field: clean_value(row.cell(index)) for field, index in columns.items()}
    first, last = cells.get("first", ""), cells.get("last", "")
    name = _first_last(cells.get("name", "")) or " ".join(filter(None, (first, last)))
    student = Student(
        name=name,
        id=cells.get("id", "").lstrip("#"),
        email=cells.get("email", ""),
        section=cells.get("section", ""),
        lms={
            system: _participant_number(cells[system])
            for system in SYSTEM_FIELDS
            if cells.get(system)
        },
    )
    if _NOT_A_STUDENT.fullmatch(row.cell(columns.get("name")).strip()):
        return None
    if not (student.id or student.name or student.email):
        return None
    return RosterMember(
        student=student, aliases=_aliases(name, first, last, cells.get("preferred", ""))
    )


def _first_last(name: str) -> str:
    """Turn 'Rivers, Ada' into 'Ada Rivers'."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and "," not in first else name


def _aliases(name: str, first: str, last: str, preferred: str) -> tuple[str, ...]:
    """Return a student's other names, such as the preferred name before the last name."""
    last_name = last or name.rpartition(" ")[2]
    full_name = " ".join(filter(None, (first, last)))
    candidates = [full_name]
    if preferred:
        candidates.append(preferred if " " in preferred else f"{preferred} {last_name}".strip())
    return tuple(alias for alias in dict.fromkeys(candidates) if alias and alias != name)


def _participant_number(identifier: str) -> str:
    """Turn Moodle's 'Participant 12345' into '12345'."""
    match = _PARTICIPANT.fullmatch(identifier)
    return match[1] if match and " " in identifier else identifier.lstrip("#")
