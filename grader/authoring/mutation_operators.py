"""Makes small mistakes in a cell of code, by its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from grader.notebook.student_code import parse_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of a cell, and the resulting source."""

    change: str
    """The kind of change in words: 'call left out'."""
    line: int
    """The first line that differs, from 1."""
    before: str
    after: str
    """That line in both sources, without indentation."""
    source: str


Replacement = tuple[str, ast.AST, str]
"""The kind of change, the node that is replaced, and the text that replaces it."""
Operator = Callable[[ast.AST, "_ParsedCell"], Iterator[Replacement]]
_MAX_SWAPPED = 4
"""The number of first arguments, or elements of a tuple, of which neighbors are swapped."""
_PURE = frozenset(
    [
        *("abs", "all", "any", "bool", "dict", "enumerate", "float", "int", "isinstance", "len"),
        *("list", "max", "min", "range", "round", "set", "sorted", "str", "sum", "tuple", "zip"),
    ]
)
"""Functions of Python's own that change nothing."""
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
    """A cell's source with its syntax tree, and the names that are modules."""

    def __init__(self, source: str, tree: ast.Module, modules: frozenset[str]) -> None:
        self.source = source
        self.tree = tree
        self.modules = modules
        # Columns of a syntax tree count bytes.
        self._line_starts = [0]
        for line in source.encode().split(b"\n"):
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)

    def text(self, node: ast.AST) -> str:
        """Return the text of a node."""
        return self.source.encode()[slice(*self._span(node))].decode()

    def replace_node(self, node: ast.AST, text: str) -> str:
        """Return the source with another text in a node's place."""
        begin, end = self._span(node)
        data = self.source.encode()
        return (data[:begin] + text.encode() + data[end:]).decode()

    def swap_nodes(self, change: str, first: ast.AST, second: ast.AST) -> Replacement:
        """Return the replacement that swaps two nodes; the text between them stays."""
        both = ast.copy_location(ast.Pass(), first)
        both.end_lineno, both.end_col_offset = second.end_lineno, second.end_col_offset  # type: ignore[attr-defined]
        full, first_text, second_text = map(self.text, (both, first, second))
        between = full[len(first_text) : len(full) - len(second_text)]
        return change, both, f"{second_text}{between}{first_text}"

    def _span(self, node: ast.AST) -> tuple[int, int]:
        first, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        last, end = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return self._line_starts[first - 1] + column, self._line_starts[last - 1] + end


def make_edits(source: str, *, modules: frozenset[str] = frozenset()) -> tuple[Edit, ...]:
    """Return all changes of a cell, in the order of its lines; () if it is not Python.

    Args:
        source: The cell's source.
        modules: Names that stand for modules, from imports of the whole notebook.
    """
    tree = parse_source(source)
    if tree is None:
        return ()
    cell = _ParsedCell(source, tree, modules)
    seen = {ast.dump(tree)}
    edits = []
    for change, node, text in _replacements(cell):
        changed = cell.replace_node(node, text)
        changed_tree = parse_source(changed)
        if changed_tree is None or (dump := ast.dump(changed_tree)) in seen:
            continue
        seen.add(dump)
        edits.append(_make_edit(change, source, changed))
    return tuple(sorted(edits, key=lambda edit: edit.line))


def imported_modules(source: str) -> frozenset[str]:
    """Return the names that a cell's `import` statements bind to modules."""
    tree = parse_source(source)
    return frozenset(
        alias.asname or alias.name.partition(".")[0]
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, ast.Import)
        for alias in node.names
    )


def _make_edit(change: str, source: str, changed: str) -> Edit:
    old, new = source.split("\n"), changed.split("\n")
    differing = (
        n for n, (before, after) in enumerate(zip(old, new, strict=False)) if before != after
    )
    index = next(differing, min(len(old), len(new)) - 1)
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
            continue  # before Python 3.12 the positions of its parts are wrong
        if _only_shows(node):
            continue
        for operator in OPERATORS:
            yield from operator(node, cell)
        stack += ast.iter_child_nodes(node)


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
            yield body


def _only_shows(node: ast.AST) -> bool:
    """Return whether a node is a statement such as `plt.show()`; figures show without it."""
    match node:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(attr="show") | ast.Name(id="show"), args=[])
        ):
            return True
        case _:
            return False


def _matters(statement: ast.stmt) -> bool:
    """Return whether leaving a statement out can matter, unlike an import, definition or print."""
    if _only_shows(statement):
        return False
    match statement:
        case ast.Expr(value=ast.Constant()) | ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return False
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef() | ast.Pass():
            return False
        case _:
            return True


def leave_out_statement(node: ast.AST, _: _ParsedCell) -> Iterator[Replacement]:
    """Replace each statement by `pass`."""
    for body in _bodies(node):
        yield from (("statement left out", part, "pass") for part in body if _matters(part))


def swap_statements(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Swap each pair of neighboring simple statements, unless either order does the same."""
    for body in _bodies(node):
        for pair in pairwise(body):
            are_simple = all(isinstance(p, _SIMPLE_STATEMENTS) and _matters(p) for p in pair)
            if are_simple and not _are_independent(*pair, cell):
                yield cell.swap_nodes("statements swapped", *pair)


def _are_independent(first: ast.stmt, second: ast.stmt, cell: _ParsedCell) -> bool:
    """Return whether two statements have no name in common that either of them may change.

    Two assignments may draw from the same module; two calls for what they do may not be told apart.
    """
    calls = sum(isinstance(part, ast.Expr) for part in (first, second))
    if calls == 2:  # noqa: PLR2004 (both)
        return False
    known = _PURE | (cell.modules if not calls else frozenset())
    changed, used = zip(*map(_changed_and_used, (first, second)), strict=True)
    return not ((changed[0] & used[1]) | (changed[1] & used[0])) - known


def _is_pure(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id in _PURE


def _changed_and_used(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that a statement may change, and all that it uses.

    A call may change whatever is named beside it, and so does a target `a.x`, or `a[0]`, to `a`.
    """
    nodes = list(ast.walk(statement))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    if "super" in used:
        used.add("self")
    if any(isinstance(node, ast.Call) and not _is_pure(node.func) for node in nodes):
        return used, used
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    parts = (part for target in targets if target is not None for part in ast.walk(target))
    return {part.id for part in parts if isinstance(part, ast.Name)}, used


def leave_out_call(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Replace a call by the object or the first argument that it works on."""
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
    """Return whether a node is a module, or an attribute of a module or of `self`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in {*cell.modules, "self"}


def swap_arguments(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Swap neighbors among the first arguments of a call, or the parts of a tuple or list."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call):
        parts = node.args
    elif isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        parts = node.elts
    for pair in pairwise(parts[:_MAX_SWAPPED]):
        if not any(isinstance(part, ast.Starred) for part in pair):
            yield cell.swap_nodes("arguments swapped", *pair)


def leave_out_argument(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Leave out each argument by keyword of a call."""
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg is not None:
            others = [other for other in node.keywords if other is not keyword]
            arguments = ", ".join(map(cell.text, (*node.args, *others)))
            yield "argument left out", node, f"{cell.text(node.func)}({arguments})"


def change_number(node: ast.AST, _: _ParsedCell) -> Iterator[Replacement]:
    """Replace a whole number by its neighbors, another by its double, a truth by its opposite."""
    match node:
        case ast.Constant(value=bool(truth)):
            yield "truth turned", node, str(not truth)
        case ast.Constant(value=int(number)):
            yield "number changed", node, str(number + 1)
            if number > 0:
                yield "number changed", node, str(number - 1)
        case ast.Constant(value=float(number)):
            yield "number changed", node, repr(number * 2)
        case _:
            pass


def change_operator(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Replace an operation by another one or by one of its sides; turn a comparison round."""
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        changed = ast.BinOp(left=node.left, op=_ARITHMETIC[type(node.op)], right=node.right)
        yield "operator changed", node, f"({ast.unparse(changed)})"
        yield "half left out", node, f"({cell.text(node.left)})"
        yield "half left out", node, f"({cell.text(node.right)})"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        ops = [_COMPARISONS[type(node.ops[0])], *node.ops[1:]]
        negated = ast.Compare(left=node.left, ops=ops, comparators=node.comparators)
        yield "comparison turned", node, f"({ast.unparse(negated)})"


def drop_sign(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Take a minus, `not` or `~` from its value."""
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield "sign dropped", node, f"({cell.text(node.operand)})"


def make_result_constant(node: ast.AST, cell: _ParsedCell) -> Iterator[Replacement]:
    """Return zeros of the right shape from a function."""
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
"""All kinds of changes."""
