"""Run the body of a test as a cell of the notebook would: names it sets are set over there.

A test that takes `as_cell` is compiled without its function: a name that the notebook binds is
asked for when it is read, and set and deleted over there when the test does so. Modules with state
of the process, `open` and `input` are the notebook's, too; modules that compute, and what the file
of tests defines, are the test's own.
"""

import ast
import builtins
import importlib
import importlib.util
import inspect
import os
import symtable
import sys

from _pytest.assertion.rewrite import rewrite_asserts

REMOTE_MODULES = frozenset(
    [
        *("IPython", "builtins", "contextlib", "glob", "importlib", "inspect", "io", "matplotlib"),
        *("os", "pathlib", "random", "seaborn", "shutil", "sqlite3", "subprocess", "sys"),
        *("tempfile", "time", "warnings"),
    ]
)
"""Modules that are taken from the notebook's process."""
REMOTE_BUILTINS = frozenset({"open", "input", "display", "get_ipython"})
AS_CELL = "as_cell"


def cell_function(function, config, names):
    """Return what pytest calls in place of a test that takes `as_cell`.

    function: the test; config: pytest's; names: where names are, `RemoteNames` or `LiveNames`.
    """
    code, own = compile_body(inspect.unwrap(function), config)

    def run(**arguments):
        own_names = {k: v for k, v in arguments.items() if k != AS_CELL}
        exec(code, CellNames(names, own, own_names))  # noqa: S102 (the course's own)

    return run


def compile_body(function, config):
    """Return the code of a test's body, with pytest's assertions, and the names of its file."""
    path = inspect.getsourcefile(function)
    with open(path, "rb") as file:  # noqa: PTH123 (as Python reads it)
        source = file.read()
    first = function.__code__.co_firstlineno
    node = next(
        n
        for n in ast.walk(ast.parse(source))
        if isinstance(n, ast.FunctionDef)
        and first in (n.lineno, *(decorator.lineno for decorator in n.decorator_list))
    )
    module = ast.Module(body=node.body, type_ignores=[])
    rewrite_asserts(module, source, path, config)
    return compile(module, path, "exec", dont_inherit=True), function.__globals__


class CellNames(dict):
    """The names of a cell: its own, then the test file's, then the notebook's, then Python's.

    It is the globals of what runs, so that functions which the test defines see the same names.
    """

    def __init__(self, names, own, arguments):
        super().__init__(arguments)
        self.notebook = names
        self.own = own
        self.local = set(arguments)
        super().__setitem__("__name__", "__main__")
        super().__setitem__("__builtins__", {**vars(builtins), "__import__": self.import_module})

    def __getitem__(self, name):
        if name in self.local or name.startswith(("@", "__")):
            return super().__getitem__(name)
        if name in self.own:
            return self.own[name]
        if hasattr(builtins, name) and not (name in REMOTE_BUILTINS or self.notebook.binds(name)):
            raise KeyError(name)
        if super().__contains__(name) and not self.notebook.is_volatile(name):
            return super().__getitem__(name)
        super().pop(name, None)
        try:
            value = self.notebook.fetch(name)
        except NameError:
            raise KeyError(name) from None
        super().__setitem__(name, value)
        return value

    def __contains__(self, name):
        try:
            self[name]
        except KeyError:
            return False
        return True

    def get(self, name, default=None):
        """Return a name's value, for a test that takes them all as `env` and asks."""
        try:
            return self[name]
        except KeyError:
            return default

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        is_special = name.startswith(("@", "__"))
        if is_special or not (self.notebook.binds(name) and self.notebook.assign(name, value)):
            self.local.add(name)
        else:
            self.local.discard(name)

    def __delitem__(self, name):
        was_local = name in self.local
        self.local.discard(name)
        super().pop(name, None)
        if not was_local:
            self.notebook.remove(name)

    def import_module(self, name, globals=None, locals=None, fromlist=(), level=0):  # noqa: A002
        """Import a module here, or over there where it has state or only the notebook has it."""
        root = name.partition(".")[0]
        patches = name == "unittest.mock" or (name == "unittest" and "mock" in (fromlist or ()))
        if patches or root in REMOTE_MODULES or _is_missing(root):
            return self.notebook.import_module(name if fromlist else root, name)
        return builtins.__import__(name, globals, locals, fromlist, level)

    def copy(self):
        """Return names that are these, until something sets or deletes them: there alone."""
        return CopiedNames(self)


class CopiedNames(dict):
    """A copy of a cell's names: what is set in it, or deleted, stays on our side.

    names: those of the cell.
    """

    def __init__(self, names):
        super().__init__(__builtins__=names["__builtins__"], __name__=names["__name__"])
        self.names = names
        self.deleted = set()

    def __getitem__(self, name):
        if name in self.deleted:
            raise KeyError(name)
        return super().__getitem__(name) if super().__contains__(name) else self.names[name]

    def __setitem__(self, name, value):
        self.deleted.discard(name)
        super().__setitem__(name, value)

    def __delitem__(self, name):
        self[name]
        self.deleted.add(name)
        super().pop(name, None)


def _is_missing(root):
    """Return whether our side has no such module."""
    return root not in sys.modules and importlib.util.find_spec(root) is None


class NotebookCode:
    """What a notebook's cells say of their names.

    bound: the names that they bind, or use as globals; declared: those that functions rebind.
    """

    def __init__(self, cells):
        self.bound, self.declared = set(), set()
        for source in cells:
            lines = (
                line for line in source.split("\n") if not line.lstrip().startswith(("%", "!"))
            )
            try:
                self.read(symtable.symtable("\n".join(lines), "cell", "exec"), is_top=True)
            except (SyntaxError, ValueError):
                continue

    def read(self, table, *, is_top):
        """Read one scope and those in it."""
        for symbol in table.get_symbols():
            if symbol.is_declared_global():
                self.declared.add(symbol.get_name())
            if is_top or symbol.is_global():
                self.bound.add(symbol.get_name())
        for child in table.get_children():
            self.read(child, is_top=False)


class RemoteNames:
    """The names of a notebook over the wall.

    talk: the talk with it; cells: the source of its cells.
    """

    def __init__(self, talk, cells):
        self.talk = talk
        self.code = NotebookCode(cells)

    def binds(self, name):
        """Return whether the notebook's code knows a name, so that setting it matters there."""
        return name in self.code.bound

    def is_volatile(self, name):
        """Return whether a call may give a name another value."""
        return name in self.code.declared

    def fetch(self, name):
        """Return the value of a name; `open` opens what lies beside the test here."""
        if name == "open":
            return self.open_file
        return self.talk.fetch(name)

    def open_file(self, file, mode="r", *args, **kwargs):
        """Open a file beside the test, which a notebook may not have; any other over there."""
        if isinstance(file, (str, os.PathLike)) and "r" in mode and os.path.isfile(file):  # noqa: PTH113
            return open(file, mode, *args, **kwargs)  # noqa: PTH123
        return self.talk.fetch("open")(file, mode, *args, **kwargs)

    def assign(self, name, value):
        """Set a name; return whether it could be: some things stay on our side."""
        try:
            self.talk.ask("assign", name, value)
        except (TypeError, AttributeError, ValueError):
            return False
        return True

    def remove(self, name):
        """Delete a name."""
        self.talk.ask("remove", name)

    def import_module(self, wanted, whole):
        """Return a module of the notebook's process."""
        return self.talk.ask("module", wanted, whole, label=wanted)


class LiveNames:
    """The names of a notebook in this very process; what a test changes is put back."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.before = dict(namespace)

    def binds(self, name):
        """Return whether the notebook knows a name."""
        return name in self.before

    def is_volatile(self, name):
        """Return whether a name is read anew each time: always, it costs nothing here."""
        return True

    def fetch(self, name):
        """Return the value of a name."""
        if name in self.namespace:
            return self.namespace[name]
        if name in REMOTE_BUILTINS and hasattr(builtins, name):
            return getattr(builtins, name)
        raise NameError(f"no name {name} was left when the run ended")

    def assign(self, name, value):
        """Set a name."""
        self.namespace[name] = value
        return True

    def remove(self, name):
        """Delete a name."""
        if name not in self.namespace:
            raise NameError(f"name '{name}' is not defined")
        del self.namespace[name]

    def import_module(self, wanted, whole):
        """Return a module."""
        importlib.import_module(whole)
        return importlib.import_module(wanted)

    def restore(self):
        """Give the names the values that they had."""
        for name in self.namespace.keys() - self.before.keys():
            del self.namespace[name]
        for name, value in self.before.items():
            if self.namespace.get(name, self) is not value:
                self.namespace[name] = value
