"""Fills the grade column of a file that a learning management system wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from grader.exports.csv_file import Sheet
from grader.exports.export import Line
from grader.exports.row_matching import Matches, Row, match
from grader.exports.student_grades import Standing, two_decimals

_NUMBER = re.compile(r"\s*[-+]?[0-9]+(?:[.,][0-9]*)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The column, and what is true of its cells."""

    place: int
    kept: Callable[[int], str] = lambda _: ""
    """Why the cell of a record must stay as it is; '' if it need not."""
    comma: bool = False
    """Whether its numbers have a comma where others have a point."""
    most: float | None = None
    """The largest number that is taken."""


@dataclass(slots=True, kw_only=True)
class Filling:
    """Cells to be written, as they come together."""

    changes: dict[tuple[int, int], str] = field(default_factory=dict)
    given: dict[int, Standing] = field(default_factory=dict)
    """Who got a number, by record."""
    replaced: int = 0
    """How many cells said another number before."""
    waiting: list[Line] = field(default_factory=list)
    left: list[Line] = field(default_factory=list)


def fill(
    sheet: Sheet,
    *,
    standings: Sequence[Standing],
    rows: Sequence[Row],
    column: Column,
    system: str,
    so_far: bool,
) -> tuple[Filling, Matches]:
    """Decide what every cell of the column becomes.

    A final number, with two decimals, for who has one. Who waits for marks gets an empty cell,
    whatever stood there, so that no 0 and no number of yesterday is taken for theirs; `so_far`
    gives them what they have. Who could not be graded or was not found is left alone and listed.
    """
    matches = match(standings, rows=rows, system=system)
    filling = Filling(left=list(matches.left))
    for place, standing in sorted(matches.by_place.items()):
        _decide(filling, sheet, place, standing=standing, column=column, so_far=so_far)
    return filling, matches


def _decide(
    filling: Filling,
    sheet: Sheet,
    place: int,
    *,
    standing: Standing,
    column: Column,
    so_far: bool,
) -> None:
    before = sheet.value(place, column.place)
    kept = column.kept(place) if sheet.has(place, column.place) else "the row is too short"
    points = standing.so_far if so_far and standing.final is None else standing.final
    if kept or standing.reason:
        filling.left.append(Line(who=standing.who, why=kept or f"{standing.waits}"))
        return
    if column.most is not None and points is not None and points > column.most:
        why = f"{two_decimals(points)} is more than the {column.most:g} that are possible there"
        filling.left.append(Line(who=standing.who, why=why))
        return
    if standing.final is None:
        was = f" (the cell said {before.strip()})" if before.strip() and not so_far else ""
        filling.waiting.append(Line(who=standing.who, why=standing.waits + was))
    written = "" if points is None else two_decimals(points)
    written = written.replace(".", ",") if column.comma else written
    if points is not None:
        filling.given[place] = standing
        filling.replaced += _differs(before, written)
    if before != written:
        filling.changes[place, column.place] = written


def _differs(before: str, after: str) -> bool:
    """Whether a cell said something, and something else."""
    if not before.strip():
        return False
    if not _NUMBER.fullmatch(before):
        return True
    return round(float(before.replace(",", ".")), 2) != float(after.replace(",", "."))


def counted(filling: Filling, *, header: str) -> str:
    """What was done, as a sentence."""
    given = len(filling.given)
    return (
        f"{given} {'number' if given == 1 else 'numbers'} in the column {header!r}"
        f", {filling.replaced} in the place of another"
    )


def alone(matches: Matches) -> tuple[str, ...]:
    """A note on rows that are nobody's of ours."""
    names = [row.name or row.lms for row in matches.alone]
    told = f"In the file, but not among the submissions ({len(names)}): {'; '.join(names)}"
    return (told,) if names else ()
