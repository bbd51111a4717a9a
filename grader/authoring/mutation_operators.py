"""Small wrong changes to a cell of code, made on its syntax tree and spliced into its text."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from grader.notebook.student_code import parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of a cell: what was done, in words, on which line, and the cell it makes."""

    change: str
    line: int
    """From 1."""
    before: str
    after: str
    """The line, or the first that differs, without indentation."""
    source: str


Made = tuple[str, ast.AST, str]
"""What was done, the node that is replaced, and the text that stands in its place."""
Operator = Callable[[ast.AST, "_Cell"], Iterator[Made]]
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)
_ARITHMETIC: Final[Mapping[type[ast.operator], ast.operator]] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Div(),
    ast.Div: ast.Mult(),
    ast.FloorDiv: ast.Mult(),
    ast.MatMult: ast.Mult(),
    ast.Pow: ast.Mult(),
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], ast.cmpop]] = {
    ast.Lt: ast.GtE(),
    ast.LtE: ast.Gt(),
    ast.Gt: ast.LtE(),
    ast.GtE: ast.Lt(),
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
}


class _Cell:
    """A cell's text, its tree, and the modules it knows by name."""

    def __init__(self, source: str, tree: ast.Module, modules: frozenset[str]) -> None:
        self.source = source
        self.tree = tree
        self.modules = modules
        self.starts = [0]
        for line in source.encode().split(b"\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)

    def text(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.source.encode()[slice(*self._span(node))].decode()

    def spliced(self, node: ast.AST, text: str) -> str:
        """The cell with another text in a node's place."""
        begin, end = self._span(node)
        data = self.source.encode()
        return (data[:begin] + text.encode() + data[end:]).decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        first, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        last, end = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return self.starts[first - 1] + column, self.starts[last - 1] + end


def edits(source: str, *, modules: frozenset[str] = frozenset()) -> tuple[Edit, ...]:
    """Every change of a cell, each once, in the order of its lines; none where it is no Python.

    Args:
        source: the cell's source.
        modules: names that stand for modules, from imports of the whole notebook.
    """
    tree = parsed(source)
    if tree is None:
        return ()
    cell = _Cell(source, tree, modules)
    seen = {ast.dump(tree)}
    made = []
    for change, node, text in _all(cell):
        changed = cell.spliced(node, text)
        after = parsed(changed)
        if after is None or (dump := ast.dump(after)) in seen:
            continue
        seen.add(dump)
        made.append(_edit(change, source, changed))
    return tuple(sorted(made, key=lambda edit: edit.line))


def imported(source: str) -> frozenset[str]:
    """The names that a cell's imports bind to modules, as far as can be told."""
    tree = parsed(source)
    names = set()
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return frozenset(names)


def _edit(change: str, source: str, changed: str) -> Edit:
    old, new = source.split("\n"), changed.split("\n")
    pairs = enumerate(zip(old, new, strict=False))
    place = next((n for n, (one, other) in pairs if one != other), min(len(old), len(new)) - 1)
    return Edit(
        change=change,
        line=place + 1,
        before=old[place].strip(),
        after=new[place].strip(),
        source=changed,
    )


def _all(cell: _Cell) -> Iterator[Made]:
    waiting: list[ast.AST] = [cell.tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            continue  # before Python 3.12 the places of its parts are wrong
        for operator in OPERATORS:
            yield from operator(node, cell)
        waiting += ast.iter_child_nodes(node)


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
            yield body


def _may_go(statement: ast.stmt) -> bool:
    """Whether leaving a statement out can matter: no import, definition, text or print."""
    match statement:
        case ast.Expr(value=ast.Constant()) | ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return False
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef() | ast.Pass():
            return False
        case _:
            return True


def statement_left_out(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """Each statement as `pass`."""
    del cell
    for body in _bodies(node):
        yield from (("statement left out", one, "pass") for one in body if _may_go(one))


def statements_swapped(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """Two simple statements, one below the other, in the other order."""
    for body in _bodies(node):
        for one, other in pairwise(body):
            if all(isinstance(part, _SIMPLE) and _may_go(part) for part in (one, other)):
                yield "statements swapped", _both(one, other), _turned(one, other, cell)


def _both(one: ast.stmt, other: ast.stmt) -> ast.AST:
    """A node that reaches from the first to the end of the second."""
    return ast.Expr(
        value=ast.Constant(None),
        lineno=one.lineno,
        col_offset=one.col_offset,
        end_lineno=other.end_lineno,
        end_col_offset=other.end_col_offset,
    )


def _turned(one: ast.stmt, other: ast.stmt, cell: _Cell) -> str:
    whole = cell.text(_both(one, other))
    first, second = cell.text(one), cell.text(other)
    between = whole[len(first) : len(whole) - len(second)]
    return f"{second}{between}{first}"


def call_left_out(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """What a call works on, in the place of what it makes of it."""
    if not isinstance(node, ast.Call) or _is_super(node):
        return
    if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value, cell):
        yield "call left out", node, f"({cell.text(node.func.value)})"
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield "call left out", node, f"({cell.text(node.args[0])})"


def _is_super(node: ast.Call) -> bool:
    inner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    inner = inner.func if isinstance(inner, ast.Call) else inner
    return isinstance(inner, ast.Name) and inner.id == "super"


def _is_module(node: ast.AST, cell: _Cell) -> bool:
    """Whether a name stands for a module, or for the object itself, whose parts are called."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in {*cell.modules, "self"}


def arguments_swapped(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """The first two arguments of a call, or parts of a tuple or list, in the other order."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call):
        parts = node.args
    elif isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        parts = node.elts
    pairs = pairwise(parts)
    for one, other in list(pairs)[:3]:
        if not any(isinstance(part, ast.Starred) for part in (one, other)):
            yield "arguments swapped", _between(one, other), _reversed(one, other, cell)


def _between(one: ast.expr, other: ast.expr) -> ast.AST:
    return _both(ast.copy_location(ast.Expr(one), one), ast.copy_location(ast.Expr(other), other))


def _reversed(one: ast.expr, other: ast.expr, cell: _Cell) -> str:
    whole = cell.text(_between(one, other))
    first, second = cell.text(one), cell.text(other)
    between = whole[len(first) : len(whole) - len(second)]
    return f"{second}{between}{first}"


def argument_left_out(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """A call without one of its arguments by keyword."""
    if not isinstance(node, ast.Call):
        return
    for word in node.keywords:
        if word.arg is None:
            continue
        kept = [cell.text(part) for part in node.args]
        kept += [cell.text(other) for other in node.keywords if other is not word]
        yield "argument left out", node, f"{cell.text(node.func)}({', '.join(kept)})"


def number_changed(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """A whole number one up and one down, another doubled, a truth turned."""
    if not isinstance(node, ast.Constant):
        return
    del cell
    value = node.value
    if isinstance(value, bool):
        yield "truth turned", node, str(not value)
    elif isinstance(value, int):
        yield "number changed", node, str(value + 1)
        if value > 0:
            yield "number changed", node, str(value - 1)
    elif isinstance(value, float):
        yield "number changed", node, repr(value * 2)


def operator_changed(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """Another operator between two values, or none."""
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        other = ast.BinOp(left=node.left, op=_ARITHMETIC[type(node.op)], right=node.right)
        yield "operator changed", node, f"({ast.unparse(other)})"
        yield "half left out", node, f"({cell.text(node.left)})"
        yield "half left out", node, f"({cell.text(node.right)})"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        ops = [_COMPARISONS[type(node.ops[0])], *node.ops[1:]]
        turned = ast.Compare(left=node.left, ops=ops, comparators=node.comparators)
        yield "comparison turned", node, f"({ast.unparse(turned)})"


def sign_dropped(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """A value without its minus, its `not` or its `~`."""
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield "sign dropped", node, f"({cell.text(node.operand)})"


def result_made_constant(node: ast.AST, cell: _Cell) -> Iterator[Made]:
    """A function that returns nothing but zeros, of the right shape."""
    if isinstance(node, ast.Return) and node.value is not None:
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        zeros = ", ".join(f"0 * ({cell.text(value)})" for value in values)
        yield "result made constant", node, f"return {zeros}"


OPERATORS: tuple[Operator, ...] = (
    statement_left_out,
    statements_swapped,
    call_left_out,
    arguments_swapped,
    argument_left_out,
    number_changed,
    operator_changed,
    sign_dropped,
    result_made_constant,
)
"""Every way in which a cell is changed."""
