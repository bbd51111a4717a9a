"""Tells the code that the handout gave, cell by cell, from a student's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from grader.model import Cell
from grader.notebook.handout import code_key, given_source

GivenCode = Mapping[str, tuple[str, ...]]
"""By item, the keys of the code cells given below its prompt; '' for those below no prompt."""

_OPEN_BLANK = re.compile(r"(?:.*=|return)?(?:None|\.{3}|pass)?|raiseNotImplementedError(?:\(.*\))?")
"""Matches a line of code, without spaces and comment, that is still to be filled."""


def find_given_code(cells: Iterable[tuple[str, Cell]]) -> GivenCode:
    """Return the code that a reference gives; none where no comment or tag marks its solutions.

    Args:
        cells: Its code cells, each with the item whose prompt stands above it, or ''.
    """
    given: dict[str, tuple[str, ...]] = {}
    is_marked = False
    for item, cell in cells:
        source = given_source(cell)
        is_marked = is_marked or source != cell.source or "solution" in cell.tags
        if "solution" not in cell.tags:
            given[item] = (*given.get(item, ()), cell_key(source))
    return given if is_marked else {}


def cell_key(source: str) -> str:
    """Return a cell's code without spaces, comments and open blanks."""
    lines = map(code_key, source.splitlines())
    return "\n".join(line for line in lines if line and not _OPEN_BLANK.fullmatch(line))


def is_written_code(cell: Cell, *, given: Iterable[str]) -> bool:
    """Return whether a code cell has code beyond what was given, or that the handout lacks."""
    key = cell_key(cell.source)
    return bool(key) and key not in given
