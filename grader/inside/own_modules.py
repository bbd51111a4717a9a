"""Let a notebook import its own files, whatever they are called: no module of ours is in the way.

`grader` is the self-check, which does nothing at grading time, unless the notebook has a file of
that name; so is `otter`, that of otter-grader, installed or not. `inside` is the package of these
programs, which hides before the first cell.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from pathlib import Path


class SelfCheckStub:
    """Stands for a self-check's result at grading time: true, and usable in any way."""

    passed = True

    def __bool__(self):
        return True

    def __call__(self, *args, **kwargs):
        return self

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __iter__(self):
        return iter(())

    def __repr__(self):
        return "At grading time the self-check does nothing."


class CheckStub(SelfCheckStub):
    """Stands for the function that checks a question: it tells which, and does nothing else.

    tell: called with the question's name.
    """

    def __init__(self, tell):
        self.__dict__["_tell"] = tell

    def __call__(self, question="", *args, **kwargs):
        self.__dict__["_tell"](question)
        return SelfCheckStub()


def make_stub(name, tell):
    """Make a `grader` or `otter` module for notebooks that still call their self-check.

    tell: called with the name of each question that the notebook checks.
    """

    class OtterNotebook(SelfCheckStub):
        """Stands for otter's `Notebook`, by which a student's notebook checks itself."""

        check = CheckStub(tell)

        def __init__(self, *args, **kwargs):
            pass

    module = types.ModuleType(name, "At grading time the self-check does nothing.")
    module.__version__ = ""
    if name == "grader":
        module.check, module.check_all = CheckStub(tell), SelfCheckStub()
        return module
    module.Notebook = OtterNotebook
    module.__path__ = []
    module.__getattr__ = get_stub
    return module


def get_stub(name):
    """Return what stands for anything else that `otter` or a module in it has."""
    if name.startswith("__"):
        raise AttributeError(name)
    return SelfCheckStub()


class OwnModuleFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a notebook's own `grader`, `otter` and `inside`, and self-checks where it has none.

    tell: called with the name of each question that the notebook checks.
    """

    def __init__(self, tell):
        self.tell = tell

    def find_spec(self, fullname, path=None, target=None):
        if fullname in ("grader", "otter"):
            own = self.find_beside_notebook(fullname)
            return own or importlib.machinery.ModuleSpec(
                fullname, self, is_package=fullname == "otter"
            )
        if fullname.startswith("otter."):
            parent = sys.modules.get("otter")
            is_stub = getattr(getattr(parent, "__spec__", None), "loader", None) is self
            return (
                importlib.machinery.ModuleSpec(fullname, self, is_package=True) if is_stub else None
            )
        if fullname == "inside":
            own = self.find_beside_notebook(fullname)
            if own is not None and own.submodule_search_locations:
                for name in [name for name in sys.modules if name.startswith("inside.")]:
                    del sys.modules[name]
            return own
        return None

    def find_beside_notebook(self, name):
        """Find a module in folders that the notebook can have written; ours is none."""
        folder = Path.cwd()
        paths = [path for path in sys.path if Path(path).resolve().is_relative_to(folder)]
        spec = importlib.machinery.PathFinder.find_spec(name, paths)
        origin = getattr(spec, "origin", None) or ""
        if name == "grader" and (Path(origin).parent / "inside" / "probe.py").exists():
            return None  # a copy of this program
        return spec

    def create_module(self, spec):
        return make_stub(spec.name, self.tell)

    def exec_module(self, module):
        """It is complete."""


def give_way(on_check):
    """Let files of the notebook come first, as they do in Jupyter.

    on_check: called with the name of each question that the notebook would check itself.

    IPython leaves the working folder out of the path where Python was started with -P, as here, so
    that nothing a student wrote is imported before the notebook runs.
    """
    for name in ("grader", "inside"):
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, OwnModuleFinder(on_check))
    if "" not in sys.path:
        sys.path.insert(0, "")
