"""Small wrong changes to a cell of code, made on its syntax tree and spliced into its text."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from grader.notebook.student_code import parse_source


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


Replacement = tuple[str, ast.AST, str]
"""What was done, the node that is replaced, and the text that stands in its place."""
Operator = Callable[[ast.AST, "_ParsedCell"], Iterator[Replacement]]
_SIMPLE_STATEMENTS = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)
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


class _ParsedCell:
    """A cell's text, its tree, and the modules it knows by name."""

    def __init__(self, source: str, tree: ast.Module, modules: frozenset[str]) -> None:
        self.source = source
        self.tree = tree
        self.modules = modules
        self.line_starts = [0]
        for line in source.encode().split(b"\n"):
            self.line_starts.append(self.line_starts[-1] + len(line) + 1)

    def text(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.source.encode()[slice(*self._span(node))].decode()

    def replace_node(self, node: ast.AST, text: str) -> str:
        """The cell with another text in a node's place."""
        begin, end = self._span(node)
        data = self.source.encode()
        return (data[:begin] + text.encode() + data[end:]).decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        first, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        last, end = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return self.line_starts[first - 1] + column, self.line_starts[last - 1] + end


def make_edits(source: str, *, modules: frozenset[str] = frozenset()) -> tuple[Edit, ...]:
    """Every change of a cell, each once, in the order of its lines; none where it is no Python.

    Args:
        source: the cell's source.
        modules: names that stand for modules, from imports of the whole notebook.
    """
    tree = parse_source(source)
    if tree is None:
        return ()
    cell = _ParsedCell(source, tree, modules)
    seen = {ast.dump(tree)}
    results = []
    for change, node, text in _replacements(cell):
        changed = cell.replace_node(node, text)
        changed_tree = parse_source(changed)
        if changed_tree is None or (dump := ast.dump(changed_tree)) in seen:
            continue
        seen.add(dump)
        results.append(_make_edit(change, source, changed))
    return tuple(sorted(results, key=lambda edit: edit.line))


def imported_modules(source: str) -> frozenset[str]:
    """The names that a cell's imports bind to modules, as far as can be told."""
    tree = parse_source(source)
    names = set()
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return frozenset(names)


def _make_edit(change: str, source: str, changed: str) -> Edit:
    old, new = source.split("\n"), changed.split("\n")
    line_pairs = enumerate(zip(old, new, strict=False))
    index = next(
        (n for n, (old_line, new_line) in line_pairs if old_line != new_line),
        min(len(old), len(new)) - 1,
    )
    return Edit(
        change=change,
        line=index + 1,
        before=old[index].strip(),
        after=new[index].strip(),
        source=changed,
    )


def _replacements(cell: _ParsedCell) -> Iterator[Replacement]:
    stack: list[ast.AST] = [cell.tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.JoinedStr):
            continue  # before Python 3.12 the places of its parts are wrong
        for operator in OPERATORS:
            yield from operator(node, cell)
        stack += ast.iter_child_nodes(node)


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
            yield body


def _can_be_left_out(statement: ast.stmt) -> bool:
    """Whether leaving a statement out can matter: no import, definition, text or print."""
    match statement:
        case ast.Expr(value=ast.Constant()) | ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return False
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef() | ast.Pass():
            return False
        case _:
            return True


def leave_out_statement(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Each statement as `pass`."""
    del cell
    for body in _bodies(node):
        yield from (
            ("statement left out", statement, "pass")
            for statement in body
            if _can_be_left_out(statement)
        )


def swap_statements(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Two simple statements, one below the other, in the other order."""
    for body in _bodies(node):
        for first, second in pairwise(body):
            if all(
                isinstance(part, _SIMPLE_STATEMENTS) and _can_be_left_out(part)
                for part in (first, second)
            ):
                yield (
                    "statements swapped",
                    _spanning_node(first, second),
                    _swapped_statements_text(first, second, cell),
                )


def _spanning_node(first: ast.stmt, second: ast.stmt) -> ast.AST:
    """A node that reaches from the first to the end of the second."""
    return ast.Expr(
        value=ast.Constant(None),
        lineno=first.lineno,
        col_offset=first.col_offset,
        end_lineno=second.end_lineno,
        end_col_offset=second.end_col_offset,
    )


def _swapped_statements_text(first_node: ast.stmt, second_node: ast.stmt, cell: _ParsedCell) -> str:
    full_text = cell.text(_spanning_node(first_node, second_node))
    first_text, second_text = cell.text(first_node), cell.text(second_node)
    between = full_text[len(first_text) : len(full_text) - len(second_text)]
    return f"{second_text}{between}{first_text}"


def leave_out_call(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
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


def _is_module(node: ast.AST, cell: _ParsedCell) -> bool:
    """Whether a name stands for a module, or for the object itself, whose parts are called."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in {*cell.modules, "self"}


def swap_arguments(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """The first two arguments of a call, or parts of a tuple or list, in the other order."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call):
        parts = node.args
    elif isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        parts = node.elts
    pairs = pairwise(parts)
    for first, second in list(pairs)[:3]:
        if not any(isinstance(part, ast.Starred) for part in (first, second)):
            yield (
                "arguments swapped",
                _spanning_expression(first, second),
                _swapped_arguments_text(first, second, cell),
            )


def _spanning_expression(first: ast.expr, second: ast.expr) -> ast.AST:
    return _spanning_node(
        ast.copy_location(ast.Expr(first), first), ast.copy_location(ast.Expr(second), second)
    )


def _swapped_arguments_text(first_node: ast.expr, second_node: ast.expr, cell: _ParsedCell) -> str:
    full_text = cell.text(_spanning_expression(first_node, second_node))
    first_text, second_text = cell.text(first_node), cell.text(second_node)
    between = full_text[len(first_text) : len(full_text) - len(second_text)]
    return f"{second_text}{between}{first_text}"


def leave_out_argument(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """A call without one of its arguments by keyword."""
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg is None:
            continue
        arguments = [cell.text(part) for part in node.args]
        arguments += [cell.text(other) for other in node.keywords if other is not keyword]
        yield "argument left out", node, f"{cell.text(node.func)}({', '.join(arguments)})"


def change_number(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
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


def change_operator(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Another operator between two values, or none."""
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        changed_operation = ast.BinOp(
            left=node.left, op=_ARITHMETIC[type(node.op)], right=node.right
        )
        yield "operator changed", node, f"({ast.unparse(changed_operation)})"
        yield "half left out", node, f"({cell.text(node.left)})"
        yield "half left out", node, f"({cell.text(node.right)})"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        ops = [_COMPARISONS[type(node.ops[0])], *node.ops[1:]]
        negated = ast.Compare(left=node.left, ops=ops, comparators=node.comparators)
        yield "comparison turned", node, f"({ast.unparse(negated)})"


def drop_sign(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """A value without its minus, its `not` or its `~`."""
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield "sign dropped", node, f"({cell.text(node.operand)})"


def make_result_constant(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """A function that returns nothing but zeros, of the right shape."""
    if isinstance(node, ast.Return) and node.value is not None:
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        zeros = ", ".join(f"0 * ({cell.text(value)})" for value in values)
        yield "result made constant", node, f"return {zeros}"


OPERATORS: tuple[Operator, ...] = (
    leave_out_statement,
    swap_statements,
    leave_out_call,
    swap_arguments,
    leave_out_argument,
    change_number,
    change_operator,
    drop_sign,
    make_result_constant,
)
"""Every way in which a cell is changed."""
