"""Replace what a headless notebook can't have, so that the rest of a cell that uses it still runs.

Installers (`!pip`, `%conda`, `!apt`), `google.colab`, `input()`, figure windows, modules that are
not installed, and a `grader` whose checks do nothing. Each use leaves a note.
"""

import importlib.abc
import importlib.machinery
import re
import sys
import types

from inside.import_hook import ImportHook
from inside.plot_styles import keep_old_style_names

INSTALLER = re.compile(
    r"^\s*(sudo\s+)?(\S*python[\d.]*\s+-m\s+)?(pip[\d.]*|uv|conda|mamba|micromamba|apt|apt-get|brew)\b"
)
INPUT_ANSWER = "1"
"""What `input()` answers: it reads as a word, as a whole number and as a float."""


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


class IdleStub:
    """An object whose every attribute can be called, and nothing happens."""

    def __init__(self, name, notes):
        self.__dict__.update(_name=name, _notes=notes)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return IdleStub(f"{self.__dict__['_name']}.{name}", self.__dict__["_notes"])

    def __call__(self, *args, **kwargs):
        name = self.__dict__["_name"]
        self.__dict__["_notes"].add(f"{name}(…) did nothing: there is no Colab here")
        return {} if name.endswith("upload") else None


class ColabFinder(importlib.abc.MetaPathFinder):
    """Finds `google.colab`, and `google` itself where nothing else does."""

    def __init__(self, notes):
        self.notes = notes

    def find_spec(self, fullname, path=None, target=None):
        is_colab = fullname == "google.colab" or fullname.startswith("google.colab.")
        if not is_colab and fullname != "google":
            return None
        loader = FillingLoader(lambda name: IdleStub(name, self.notes)) if is_colab else None
        spec = importlib.machinery.ModuleSpec(fullname, loader, is_package=True)
        if not is_colab:
            spec.submodule_search_locations = []
        return spec


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


def neutralize_installers(shell, notes):
    """Let `!pip …`, `%pip …` and the like do nothing."""
    real_system, real_getoutput = shell.system, shell.getoutput

    def system(command, *args, **kwargs):
        if INSTALLER.match(str(command)):
            notes.add(f"!{command.strip()} was left out")
            return None
        return real_system(command, *args, **kwargs)

    def getoutput(command, *args, **kwargs):
        if INSTALLER.match(str(command)):
            notes.add(f"!{command.strip()} was left out")
            return real_getoutput("true", *args, **kwargs)
        return real_getoutput(command, *args, **kwargs)

    object.__setattr__(shell, "system", system)
    object.__setattr__(shell, "getoutput", getoutput)

    def make_magic(name):
        return lambda line="", cell=None: notes.add(f"%{name} {line.strip()} was left out")

    for name in ("pip", "conda", "mamba", "micromamba", "uv"):
        shell.register_magic_function(make_magic(name), "line", name)


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


def answer_input(kernel, notes):
    """Answer `input()` and `getpass()` at once, since nobody sits at the keyboard."""

    def answer(prompt="", *args, **kwargs):
        notes.add(f"input() was answered with {INPUT_ANSWER!r}")
        return INPUT_ANSWER

    object.__setattr__(kernel, "raw_input", answer)
    object.__setattr__(kernel, "getpass", answer)


def install_stubs(shell, kernel, *, notes, unknown=(), where="where notebooks are graded"):
    """Install every stub.

    Args:
        shell: the notebook's shell.
        kernel: its kernel.
        notes: hears of each use.
        unknown: modules that are no package anyone knows; see `ImportHook`.
        where: where modules may be missing, in words.
    """
    notes.watch(shell)
    neutralize_installers(shell, notes)
    keep_figures_inline(shell, notes)
    keep_streams_alive(shell)
    answer_input(kernel, notes)
    sys.modules["grader"] = make_grader_stub()
    sys.meta_path.append(ColabFinder(notes))
    keep_old_style_names()
    ImportHook(shell, notes, unknown=dict(unknown), where=where).install()
