"""The argument `source`: the code of the notebook, as text and as syntax trees."""

import ast
import functools
import re

from course_tests.called_code import DEFINITIONS, CalledCode, Code

MAGIC = re.compile(r"^(\s*)[%!].*|(=\s*)[%!].*", re.MULTILINE)
"""Matches IPython's own lines, and what else of a line only IPython can read."""


class MissingCode(KeyError, AssertionError):
    """No cell binds a name: a verdict, not a mistake of the test's."""

    __str__ = Exception.__str__


class Source:
    """The code of the notebook's cells: `source["f"]` is the statement that binds `f` last."""

    def __init__(self, read):
        self._read = read

    @functools.cached_property
    def trees(self):
        """The syntax trees of the cells that can be parsed."""
        return [tree for tree in map(parse, self._read()) if tree is not None]

    @functools.cached_property
    def notebook(self):
        """The functions and classes of all cells."""
        return CalledCode(self.trees)

    @property
    def text(self):
        """All code, cell by cell."""
        return "\n\n".join(self._read())

    def __getitem__(self, name):
        return ast.unparse(self.tree(name))

    def __contains__(self, name):
        return self.find(name) is not None

    def tree(self, name):
        """Return the syntax tree of the last statement that binds a name, or `Class.method`.

        Raises:
            MissingCode: no statement does.
        """
        statement = self.find(name)
        if statement is None:
            raise MissingCode(f"no cell of the notebook makes {name}")
        return statement

    def find(self, name):
        """Return the last statement of a cell that binds a name, or None."""
        first, *inner = name.split(".")
        statements = [node for tree in self.trees for node in tree.body]
        statement = next((s for s in reversed(statements) if first in bound_names(s)), None)
        code = self.notebook.find(name) if statement is not None else None
        if inner:
            return code and code.node
        is_within = isinstance(code and code.node, DEFINITIONS) and has_part(statement, code.node)
        return code.node if is_within else statement

    def code(self, name):
        """Return the code of a function or class, or else of the statement that binds a name."""
        statement, code = self.tree(name), self.notebook.find(name)
        if code is not None and has_part(statement, code.node):
            return code
        return Code(statement, name, self.notebook.module)  # `f = cache(f)`: it reads the function

    def reached(self, name):
        """Return the code that a name runs: its own, and what of the notebook's it calls."""
        return self.notebook.reached(self.code(name))

    def uses(self, name, *kinds):
        """Return whether the code of a name, or what it calls, has a node of one of these kinds."""
        trees = [self.tree(name), *(code.node for code in self.reached(name))]
        return any(isinstance(node, kinds) for tree in trees for node in ast.walk(tree))

    def calls(self, name, function):
        """Return whether the code of a name, or what it calls, calls a function of that name."""
        short = function.rpartition(".")[2]
        return any(
            self.notebook.does_call(code, short)
            for code in self.reached(name)
            if code.name != short or isinstance(code.node, (*DEFINITIONS, ast.Lambda))
        )

    def recurses(self, name):
        """Return whether the code of a name calls itself again, or calls a function that does."""
        return self.notebook.is_recursive(self.code(name))

    def imports(self, module):
        """Return whether any cell imports a module or a part of it."""
        names = [n for tree in self.trees for node in ast.walk(tree) for n in imported_names(node)]
        return any(name == module or name.startswith(f"{module}.") for name in names)


def has_part(tree, part):
    """Return whether a node is part of a syntax tree."""
    return any(node is part for node in ast.walk(tree))


def parse(code):
    """Return the syntax tree of a cell without its magics, or None."""
    for text in (code, MAGIC.sub(replace_magic, code)):
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        tree.body = [part for statement in tree.body for part in one_by_one(statement)]
        return tree
    return None


def one_by_one(statement):
    """Return the assignments that `a, b = x, y` stands for; of any other statement itself."""
    if not isinstance(statement, ast.Assign):
        return [statement]
    pairs = [pair for target in statement.targets for pair in pairs_of(target, statement.value)]
    if len(pairs) <= len(statement.targets):
        return [statement]
    parts = [ast.Assign(targets=[target], value=value) for target, value in pairs]
    return [ast.copy_location(part, statement) for part in parts]


def pairs_of(target, value):
    """Return what is bound to what by an assignment, as far as it can be seen."""
    kinds = (ast.Tuple, ast.List)
    if not isinstance(target, kinds) or not isinstance(value, kinds):
        return [(target, value)]
    parts = [*target.elts, *value.elts]
    is_even = len(target.elts) == len(value.elts)
    if not is_even or any(isinstance(part, ast.Starred) for part in parts):
        return [(target, value)]
    return [p for pair in zip(target.elts, value.elts, strict=True) for p in pairs_of(*pair)]


def replace_magic(match):
    """Return a line that does nothing in place of a magic."""
    return f"{match[2]}None" if match[2] else f"{match[1]}pass"


def bound_names(statement):
    """Return the names that a statement binds."""
    if isinstance(statement, DEFINITIONS):
        return {statement.name}
    names = set()
    rest = [statement]
    while rest:
        node = rest.pop()
        if isinstance(node, DEFINITIONS):
            names.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        rest += ast.iter_child_nodes(node)
    return names


def imported_names(node):
    """Return the modules, and names in modules, that a part of the tree imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
        is_import = called in {"__import__", "import_module"}
        return [str(node.args[0].value)] if is_import else []
    return []
