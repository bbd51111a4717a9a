"""Fills the grading worksheet of a Moodle assignment, whatever language it was downloaded in.

The rules are those of Moodle's own code: `mod/assign/gradingtable.php` writes the worksheet and
`mod/assign/feedback/offline/` reads it. Headers are in the teacher's language, the order of columns
is always the same: the identifier first, and the grade right before the highest one there is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.errors import UsageError
from grader.exports.column_filling import Column, Filling, alone, counted, fill
from grader.exports.csv_file import Sheet, read_sheet
from grader.exports.export import Export, Grades, Line, Wish
from grader.exports.number_format import rounded
from grader.exports.row_matching import Row, plain
from grader.exports.student_grades import Standing, standings
from grader.model import Rubric

SYSTEM = "moodle"
_NAMED = 2
"""Columns before the grade where the worksheet is anonymous: identifier and status."""
_IDENTIFIER = re.compile(r"\D*?(?P<number>\d+)\s*")
"""'Participant 12345', 'Teilnehmer/in12345'."""
_POINTS = re.compile(r"\s*(?P<whole>\d+)(?:(?P<mark>[.,])(?P<part>\d*))?\s*")
_NO = frozenset(("no", "nein", "non", "não", "nee", "nie", "nej", "nei", "ne", "нет", "ні", "否"))
"""What 'Grade can be changed' says in a row that is locked, in some languages."""
_YES = frozenset(("yes", "ja", "oui", "sí", "si", "sì", "sim", "tak", "ano", "да", "так", "是"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which column is what."""

    grade: int
    most: int
    """What says the highest grade there is."""
    locked: int | None
    """What says whether the grade can be changed, if a language we know says it."""
    comments: int | None


def moodle(grades: Grades, *, wish: Wish) -> Export:
    """The worksheet with grades, and comments if they were asked for; the rest byte for byte.

    Raises:
        UsageError: there is no file, it is no worksheet, or its columns can't be told.
    """
    if wish.into is None:
        raise UsageError("moodle: say which worksheet to fill: --into FILE, downloaded from Moodle")
    if wish.so_far and not wish.comments:
        raise UsageError(
            "--so-far puts numbers that are not final into the grades, and nobody could tell. Name "
            "the column for comments with --comments, so that each says so"
        )
    sheet = read_sheet(wish.into.data, name=wish.into.name)
    records = participants(sheet, name=wish.into.name)
    layout = layout_of(sheet, records=records, wish=wish)
    highest = [sheet.value(place, layout.most) for place in records]
    filling, matches = fill(
        sheet,
        standings=standings(grades.results),
        rows=rows(sheet, records=records, until=layout.grade),
        column=Column(
            place=layout.grade,
            kept=lambda place: _kept(sheet, place, layout=layout),
            comma=any("," in value for value in highest),
            most=max(map(_number, highest)),
        ),
        system=SYSTEM,
        so_far=wish.so_far,
    )
    if layout.comments is not None:
        _comment(filling, sheet, layout=layout, column=layout.comments)
    header = sheet.header[layout.grade]
    return Export(
        files={f"filled-{wish.into.name}": sheet.filled(filling.changes).encoded()},
        done=counted(filling, header=header),
        waiting=tuple(filling.waiting),
        left=tuple(filling.left),
        notes=(*_notes(sheet, layout, highest, rubric=grades.rubric), *alone(matches)),
    )


def participants(sheet: Sheet, *, name: str) -> list[int]:
    """The records that are participants' rows.

    Raises:
        UsageError: there is none, or a row has no participant's number first.
    """
    found = [place for place in range(1, len(sheet.records)) if any(sheet.values(place))]
    if not found or not all(_IDENTIFIER.fullmatch(sheet.value(place, 0)) for place in found):
        raise UsageError(
            f"{name}: is no grading worksheet of Moodle: its first column is not 'Participant "
            "12345' in every row. Download it from the assignment, Submissions, Download grading "
            "worksheet"
        )
    return found


def rows(sheet: Sheet, *, records: Sequence[int], until: int) -> list[Row]:
    """Who each record is: every cell before the grade may be a name, an address or an id."""
    return [
        Row(
            place=place,
            name=sheet.value(place, 1).strip() if until > _NAMED else "",
            lms=_IDENTIFIER.sub(r"\g<number>", sheet.value(place, 0)),
            ids=frozenset(plain(sheet.value(place, i)) for i in range(2, until)) - {""},
        )
        for place in records
    ]


def layout_of(sheet: Sheet, *, records: Sequence[int], wish: Wish) -> Layout:
    """Which column is what.

    Raises:
        UsageError: the grade's column can't be told, or a named one is not there.
    """
    name = wish.into.name if wish.into else ""
    header = [word.strip() for word in sheet.header]
    if wish.column:
        grade = _named(header, wish.column, name=name)
        fits = [grade] if _is_most(sheet, grade + 1, records=records) else []
    else:
        fits = [
            place
            for place in range(1, len(header) - 1)
            if _is_most(sheet, place + 1, records=records)
            and all(_is_grade(sheet.value(record, place)) for record in records)
        ]
    if len(fits) != 1:
        raise UsageError(
            f"{name}: which column holds the grades can't be told: it is followed by one that has "
            "the highest grade in every row. Scales can't be filled. Otherwise name it with "
            f"--column: {', '.join(header)}"
        )
    (grade,) = fits
    answers = range(grade + 2, min(grade + 4, len(header)))  # a workflow state may stand between
    return Layout(
        grade=grade,
        most=grade + 1,
        locked=next((i for i in answers if _says_yes_or_no(sheet, i, records=records)), None),
        comments=_named(header, wish.comments, name=name) if wish.comments else None,
    )


def _named(header: Sequence[str], wanted: str, *, name: str) -> int:
    places = [i for i, word in enumerate(header) if plain(word) == plain(wanted)]
    if len(places) != 1:
        raise UsageError(f"{name}: no column is called {wanted!r}; there are {', '.join(header)}")
    return places[0]


def _is_most(sheet: Sheet, column: int, *, records: Sequence[int]) -> bool:
    """Whether it says one number above 0, the same in every row."""
    values = {sheet.value(record, column).strip() for record in records}
    return len(values) == 1 and all(_POINTS.fullmatch(v) and _number(v) > 0 for v in values)


def _is_grade(value: str) -> bool:
    return not value.strip() or _POINTS.fullmatch(value) is not None


def _says_yes_or_no(sheet: Sheet, column: int, *, records: Sequence[int]) -> bool:
    return all(plain(sheet.value(record, column)) in _NO | _YES for record in records)


def _number(value: str) -> float:
    return float(value.strip().replace(",", "."))


def _kept(sheet: Sheet, place: int, *, layout: Layout) -> str:
    if layout.locked is not None and plain(sheet.value(place, layout.locked)) in _NO:
        return "the grade is locked in Moodle"
    return ""


def _comment(filling: Filling, sheet: Sheet, *, layout: Layout, column: int) -> None:
    """A line for everyone who got a number, where nobody has written anything.

    A number that is not final stands nowhere without the line that says so.
    """
    for place, standing in list(filling.given.items()):
        if sheet.has(place, column) and not sheet.value(place, column).strip():
            filling.changes[place, column] = _said(standing)
        elif standing.final is None:
            why = "has a comment already; points so far need one that says so"
            filling.left.append(Line(who=standing.who, why=why))
            filling.changes[place, layout.grade] = ""
            del filling.given[place]


def _said(standing: Standing) -> str:
    possible = rounded(standing.possible or Fraction(0))
    if standing.final is None:
        return (
            f"So far, not final: {rounded(standing.so_far or Fraction(0))} of {possible} points; "
            f"{standing.waits}."
        )
    taken = standing.late.deduction if standing.late else None
    late = f", {rounded(taken)} of them taken off as it was late" if taken else ""
    return f"{rounded(standing.total or Fraction(0))} of {possible} points{late}."


def _notes(
    sheet: Sheet, layout: Layout, highest: Sequence[str], *, rubric: Rubric
) -> tuple[str, ...]:
    column, most = sheet.header[layout.grade], sheet.header[layout.most]
    notes = [f"The grades are the column {column!r}, before {most!r}"]
    if _number(highest[0]) != float(rubric.total):
        notes.append(
            f"Moodle counts this assignment out of {highest[0]}, the rubric out of "
            f"{rounded(rubric.total)}: points were written as they are"
        )
    return tuple(notes)
