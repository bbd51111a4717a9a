"""Reads what code of a cell needs and binds, by its syntax: nothing is run."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

REMOTE_MODULES = frozenset(
    [
        *("IPython", "builtins", "contextlib", "glob", "importlib", "inspect", "io", "matplotlib"),
        *("os", "pathlib", "random", "seaborn", "shutil", "sqlite3", "subprocess", "sys"),
        *("tempfile", "time", "warnings"),
    ]
)
"""Modules with state of the process, or that look at its objects: a test uses the notebook's."""
COMPUTING_MODULES = frozenset(
    [
        *("array", "base64", "bisect", "calendar", "cmath", "collections", "copy", "csv"),
        *(
            "dataclasses",
            "datetime",
            "decimal",
            "enum",
            "fractions",
            "functools",
            "hashlib",
            "heapq",
        ),
        *(
            "itertools",
            "json",
            "math",
            "networkx",
            "nose",
            "numbers",
            "numpy",
            "operator",
            "pandas",
        ),
        *(
            "polars",
            "pytest",
            "re",
            "scipy",
            "sklearn",
            "statistics",
            "string",
            "sympy",
            "textwrap",
        ),
        *("torch", "typing", "unittest", "uuid"),
    ]
)
"""Modules whose functions only compute: a test uses its own, which no student can change."""
MOCK = "unittest.mock"
"""The part of unittest that is the notebook's: it replaces objects there."""
REMOTE_BUILTINS = frozenset({"open", "input", "display", "get_ipython"})
"""Builtins that touch the notebook's files, its input and its session."""
SCOPE_BUILTINS = frozenset({"globals", "locals", "vars", "dir", "exec", "eval", "__import__"})
"""Builtins that see all names of a cell."""
_ASSERTS = re.compile(r"(?:assert|fail)", re.IGNORECASE)
_HARMLESS_MAGIC = re.compile(r"^\s*%{1,2}(?:matplotlib|config|autoreload|load_ext|time|timeit)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeNames:
    """The names of one piece of code, at the top level of a cell."""

    bound: frozenset[str]
    """What it sets, imports, defines or deletes."""
    read: frozenset[str]
    """What it reads, in its functions, too, but for what these bind themselves."""
    declared: frozenset[str]
    """What its functions declare `global`."""


def read_names(source: str) -> CodeNames:
    """Return the names of a cell's code.

    Raises:
        SyntaxError: It is no Python.
    """
    table = symtable.symtable(source, "cell", "exec")
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    read = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    declared: set[str] = set()
    for child in _descendants(table):
        for symbol in child.get_symbols():
            if symbol.is_declared_global():
                declared.add(symbol.get_name())
                bound |= {symbol.get_name()} if symbol.is_assigned() else set()
            if symbol.is_global() and symbol.is_referenced():
                read.add(symbol.get_name())
    return CodeNames(bound=frozenset(bound), read=frozenset(read), declared=frozenset(declared))


def changed_names(statement: ast.stmt) -> frozenset[str]:
    """Return the names whose objects a statement may change in place: `b.add(1)`, `d["x"] = 2`.

    A statement that asserts something changes nothing: a test must not fail by another's assertion.
    """
    if any(isinstance(node, ast.Assert) for node in ast.walk(statement)):
        return frozenset()
    roots: set[str] = set()
    for node in ast.walk(statement):
        is_written = isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(
            node.ctx, ast.Load
        )
        if is_written:
            roots.add(root_name(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Attribute) and not _ASSERTS.match(function.attr):
                roots.add(root_name(function))
    return frozenset(roots - {""})


def root_name(node: ast.AST) -> str:
    """Return the name that a chain of attributes, items and calls begins with, or ''."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _descendants(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _descendants(child)


def parse_cell(source: str) -> ast.Module | None:
    """Return the tree of a cell's code without its magics, or None where it is no Python."""
    try:
        return ast.parse(without_magics(source))
    except (SyntaxError, ValueError):
        return None


def without_magics(source: str) -> str:
    """Return code with lines of IPython's own made comments."""
    lines = source.split("\n")
    return "\n".join(
        re.sub(r"\S", lambda sign: f"# {sign[0]}", line, count=1)
        if re.match(r"\s*(?:%|!)", line)
        else line
        for line in lines
    )


def find_magic(source: str) -> str:
    """Return the first line of IPython's own that does something, or ''."""
    for line in source.split("\n"):
        if re.match(r"\s*(?:%|!)", line) and not _HARMLESS_MAGIC.match(line):
            return line.strip()
    return ""


def imported_modules(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.Import | ast.ImportFrom]]:
    """Yield the first part of each module that code imports, with its statement."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _known_as(alias.name), node
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            mocks = any(name.startswith(MOCK) for name in names)
            yield ("." if node.level else MOCK if mocks else _known_as(node.module or "")), node


def _known_as(module: str) -> str:
    """Return the package of a module; what replaces the notebook's objects is told apart."""
    return MOCK if module.startswith(MOCK) else module.partition(".")[0]


def import_lines(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Yield each name that an import binds, with an import of that name alone."""
    for alias in node.names:
        part = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        if isinstance(node, ast.Import):
            yield alias.asname or alias.name.partition(".")[0], f"import {part}"
        elif alias.name != "*":
            yield alias.asname or alias.name, f"from {node.module} import {part}"


def is_computing(module: str) -> bool:
    """Return whether a module is taken from the test's own side."""
    return module in COMPUTING_MODULES


def is_builtin(name: str) -> bool:
    """Return whether a name is one of Python's own that a test takes from its own side."""
    return hasattr(builtins, name) and name not in REMOTE_BUILTINS


def indent_code(source: str, indent: str = "    ") -> str:
    """Return code one step to the right, but for lines within texts, which would change."""
    inside = _lines_in_texts(source)
    return "\n".join(
        line if number in inside or not line.strip() else indent + line
        for number, line in enumerate(source.split("\n"), 1)
    )


def outdent_code(source: str, *, first: int, last: int) -> str:
    """Return the lines of code below one, to another, at its left edge; those in texts stay."""
    inside = _lines_in_texts(source)
    lines = list(enumerate(source.split("\n"), 1))[first:last]
    code = [line for number, line in lines if number not in inside and line.strip()]
    width = min((len(line) - len(line.lstrip()) for line in code), default=0)
    return "\n".join(line if number in inside else line[width:] for number, line in lines)


def _lines_in_texts(source: str) -> set[int]:
    """Return the numbers of the lines that begin within a text."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.Constant, ast.JoinedStr)) or node.end_lineno is None:
            continue
        if isinstance(node, ast.JoinedStr) or isinstance(node.value, (str, bytes)):
            inside |= set(range(node.lineno + 1, node.end_lineno + 1))
    return inside
