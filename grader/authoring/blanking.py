"""Makes what students get of a solved notebook: solutions cut out, blanks in their place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.authoring.editable_notebook import Book, BookCell
from grader.errors import RubricError

BLANK = "#FILLME"
_MARK = re.compile(
    r"^\s*(?:\#{1,3}|<!--)\s*(?P<edge>BEGIN|END)\s+(?P<kind>SOLUTION|HIDDEN TESTS)\b"
    r"(?P<rest>.*?)(?:-->)?\s*$"
)
_GIVEN_COMMENT = re.compile(r"\s*#.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Lines of a cell that students don't get."""

    first: int
    last: int
    """Places of its marks, from 0; what is cut lies between."""
    items: tuple[str, ...] = ()
    """Items that its begin mark names: `### BEGIN SOLUTION Q2.3.1`."""
    hidden: bool = False
    """Whether it is a hidden test, which leaves no blank."""


def regions(cell: BookCell) -> tuple[Region, ...]:
    """The marked regions of a cell.

    Raises:
        RubricError: a mark has no partner.
    """
    found: list[Region] = []
    begun: tuple[int, str, tuple[str, ...]] | None = None
    for place, line in enumerate(cell.source.split("\n")):
        mark = _MARK.match(line)
        if mark is None:
            continue
        if (mark["edge"] == "BEGIN") != (begun is None) or (begun and begun[1] != mark["kind"]):
            raise RubricError(f"cell {cell.id}, line {place + 1}: {line.strip()} has no partner")
        if begun is None:
            begun = place, mark["kind"], tuple(mark["rest"].replace(",", " ").split())
            continue
        first, kind, items = begun
        found.append(Region(first=first, last=place, items=items, hidden=kind != "SOLUTION"))
        begun = None
    if begun is not None:
        raise RubricError(f"cell {cell.id}, line {begun[0] + 1}: BEGIN {begun[1]} has no END")
    return tuple(found)


def template(book: Book) -> Book:
    """The notebook as students receive it: nothing solved, nothing run.

    Raises:
        RubricError: a mark has no partner.
    """
    cells = (
        replace(cell, source=blanked(cell), tags=(), outputs=())
        for cell in book.cells
        if not cell.hidden
    )
    kept = (cell for cell in cells if cell.source.strip() or cell.attachments)
    return replace(book, cells=tuple(kept))


def blanked(cell: BookCell) -> str:
    """A cell's source with a blank for each solution, and without hidden tests.

    A solution of assignments (`name = …  # comment`) becomes a blank for each of them that keeps
    the name and the comment; a `return` keeps its word; anything else becomes one blank line.
    """
    lines = cell.source.split("\n")
    shown: list[str] = []
    begin = 0
    for region in regions(cell):
        shown += lines[begin : region.first]
        if not region.hidden and cell.kind == "code":
            shown += _blanks(lines[region.first + 1 : region.last])
        begin = region.last + 1
    return "\n".join([*shown, *lines[begin:]])


def cut(book: Book) -> Iterator[tuple[BookCell, int, str]]:
    """The lines that students don't get: the cell, the line's place from 1, the line."""
    for cell in book.cells:
        lines = cell.source.split("\n")
        if cell.hidden:
            yield from ((cell, place, line) for place, line in enumerate(lines, start=1))
            continue
        for region in regions(cell):
            for place in range(region.first + 1, region.last):
                yield cell, place + 1, lines[place]


def _blanks(lines: list[str]) -> list[str]:
    indent = next((re.match(r"\s*", line)[0] for line in lines if line.strip()), "")  # type: ignore[index]
    inner = [line.removeprefix(indent) for line in lines]
    try:
        body = ast.parse("\n".join(inner)).body
    except SyntaxError:  # a `return` alone parses; what doesn't is a part of a statement
        return [indent + BLANK]
    kept = [_blank_of(statement, inner) for statement in body]
    if not kept or "" in kept:
        return [indent + BLANK]
    return [indent + line for line in kept]


def _blank_of(statement: ast.stmt, lines: list[str]) -> str:
    """A statement's blank, or '' where it would give its form away."""
    last = lines[(statement.end_lineno or statement.lineno) - 1]
    rest = last.encode()[statement.end_col_offset or 0 :].decode()
    comment = rest.strip() if _GIVEN_COMMENT.fullmatch(rest) else ""
    shown = f"{BLANK}  {comment}".rstrip()
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return f"{name} = {shown}"
        case ast.Return(value=ast.expr()):
            return f"return {shown}"
        case _:
            return ""
