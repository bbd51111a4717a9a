"""The roster: everyone in the course, from whatever table the course has of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import UsageError
from grader.model import Student
from grader.people.columns import SYSTEMS, person
from grader.people.name_matching import plain_id, same_name
from grader.people.table_reader import Line, Sheet, is_rounded, sheet, shown, word

_NO_PERSON = re.compile(r"points possible|student, test|test student", re.IGNORECASE)
"""Rows that Canvas writes among students."""
_PARTICIPANT = re.compile(r"\D+(\d+)")
_LISTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in the course."""

    student: Student
    aliases: tuple[str, ...] = ()
    """Other names the roster has for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRoster:
    """A roster, and what was made of its file, in words for the person at the keyboard."""

    members: tuple[Member, ...]
    notes: tuple[str, ...]


def read_roster(path: Path) -> ReadRoster:
    """The roster in a file.

    Raises:
        UsageError: it is no table, has no column of ids or names, or nobody in it.
    """
    found = sheet(path)
    columns = person(found.columns)
    if not columns.keys() & {"id", "name", "first", "last", "email"}:
        raise UsageError(
            f"{path.name}: no column is known as an id or a name among {shown(found.columns)}; "
            "call one 'id' or 'name'"
        )
    damaged = [line for line in found.lines if is_rounded(line.at(columns.get("id")))]
    if damaged:
        raise UsageError(
            f"{path.name}: line {damaged[0].number}: a spreadsheet has made "
            f"'{damaged[0].at(columns['id'])}' of an id; format the column as text, fill it anew"
        )
    members, left = _members(found, columns)
    if not members:
        raise UsageError(f"{path.name}: nobody stands in it")
    return ReadRoster(
        members=members, notes=(_on_columns(path.name, found, columns, len(members)), *left)
    )


def _on_columns(name: str, found: Sheet, columns: Mapping[str, int], count: int) -> str:
    used = ", ".join(f"{thing} from '{found.columns[at]}'" for thing, at in columns.items())
    rest = [c for at, c in enumerate(found.columns) if c and at not in columns.values()]
    unused = f"; not used: {shown(rest)}" if rest else ""
    return f"{name}: {count} {'student' if count == 1 else 'students'}; {used}{unused}"


def _members(
    found: Sheet, columns: Mapping[str, int]
) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """Everyone once, and what was left out or asks for a look."""
    members: dict[str, Member] = {}
    empty: list[int] = []
    notes: list[str] = []
    for line in found.lines:
        member = _member(line, columns)
        if member is None:
            empty.append(line.number)
            continue
        key = _key(member.student, line=line.number)
        before = members.get(key)
        if before is None:
            members[key] = member
        elif same_name(before.student.name, member.student.name):
            members[key] = _merged(before, member)
        else:
            notes.append(
                f"line {line.number}: id {member.student.id} stands for {before.student.name} "
                f"and for {member.student.name}; it is nobody's until that is mended"
            )
            members[f"{key} {line.number}"] = member
    if empty:
        lines = ", ".join(map(str, empty[:_LISTED])) + (" …" if len(empty) > _LISTED else "")
        notes.append(f"rows without a student left out: line {lines}")
    return tuple(members.values()), tuple(notes)


def _key(student: Student, *, line: int) -> str:
    return plain_id(student.id) or student.email.casefold() or f"line {line}"


def _merged(before: Member, after: Member) -> Member:
    """Somebody who stands in two sections."""
    one, other = before.student, after.student
    sections = dict.fromkeys(section for section in (one.section, other.section) if section)
    return replace(before, student=replace(one, section=", ".join(sections)))


def _member(line: Line, columns: Mapping[str, int]) -> Member | None:
    """Whom a row is about; None for nobody."""
    cell = {thing: word(line.at(at)) for thing, at in columns.items()}
    first, last = cell.get("first", ""), cell.get("last", "")
    name = _full(cell.get("name", "")) or " ".join(filter(None, (first, last)))
    student = Student(
        name=name,
        id=cell.get("id", "").lstrip("#"),
        email=cell.get("email", ""),
        section=cell.get("section", ""),
        lms={system: _number(cell[system]) for system in SYSTEMS if cell.get(system)},
    )
    if _NO_PERSON.fullmatch(line.at(columns.get("name")).strip()):
        return None
    if not (student.id or student.name or student.email):
        return None
    return Member(student=student, aliases=_aliases(name, first, last, cell.get("preferred", "")))


def _full(name: str) -> str:
    """'Rivers, Ada' the right way round."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and "," not in first else name


def _aliases(name: str, first: str, last: str, preferred: str) -> tuple[str, ...]:
    """The other names of a student: the preferred one alone and before the last name."""
    family = last or name.rpartition(" ")[2]
    written = " ".join(filter(None, (first, last)))
    others = [written]
    if preferred:
        others.append(preferred if " " in preferred else f"{preferred} {family}".strip())
    return tuple(other for other in dict.fromkeys(others) if other and other != name)


def _number(mark: str) -> str:
    """'Participant 12345' is 12345."""
    found = _PARTICIPANT.fullmatch(mark)
    return found[1] if found and " " in mark else mark.lstrip("#")
