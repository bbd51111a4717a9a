"""Show code of a test as a report does: with the values of its variables, and what came before."""

import ast
import copy
import reprlib

from course_tests.arguments import Printed

IMMUTABLE = (str, int, float, bool, type(None))
"""Types whose values stand in the code in place of a name: nothing can have changed them."""
PLAIN_PACKAGES = frozenset(
    [
        *("builtins", "collections", "datetime", "decimal", "fractions", "pathlib", "uuid"),
        *("numpy", "pandas", "polars", "scipy", "torch"),
    ]
)
"""Packages whose values are shown; others are objects, which say nothing but their class."""
MAX_LITERAL = 80
"""Characters of such a value."""
MAX_STEPS = 4
"""Statements before the one that failed that are told, the last ones."""
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 200
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxdict = 12
_short.maxlevel = 4


def show(value):
    """Return a value as text, shortened."""
    return _short.repr(value)


class _Literals(ast.NodeTransformer):
    """Puts values in place of names."""

    def __init__(self, values):
        self.values = values
        self.used = set()

    def visit_Name(self, node):
        """Replace a name that is read."""
        if node.id not in self.values:
            return node
        self.used.add(node.id)
        return ast.Constant(self.values[node.id])


class ShownCode:
    """Code of one function of a test, at the moment when it stopped.

    source: the text of the file; frame: the frame of the function.
    """

    def __init__(self, source, frame):
        self.source = source
        self.values = dict(frame.f_locals)

    def expression(self, node):
        """Return an expression with values in it, and those of the names that are left."""
        own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not is_read(n)}
        own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        names = dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
        known = {n: self.values[n] for n in names if n in self.values and n not in own}
        literals = {name: value for name, value in known.items() if is_literal(value)}
        code = self.text(node)
        if isinstance(node, ast.Name):
            return f"`{code}`"
        changed = _Literals(literals)
        new = changed.visit(copy.deepcopy(node))
        if changed.used:
            code = ast.unparse(new)
        rest = [
            f"{name} = {show(value)}"
            for name, value in known.items()
            if name not in literals and is_plain(value)
        ]
        return f"`{code}` with {', '.join(rest)}" if rest else f"`{code}`"

    def text(self, node):
        """Return the source of a node in one line."""
        return " ".join((ast.get_source_segment(self.source, node) or ast.unparse(node)).split())

    def steps(self, function, line, read):
        """Return what a test did before a line: calls, and what made the objects that are read.

        function: the tree of the test; read: the names of the expression that failed.
        """
        objects = {name for name in read if name in self.values and not is_plain(self.values[name])}
        done = [s for s in statements_before(function.body, line) if is_step(s, objects)]
        texts = [f"`{self.text(step)}`" for step in done[-MAX_STEPS:]]
        return f"after {', '.join(texts)}: " if texts else ""


def statements_before(body, line):
    """Yield the statements of a block and of its `with` blocks that end before a line."""
    for statement in body:
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            yield from statements_before(statement.body, line)
        elif statement.end_lineno < line:
            yield statement


def is_step(statement, objects):
    """Return whether a statement calls for what it does, or makes one of some objects."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    targets = statement.targets if isinstance(statement, ast.Assign) else ()
    return any(isinstance(n, ast.Name) and n.id in objects for t in targets for n in ast.walk(t))


def is_read(name):
    """Return whether a name is read, not set."""
    return isinstance(name.ctx, ast.Load)


def is_literal(value):
    """Return whether a value can stand in code in place of its name."""
    return type(value) in IMMUTABLE and len(repr(value)) <= MAX_LITERAL


def is_plain(value):
    """Return whether a value tells a reader something: no function, no object of a class."""
    if isinstance(value, Printed):
        return True
    package = type(value).__module__.partition(".")[0]
    return package in PLAIN_PACKAGES and not callable(value)
