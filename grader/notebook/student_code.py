"""Finds a student's own code by the names it defines, without running it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from grader.model import Cell, Excerpt, Notebook

_MAX_PARSED = 100_000
_MAX_BRACES = 2_000
"""Python reads an f-string in time that grows with the square of its fields."""
_MAX_SEARCHED = 100_000
_MAX_LINE = 400
_CACHE_SIZE = 4_000
"""Cells whose names are cached: more than the largest notebook has, since every check asks for the
names of all of its cells."""
_LINE_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED_MAGIC = re.compile(r"^([\w.,\s]+=\s*)[!%].*$")
_CELL_MAGIC = re.compile(r"^\s*%%(\w+)")
_PYTHON_CELL_MAGICS = frozenset({"capture", "prun", "time", "timeit"})
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SCOPE_NODES: frozenset[type[ast.AST]] = frozenset((*_Scope.__args__, *_Comprehension.__args__))
"""Nodes whose parts may bind names in another scope than the node does."""
_BINDING_NODES: frozenset[type[ast.AST]] = frozenset(
    {
        ast.Name,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.alias,
        ast.ExceptHandler,
        ast.MatchAs,
        ast.MatchStar,
        ast.MatchMapping,
    }
)
"""Nodes that may bind a name: the few that `_bound_name` has to inspect."""


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
        if _binds_any(cell, names=name_set, inner=True)
    )


def assigning_cells(notebook: Notebook, name: str) -> tuple[int, ...]:
    """Return the indexes of the cells that bind a name in the notebook's own namespace."""
    name_set = frozenset({name})
    return tuple(
        cell.index
        for cell in notebook.code_cells()
        if _binds_any(cell, names=name_set, inner=False)
    )


def is_blank(cell: Cell) -> bool:
    """Tell whether a code cell is empty or holds only comments; magics are not blank."""
    lines = (line.strip() for line in cell.source.splitlines())
    return all(not line or line.startswith("#") for line in lines)


def parse_source(source: str) -> ast.Module | None:
    """Return the syntax tree of a cell with IPython's own lines replaced, or None if not Python."""
    tree = _parse_python(source)
    return tree if tree is not None else _parse_python(_replace_magics(source))


def _parse_python(source: str) -> ast.Module | None:
    if len(source) > _MAX_PARSED or source.count("{") > _MAX_BRACES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a student's '\d' is no concern here
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundNames:
    """The names that a cell binds: in the notebook's namespace, and at any depth."""

    outer: frozenset[str]
    inner: frozenset[str]


def _binds_any(cell: Cell, *, names: frozenset[str], inner: bool) -> bool:
    """Tell whether a cell binds any of the names; `inner` includes functions and classes."""
    bound = _cached_bound_names(cell.source)
    if bound is None:
        return any(_seems_to_bind(cell.source, name=name) for name in names)
    return not names.isdisjoint(bound.inner if inner else bound.outer)


def _bound_names(source: str) -> BoundNames | None:
    """Return the names that a source binds, or None where it is not Python."""
    tree = parse_source(source)
    if tree is None:
        return None
    outer: set[str] = set()
    inner: set[str] = set()
    stack: list[tuple[ast.AST, str]] = [(tree, "notebook")]
    while stack:
        node, scope = stack.pop()
        if type(node) in _BINDING_NODES and (name := _bound_name(node)):
            inner.add(name)
            if scope == "notebook":
                outer.add(name)
        elif scope == "local" and isinstance(node, ast.Global):
            outer.update(node.names)
        children = _children(node)
        if type(node) in _SCOPE_NODES:
            decorator_ids = {id(part) for part in getattr(node, "decorator_list", ())}
            stack += [
                (child, scope if id(child) in decorator_ids else _inner_scope(node, scope))
                for child in children
            ]
            outer.update(_walrus_names(node) if scope != "nobody" else ())
        else:
            stack += [(child, scope) for child in children]
    return BoundNames(outer=frozenset(outer), inner=frozenset(inner))


def _children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes right below, without operators and constants, which hold no names."""
    if isinstance(node, ast.Name):
        return []
    children: list[ast.AST] = []
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            children += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST) and value._fields:
            children.append(value)
    return [part for part in children if type(part) is not ast.Constant]


def _inner_scope(node: ast.AST, scope: str) -> str:
    """Return whose names the parts of a node bind: 'notebook', 'local', or 'nobody' for later code.

    Decorators of a def or class belong to the scope around it.
    """
    if scope == "nobody" or isinstance(node, _Comprehension):
        return "nobody"
    return "local" if isinstance(node, _Scope) else scope


# Most cells of a class are the handout's, word for word, and every check asks for its names.
_cached_bound_names = lru_cache(maxsize=_CACHE_SIZE)(_bound_names)


def _bound_name(node: ast.AST) -> str | None:
    """Return the name that this node itself binds, if any, its children aside."""
    match node:
        case ast.Name(id=name):
            return name if isinstance(node.ctx, ast.Store) else None
        case ast.alias(name=name, asname=asname):
            return asname or name.partition(".")[0]
        case ast.MatchMapping(rest=name):
            return name
        case _:
            named: str | None = getattr(node, "name", None)
            return named


def _walrus_names(node: ast.AST) -> Iterable[str]:
    """Yield the names that := binds inside a comprehension, whose own targets stay inside."""
    for inner in ast.walk(node) if isinstance(node, _Comprehension) else ():
        if isinstance(inner, ast.NamedExpr):
            yield inner.target.id


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
