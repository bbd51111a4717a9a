"""Makes the template for students from a solved notebook, with blanks for solutions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.authoring.editable_notebook import EditableCell, EditableNotebook
from grader.errors import RubricError
from grader.model import DEFAULT_BLANK

TODO = "your code here"
"""The comment of a blank whose solution had none."""
_EDGE_LINE = re.compile(
    r"^\s*(?:\#+|<!--)\s*(?P<edge>BEGIN|END)\s+(?P<kind>SOLUTION|HIDDEN TESTS)\b"
    r"(?P<rest>.*?)(?:-->)?\s*$"
)
_OTHER_MARK = re.compile(
    r"\b(?i:BEGIN|END)[\s_-]+(?i:SOLUTIONS?|HIDDEN[\s_-]+TESTS?|MARK[\s_-]+SCHEME)\b"
    r"|\b(?:BEGIN|END) (?:PROMPT|TESTS|QUESTION)\b|\# ?SOLUTION\b"
)
"""What else marks a solution for people, for nbgrader or for otter-grader."""
_COMMENT_ONLY = re.compile(r"\s*#.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Lines of a cell that students don't get."""

    first: int
    last: int
    """Indices of the lines BEGIN and END, from 0; the lines between them are cut."""
    items: tuple[str, ...] = ()
    """Items that the line BEGIN names: `### BEGIN SOLUTION Q2.3.1`."""
    hidden: bool = False
    """Whether it is a hidden test, which leaves no blank."""


def find_regions(cell: EditableCell) -> tuple[Region, ...]:
    """Return the regions of a cell between BEGIN and END.

    Raises:
        RubricError: One of the two lines has no partner, or a line looks like one and is none.
    """
    regions: list[Region] = []
    begin: tuple[int, re.Match[str]] | None = None
    for index, line in enumerate(cell.source.split("\n")):
        edge = _EDGE_LINE.match(line)
        if edge is None:
            _refuse_other_mark(cell, line, number=index + 1)
            continue
        if begin is None and edge["edge"] == "BEGIN":
            begin = index, edge
        elif begin is not None and (edge["edge"], edge["kind"]) == ("END", begin[1]["kind"]):
            items = tuple(begin[1]["rest"].replace(",", " ").split())
            hidden = edge["kind"] != "SOLUTION"
            regions.append(Region(first=begin[0], last=index, items=items, hidden=hidden))
            begin = None
        else:
            raise RubricError(f"cell {cell.id}, line {index + 1}: {line.strip()} has no partner")
    if begin is not None:
        kind = begin[1]["kind"]
        raise RubricError(f"cell {cell.id}, line {begin[0] + 1}: BEGIN {kind} has no END")
    return tuple(regions)


def _refuse_other_mark(cell: EditableCell, line: str, *, number: int) -> None:
    if cell.hidden or not _OTHER_MARK.search(line):
        return
    raise RubricError(
        f"cell {cell.id}, line {number}: {line.strip()[:100]!r} cuts nothing out: students would "
        "get what it marks. Write ### BEGIN SOLUTION and ### END SOLUTION, each on a line of its "
        "own, or say it in other words."
    )


def make_template(notebook: EditableNotebook, *, blank: str = DEFAULT_BLANK) -> EditableNotebook:
    """Return the notebook for students: without solutions and outputs.

    Raises:
        RubricError: A line BEGIN or END has no partner, or looks like one and is none.
    """
    cells = [
        replace(cell, source=blanked_source(cell, blank=blank), tags=(), outputs=())
        for cell in notebook.cells
        if not cell.hidden
    ]
    cells = [cell for cell in cells if cell.source.strip() or cell.attachments]
    return replace(notebook, cells=tuple(cells))


def blanked_source(cell: EditableCell, *, blank: str = DEFAULT_BLANK) -> str:
    """Return a cell's source with a blank for each solution, and without hidden tests.

    A solution of assignments (`name = …  # comment`) becomes a blank for each of them that keeps
    the name and the comment; a `return` keeps its word; anything else becomes one blank line, and
    so does everything where the blank is a statement (`raise NotImplementedError`).
    """
    lines = cell.source.split("\n")
    output_lines: list[str] = []
    next_line = 0
    for region in find_regions(cell):
        output_lines += lines[next_line : region.first]
        if not region.hidden and cell.kind == "code":
            output_lines += _blanks(lines[region.first + 1 : region.last], blank=blank)
        next_line = region.last + 1
    return "\n".join([*output_lines, *lines[next_line:]])


def withheld_lines(notebook: EditableNotebook) -> Iterator[tuple[EditableCell, int, str]]:
    """Yield the lines that students don't get: the cell, the line's number from 1, the line."""
    for cell in notebook.cells:
        lines = cell.source.split("\n")
        withheld = (
            [range(len(lines))]
            if cell.hidden
            else [range(region.first + 1, region.last) for region in find_regions(cell)]
        )
        yield from ((cell, index + 1, lines[index]) for indices in withheld for index in indices)


def _blanks(lines: list[str], *, blank: str) -> list[str]:
    is_expression = _is_expression(blank)
    whole = f"{blank}  # {TODO}" if is_expression else blank
    indent = next((re.match(r"\s*", line)[0] for line in lines if line.strip()), "")  # type: ignore[index]
    inner = [line.removeprefix(indent) for line in lines]
    try:
        body = ast.parse("\n".join(inner)).body
    except SyntaxError:  # only part of a statement
        return [indent + whole]
    if not (is_expression or blank.startswith("#")):  # a statement stands for all
        return [indent + whole]
    blanks = [_blank_for(statement, inner, blank=blank) for statement in body]
    if not blanks or "" in blanks:
        return [indent + whole]
    return [indent + line for line in blanks]


def _is_expression(blank: str) -> bool:
    return any(isinstance(statement, ast.Expr) for statement in ast.parse(blank).body)


def _blank_for(statement: ast.stmt, lines: list[str], *, blank: str) -> str:
    """Return a statement's blank, or '' if it would reveal the statement's form."""
    last = lines[(statement.end_lineno or statement.lineno) - 1]
    behind = last.encode()[statement.end_col_offset or 0 :].decode()
    comment = behind.strip() if _COMMENT_ONLY.fullmatch(behind) else ""
    if not comment and not blank.startswith("#"):
        comment = f"# {TODO}"
    rest = f"{blank}  {comment}".rstrip()
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return f"{name} = {rest}"
        case ast.Return(value=ast.expr()):
            return f"return {rest}"
        case _:
            return ""
