"""Fills one column of a gradebook that was downloaded from Canvas.

The rules are those of Canvas's own importer (`lib/gradebook_importer.rb`) and exporter
(`lib/gradebook_exporter.rb`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.errors import UsageError
from grader.exports.column_filling import Column, alone, counted, fill
from grader.exports.csv_file import Sheet, read_sheet
from grader.exports.export import Export, Grades, Wish
from grader.exports.number_format import rounded
from grader.exports.row_matching import Row, plain
from grader.exports.student_grades import standings
from grader.model import Rubric

SYSTEM = "canvas"
_ASSIGNMENT = re.compile(r"(?P<title>.*)\s\((?P<id>\d+)\)", re.DOTALL)
_COMPUTED = re.compile(r"(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)")
"""What Canvas takes for no assignment, whatever stands around it."""
_NO_STUDENT = re.compile(r"\s*(?:Muted|Manual Posting.*)?\s*", re.IGNORECASE)
_SO_FAR = "so far"


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """Where the file says who somebody is."""

    names: tuple[int, ...]
    """One column, or last name and first name."""
    id: int
    others: tuple[int, ...]
    """SIS user id and login."""


def canvas(grades: Grades, *, wish: Wish) -> Export:
    """The gradebook with the column filled, every other cell byte for byte as it was.

    Raises:
        UsageError: there is no file, it is no gradebook of Canvas, or no column can be filled.
    """
    if wish.into is None:
        raise UsageError("canvas: say which gradebook to fill: --into FILE, downloaded from Canvas")
    sheet = read_sheet(wish.into.data, name=wish.into.name)
    people = _people(sheet, name=wish.into.name)
    column = _column(sheet, wish=wish, rubric=grades.rubric)
    header = sheet.header[column]
    records = [place for place in range(1, len(sheet.records)) if _is_student(sheet, place)]
    possible = _points_possible(sheet, column, header=header)
    filling, matches = fill(
        sheet,
        standings=standings(grades.results),
        rows=[_row(sheet, place, people=people) for place in records],
        column=Column(place=column, kept=lambda place: _kept(sheet.value(place, column))),
        system=SYSTEM,
        so_far=wish.so_far,
    )
    notes = (*_notes(possible, rubric=grades.rubric), *alone(matches))
    return Export(
        files={f"filled-{wish.into.name}": sheet.filled(filling.changes).encoded()},
        done=counted(filling, header=header),
        waiting=tuple(filling.waiting),
        left=tuple(filling.left),
        notes=notes,
    )


def _people(sheet: Sheet, *, name: str) -> _People:
    """The columns that say who somebody is.

    Raises:
        UsageError: the header is none that Canvas takes.
    """
    header = sheet.header
    two = header[:2] == ("LastName", "FirstName")
    first = 2 if two else 1
    known = two or "Student" in header[0]
    if not known or len(header) < first + 3 or "ID" not in header[first]:
        raise UsageError(
            f"{name}: is no gradebook of Canvas: it begins with {', '.join(header[:3])!r}, "
            "not with Student, ID. Download it from Grades, Export, Export Entire Gradebook"
        )
    until = next((i for i, word in enumerate(header) if word.strip() == "Section"), first + 1)
    others = [i for i in range(first + 1, until) if re.search(r"SIS\s+(?:User|Login)", header[i])]
    return _People(names=(0, 1) if two else (0,), id=first, others=tuple(others))


def _column(sheet: Sheet, *, wish: Wish, rubric: Rubric) -> int:
    """The column to fill.

    Raises:
        UsageError: none fits, several do, or it would be mistaken for final grades.
    """
    found = {
        place: (title["title"].strip(), title["id"])
        for place, header in enumerate(sheet.header)
        if (title := _ASSIGNMENT.fullmatch(header)) and not _COMPUTED.search(header)
    }
    wanted = wish.column.strip()
    fits = [
        place
        for place, (title, number) in found.items()
        if (
            wanted in (sheet.header[place].strip(), title, number)
            if wanted
            else plain(title) in (plain(rubric.title), plain(rubric.id))
        )
    ]
    if len(fits) != 1:
        listed = "\n".join(f"  {sheet.header[place]}" for place in found) or "  (none)"
        asked = repr(wanted) if wanted else repr(rubric.title)
        why = "several columns are" if fits else "no column of an assignment is"
        raise UsageError(f"{why} called {asked}; name one with --column:\n{listed}")
    if wish.so_far and _SO_FAR not in plain(sheet.header[fits[0]]):
        raise UsageError(
            f"--so-far puts numbers that are not final into {sheet.header[fits[0]]!r}, and nobody "
            "could tell. Make an assignment in Canvas whose name has 'so far' in it, that doesn't "
            "count towards the final grade, and name its column with --column"
        )
    return fits[0]


def _is_student(sheet: Sheet, place: int) -> bool:
    """Whether Canvas would take the record for a student's."""
    values = sheet.values(place)
    return "Points Possible" not in values[0] and not all(map(_NO_STUDENT.fullmatch, values))


def _row(sheet: Sheet, place: int, *, people: _People) -> Row:
    names = [sheet.value(place, column).strip() for column in people.names]
    ids = (plain(sheet.value(place, column)) for column in people.others)
    return Row(
        place=place,
        name=", ".join(filter(None, names)),
        lms=sheet.value(place, people.id).strip(),
        ids=frozenset(filter(None, ids)),
    )


def _kept(value: str) -> str:
    """Why a cell stays: whoever is excused or was not given the work has no points to get."""
    word = value.strip().upper()
    if word == "EX":
        return "is excused there: the cell stays EX"
    return "was not given this assignment there: the cell stays N/A" if word == "N/A" else ""


def _points_possible(sheet: Sheet, column: int, *, header: str) -> str:
    """What the file says that the assignment is worth; '' where it doesn't say.

    Raises:
        UsageError: it says that the column is not to be written.
    """
    for place in range(1, len(sheet.records)):
        if "Points Possible" in sheet.value(place, 0):
            told = sheet.value(place, column).strip()
            if re.search(r"read\s+only", told):
                raise UsageError(f"the column {header!r} is read only in Canvas")
            return told
    return ""


def _notes(possible: str, *, rubric: Rubric) -> Iterator[str]:
    try:
        there = float(possible.replace(",", "."))
    except ValueError:
        return
    if there != float(rubric.total):
        yield (
            f"Canvas counts this assignment out of {possible}, the rubric out of "
            f"{rounded(rubric.total)}: points were written as they are"
        )
