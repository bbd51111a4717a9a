"""Tell by syntax trees what code that is running right now stands in: a `try`, a decorator."""

import ast
import builtins
import functools
import itertools
import linecache
from collections import deque

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))
MAX_TREES = 64
"""Trees kept of code whose source nobody keeps, such as that of `%%time`."""


class SyntaxTrees:
    """Finds the syntax tree of a frame's code, and the way from its root to what runs."""

    def __init__(self):
        self.seen = deque(maxlen=MAX_TREES)

    def visit(self, tree):
        """Keep the tree of a cell; called by the shell as one of its transformers."""
        self.seen.appendleft(tree)
        return tree

    def path(self, frame):
        """Return the nodes from the outermost to the one that a frame is at; [] if unknown."""
        positions = list(frame.f_code.co_positions())
        line, end_line, column, end_column = positions[frame.f_lasti // 2]
        if line is None or column is None:
            return []
        span = (line, column), (end_line, end_column)
        source = "".join(linecache.getlines(frame.f_code.co_filename))
        trees = [parse(source)] if source else list(self.seen)
        return next((path for tree in trees if (path := path_to(tree, span))), [])

    def catches(self, frame, error):
        """Return whether a frame stands in a `try` or `suppress` of its own that catches it."""
        path = self.path(frame)
        start = max((i for i, node in enumerate(path) if isinstance(node, SCOPES)), default=-1)
        inner = path[start + 1 :]
        return any(
            child in getattr(node, "body", ()) and any(matches(t, error, frame) for t in caught)
            for node, child in itertools.pairwise(inner)
            if (caught := caught_types(node))
        )

    def is_decorating(self, frame):
        """Return whether a frame is at a decorator."""
        path = self.path(frame)
        return any(
            child in getattr(node, "decorator_list", ()) for node, child in itertools.pairwise(path)
        )


@functools.lru_cache(maxsize=MAX_TREES)
def parse(source):
    """Parse a source; one that is no Python has an empty tree."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module(body=[], type_ignores=[])


def path_to(node, span):
    """Return the nodes below one that contain a span, from the outermost."""
    for child in ast.iter_child_nodes(node):
        for decorator in getattr(child, "decorator_list", ()):  # they stand before what they are of
            if contains(decorator, span):
                return [child, decorator, *path_to(decorator, span)]
        if not hasattr(child, "lineno"):
            inner = path_to(child, span)
            if inner:
                return [child, *inner]
        elif contains(child, span):
            return [child, *path_to(child, span)]
    return []


def contains(node, span):
    """Return whether a node contains a span: two pairs of line and column."""
    start, end = span
    return (node.lineno, node.col_offset) <= start and end <= (node.end_lineno, node.end_col_offset)


def caught_types(node):
    """Return the expressions of what a statement catches; None stands for everything."""
    if isinstance(node, TRIES):
        return [handler.type for handler in node.handlers]
    if isinstance(node, (ast.With, ast.AsyncWith)):
        calls = [item.context_expr for item in node.items]
        return [
            argument
            for call in calls
            if isinstance(call, ast.Call) and last_name(call.func) == "suppress"
            for argument in call.args
        ]
    return []


def matches(expression, error, frame):
    """Return whether an exception that an `except` names is this one or a base of it."""
    if expression is None:
        return True
    if isinstance(expression, ast.Tuple):
        return any(matches(part, error, frame) for part in expression.elts)
    name = last_name(expression)
    value = getattr(builtins, name, None)
    if isinstance(expression, ast.Name):
        value = frame.f_locals.get(name, frame.f_globals.get(name, value))
    kinds = value if isinstance(value, tuple) else (value,)
    return any(isinstance(kind, type) and isinstance(error, kind) for kind in kinds)


def last_name(expression):
    """Return the last name of `a.b.c`, or ''."""
    return getattr(expression, "attr", "") or getattr(expression, "id", "")
