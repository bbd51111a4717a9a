"""Show code of a test as a report does: with the values of its variables, and what came before."""

import ast
import copy
import re
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
MAX_INTEGER = 10**30
MAX_WRITTEN_OUT = 10
"""Values of a list that are written out where a call is given all of them."""
MAX_STEPS = 4
"""Statements before the one that failed that are told, the last ones."""
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 200
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxdict = 12
_short.maxlevel = 4


def show(value):
    """Return a value as text in a line, shortened, whatever its parts do when they are asked."""
    try:
        text = _short.repr(value)
    except BaseException:  # the notebook may be gone, and a whole number too long
        return f"<{type(value).__name__}>"
    return re.sub(r"\n\s*", " ", text)


class _Literals(ast.NodeTransformer):
    """Puts values in place of names."""

    def __init__(self, known):
        self.values = {name: value for name, value in known.items() if is_literal(value)}
        self.starred = {
            name: values
            for name, values in known.items()
            if type(values) in (list, tuple) and len(values) <= MAX_WRITTEN_OUT
            if all(map(is_literal, values))
        }
        self.used = set()

    def visit_Name(self, node):
        """Replace a name that is read."""
        if node.id not in self.values:
            return node
        self.used.add(node.id)
        return ast.Constant(self.values[node.id])

    def visit_Call(self, node):
        """Write out what `*names` gives a call."""
        self.generic_visit(node)
        node.args = [part for argument in node.args for part in self.written_out(argument)]
        return node

    def written_out(self, argument):
        """Return the arguments that an argument stands for."""
        name = getattr(argument.value, "id", "") if isinstance(argument, ast.Starred) else ""
        values = self.starred.get(name)
        if values is None:
            return [argument]
        self.used.add(name)
        return [ast.Constant(value) for value in values]


class ShownCode:
    """Code of one function of a test, at the moment when it stopped.

    source: the text of the file; frame: the frame of the function.
    """

    def __init__(self, source, frame):
        self.source = source
        self.values = dict(frame.f_locals)

    def expression(self, node):
        """Return an expression with values in it, and those of the names that are left."""
        if isinstance(node, ast.Name):
            return f"`{node.id}`"
        known = self.known_values(node, around=node)
        code, used = self.with_literals(node, known)
        rest = [
            f"{name} = {'... (a blank)' if value is ... else show(value)}"
            for name, value in known.items()
            if name not in used and is_plain(value) and "\n" not in show(value)
        ]
        return f"`{code}` with {', '.join(rest)}" if rest else f"`{code}`"

    def known_values(self, node, *, around):
        """Return, by name, the values of what a node reads and nothing around it sets."""
        own = {n.id for n in ast.walk(around) if isinstance(n, ast.Name) and not is_read(n)}
        own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        names = dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
        return {n: self.values[n] for n in names if n in self.values and n not in own}

    def with_literals(self, node, known):
        """Return code with values in place of names, and the names that were replaced."""
        literals = _Literals(known)
        new = literals.visit(copy.deepcopy(node))
        return ast.unparse(new) if literals.used else self.text(node), literals.used

    def text(self, node):
        """Return the source of a node in one line."""
        return " ".join((ast.get_source_segment(self.source, node) or ast.unparse(node)).split())

    def steps(self, function, line, read):
        """Return what a test did before a line: calls, and what made the objects that are read.

        function: the tree of the test; read: the names of the expression that failed.
        """
        objects = {name for name in read if name in self.values and not is_plain(self.values[name])}
        done = [s for s in statements_before(function.body, line) if is_step(s, objects)]
        texts = [
            f"`{self.with_literals(step, self.known_values(step, around=function))[0]}`"
            for step in done[-MAX_STEPS:]
        ]
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
    if type(value) is int and abs(value) >= MAX_INTEGER:
        return False
    return type(value) in IMMUTABLE and len(show(value)) <= MAX_LITERAL


def is_plain(value):
    """Return whether a value tells a reader something: no function, no object of a class."""
    if isinstance(value, Printed):
        return True
    package = type(value).__module__.partition(".")[0]
    return package in PLAIN_PACKAGES and not callable(value)
