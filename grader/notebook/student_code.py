"""Finds a student's own code by the names it defines, without running it."""

from __future__ import annotations

import ast
import re
import symtable
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

from grader.model import Cell, Excerpt, Notebook

_Parsed = TypeVar("_Parsed")

_MAX_PARSED = 100_000
_MAX_BRACES = 2_000
"""The most braces that are parsed: an f-string takes time quadratic in the number of its fields."""
_MAX_SEARCHED = 100_000
_MAX_LINE = 400
_CACHE_SIZE = 4_000
"""Number of cells whose names are cached: more than the largest notebook has, since every check
looks at all of its cells."""
_LINE_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED_MAGIC = re.compile(r"^([\w.,\s]+=\s*)[!%].*$")
_CELL_MAGIC = re.compile(r"^\s*%%(\w+)")
_PYTHON_CELL_MAGICS = frozenset({"capture", "prun", "time", "timeit"})
_DELETION = re.compile(r"^(\s*)del[ \t]+[\w \t,]+$", re.MULTILINE)


def find_definitions(notebook: Notebook, names: Iterable[str]) -> tuple[Excerpt, ...]:
    """Return the code cells that bind any of these names at any depth, in the notebook's order.

    Args:
        notebook: The notebook.
        names: Names of variables, functions, methods, classes or modules.
    """
    name_set = frozenset(names)
    return tuple(
        Excerpt(cell=cell.index, source=cell.source)
        for cell in notebook.code_cells()
        if _binds_any(cell, names=name_set, at_any_depth=True)
    )


def assigning_cells(notebook: Notebook, name: str) -> tuple[int, ...]:
    """Return the indexes of the cells that bind a name in the notebook's own namespace."""
    name_set = frozenset({name})
    return tuple(
        cell.index
        for cell in notebook.code_cells()
        if _binds_any(cell, names=name_set, at_any_depth=False)
    )


def is_blank(cell: Cell) -> bool:
    """Return whether a code cell is empty or holds only comments; magics are not blank."""
    lines = (line.strip() for line in cell.source.splitlines())
    return all(not line or line.startswith("#") for line in lines)


def jupyter_numbers(cells: Iterable[Cell]) -> dict[int, int]:
    """Return what Jupyter shows as `In [n]` after code cells ran in order, by index.

    Empty cells are not counted, those with nothing but a comment are.
    """
    filled = (cell.index for cell in cells if cell.source.strip())
    return {index: number for number, index in enumerate(filled, start=1)}


def parse_source(source: str) -> ast.Module | None:
    """Return the syntax tree of a cell with IPython's own lines replaced, or None if not Python."""
    return _read_python(source, ast.parse)


def _read_python(source: str, parse: Callable[[str], _Parsed]) -> _Parsed | None:
    """Parse a cell as it is, else with IPython's own lines replaced."""
    if len(source) > _MAX_PARSED or source.count("{") > _MAX_BRACES:
        return None
    for python in (source, _replace_magics(source)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as for a student's '\d'
                return parse(python)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _replace_magics(source: str) -> str:
    """Replace magics and shell lines, keeping the number of lines."""
    lines = source.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    magic = _CELL_MAGIC.match(lines[first]) if lines else None
    if magic and magic[1] not in _PYTHON_CELL_MAGICS:
        return ""
    lines = [_ASSIGNED_MAGIC.sub(r"\1None", _LINE_MAGIC.sub(r"\1pass", line)) for line in lines]
    return "\n".join(lines)


def _binds_any(cell: Cell, *, names: frozenset[str], at_any_depth: bool) -> bool:
    bound = _bound_names(cell.source)
    if bound is None:
        return any(_seems_to_bind(cell.source, name=name) for name in names)
    return not names.isdisjoint(bound[at_any_depth])


# Most cells of a class are the handout's, word for word, and every check asks for their names.
@lru_cache(maxsize=_CACHE_SIZE)
def _bound_names(source: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return the names that a source binds: in the notebook's namespace, and at any depth.

    Returns None where it is not Python.
    """
    # A symbol table counts deleted names as bound, too.
    module = _read_python(
        _DELETION.sub(r"\1pass", source), lambda python: symtable.symtable(python, "<cell>", "exec")
    )
    if module is None:
        return None
    outer: set[str] = set()
    inner: set[str] = set()
    tables = [module]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            is_bound = symbol.is_assigned() or symbol.is_imported()
            if is_bound:
                inner.add(symbol.get_name())
            # `global x` in a function; `x :=` in a comprehension counts as global, too.
            if (is_bound and table is module) or symbol.is_declared_global():
                outer.add(symbol.get_name())
    return frozenset(outer), frozenset(inner)


@lru_cache(maxsize=_CACHE_SIZE)
def _seems_to_bind(source: str, *, name: str) -> bool:
    """Guess from patterns whether a cell that is not valid Python binds a name."""
    if name not in source:
        return False
    name_pattern = rf"(?<![\w.]){re.escape(name)}\b"
    patterns = (
        rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{name_pattern}",
        rf"^[^#=('\"\n]*{name_pattern}[^=('\"\n]*(?<![=!<>])=(?!=)",
        rf"^[ \t]*for[ \t][^\n]*?{name_pattern}[^\n]*[ \t]in[ \t]",
        rf"^[ \t]*(?:from[ \t][^\n]+)?import[ \t][^\n#]*{name_pattern}",
        rf"\bas\s+{name_pattern}",
        rf"{name_pattern}\s*:=",
    )
    text = "\n".join(line[:_MAX_LINE] for line in source[:_MAX_SEARCHED].splitlines())
    return any(re.search(pattern, text, re.MULTILINE) for pattern in patterns)
