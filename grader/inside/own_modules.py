"""Let a notebook import its own files, whatever they are called: no module of ours is in the way.

`grader` is the self-check, which does nothing at grading time, unless the notebook has a file of
that name. `inside` is the package of these programs, which hides before the first cell.
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


def make_grader_stub():
    """Make a `grader` module for notebooks that still call their self-check."""
    module = types.ModuleType("grader", "At grading time the self-check does nothing.")
    module.check = module.check_all = SelfCheckStub()
    module.__version__ = ""
    return module


class OwnModuleFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a notebook's own `grader` and `inside`, and the self-check where it has none."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname == "grader":
            own = self.find_beside_notebook(fullname)
            return own or importlib.machinery.ModuleSpec(fullname, self)
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
        return make_grader_stub()

    def exec_module(self, module):
        """It is complete."""


def give_way():
    """Let files of the notebook come first, as they do in Jupyter.

    IPython leaves the working folder out of the path where Python was started with -P, as here, so
    that nothing a student wrote is imported before the notebook runs.
    """
    for name in ("grader", "inside"):
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, OwnModuleFinder())
    if "" not in sys.path:
        sys.path.insert(0, "")
