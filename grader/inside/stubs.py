"""Replace what a headless notebook can't have, so that the rest of a cell that uses it still runs.

Installers (`!pip`, `%conda`, `!apt`), `google.colab`, `input()`, figure windows, optional imports
that are not installed, and a `grader` whose checks do nothing. Each use leaves a note.
"""

import importlib.abc
import importlib.machinery
import sys

from inside import absent_gpu, absent_keyboard, hosted_notebooks, installers, own_modules


class Notes:
    """Notes on what was neutralized, by the number of the cell, from 0 over the cells that ran."""

    def __init__(self):
        self.cell = -1
        self.running = False
        self.by_cell = {}

    def add(self, text):
        """Add a note to the running cell, once, within bounds."""
        notes = self.by_cell.setdefault(self.cell, [])
        if text not in notes and len(notes) < 20:
            notes.append(text[:200])

    def watch(self, shell):
        """Count the cells that the shell runs; a cell run from within a cell is the same cell."""

        def begin(info):
            if not self.running:
                self.cell += 1
            self.running = True

        def end(result):
            self.running = False

        shell.events.register("pre_run_cell", begin)
        shell.events.register("post_run_cell", end)


class AbsentName:
    """A name of a module that is not installed: harmless until it is used."""

    def __init__(self, root, name):
        self.__dict__.update(_root=root, _name=name)

    def _fail(self, *args, **kwargs):
        root, name = self.__dict__["_root"], self.__dict__["_name"]
        raise ModuleNotFoundError(
            f"{name} was used, but {root} is not installed where this notebook is graded. "
            "Importing it costs nothing; using it does."
        )

    __call__ = __getitem__ = __iter__ = __enter__ = __len__ = __mro_entries__ = _fail

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._fail()


class FillingLoader(importlib.abc.Loader):
    """Makes a module that has every public name, each from `make_stub` and its full name."""

    def __init__(self, make_stub):
        self.make_stub = make_stub

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        fill_module(module, self.make_stub)


def fill_module(module, make_stub):
    """Let a module have every public name, made by `make_stub` from its full name."""

    def get_stub(name):
        if name.startswith("__"):
            raise AttributeError(name)
        return make_stub(f"{module.__name__}.{name}")

    module.__getattr__ = get_stub
    module.__path__ = []


class ForgivingLoader(importlib.abc.Loader):
    """Loads an optional module; one that is installed and fails gets absent names."""

    def __init__(self, loader, root):
        self.loader = loader
        self.root = root

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        try:
            self.loader.exec_module(module)
        except Exception:
            fill_module(module, lambda name: AbsentName(self.root, name))


class OptionalFinder(importlib.abc.MetaPathFinder):
    """Finds modules that the rubric declares optional, whether they are installed or not."""

    def __init__(self, roots, notes):
        self.roots = frozenset(roots)
        self.notes = notes

    def find_spec(self, fullname, path=None, target=None):
        root = fullname.partition(".")[0]
        if root not in self.roots:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = ForgivingLoader(spec.loader, root)
            return spec
        self.notes.add(f"{root} is not installed here: its import was let pass")
        loader = FillingLoader(lambda name: AbsentName(root, name))
        return importlib.machinery.ModuleSpec(fullname, loader, is_package=True)


def keep_figures_inline(shell, notes):
    """Let `%matplotlib widget` and the like show inline figures."""
    real_magic = shell.find_line_magic("matplotlib")

    def matplotlib(line=""):
        if line.strip() and line.strip() not in {"inline", "-l", "--list"}:
            notes.add(f"%matplotlib {line.strip()} was answered with inline figures")
            line = "inline"
        return real_magic(line)

    shell.register_magic_function(matplotlib, "line", "matplotlib")


def keep_streams_alive(shell):
    """Restore standard output and error after a cell that lost or closed them."""
    streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}

    def restore(result):
        for name, stream in streams.items():
            current = getattr(sys, name, None)
            if not hasattr(current, "flush") or getattr(current, "closed", False):
                setattr(sys, name, stream)

    shell.events.register("post_run_cell", restore)


def install_stubs(shell, kernel, *, optional_imports, notes):
    """Install every stub of this module."""
    notes.watch(shell)
    installers.Installers(shell, notes).install()
    absent_gpu.AbsentGpu(notes).install()
    keep_figures_inline(shell, notes)
    keep_streams_alive(shell)
    absent_keyboard.AbsentKeyboard(notes).install(shell, kernel)
    sys.meta_path.insert(0, OptionalFinder(optional_imports, notes))
    hosted_notebooks.install(shell, notes)
    own_modules.give_way()
