"""Replace what a headless notebook can't have, so that the rest of a cell that uses it still runs.

Installers (`!pip`, `%conda`, `!apt`), `google.colab`, `input()`, figure windows, modules that are
not installed, and a `grader` whose checks do nothing. Each use leaves a note.
"""

import functools
import re
import sys

from inside import (
    absent_gpu,
    absent_keyboard,
    hosted_notebooks,
    installers,
    kernel_surroundings,
    own_modules,
)
from inside.after_import import call_after_import
from inside.import_hook import ImportHook
from inside.old_ipython_names import keep_old_ipython_names
from inside.plot_styles import keep_old_style_names

WINDOW_BACKENDS = re.compile(r"(gtk[34]|qt[45]?|tk|wx)(agg|cairo)|wx|macosx", re.IGNORECASE)
"""Backends of matplotlib that need a screen."""


class Notes:
    """Notes on what was neutralized, by the number of the cell, from 0 over the cells that ran."""

    def __init__(self):
        self.cell = -1
        self.running = False
        self.by_cell = {}
        self.tell_check = lambda question: None
        """Called with the name of each question that the notebook would check itself."""

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


def keep_figures_inline(shell, notes):
    """Let `%matplotlib widget`, `matplotlib.use("TkAgg")` and the like show inline figures."""

    def keep_backend(module, name):
        owner = sys.modules[module]
        real_use = getattr(owner, name)

        @functools.wraps(real_use)
        def use(backend, *args, **kwargs):
            if not WINDOW_BACKENDS.fullmatch(str(backend)):
                return real_use(backend, *args, **kwargs)
            return notes.add(f"matplotlib's {backend} was answered with inline figures")

        setattr(owner, name, use)

    call_after_import(
        {
            "matplotlib": lambda: keep_backend("matplotlib", "use"),
            "matplotlib.pyplot": lambda: keep_backend("matplotlib.pyplot", "switch_backend"),
        }
    )
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


def install_stubs(
    shell, kernel, *, notes, unknown=(), where="where notebooks are graded", temporary=None
):
    """Install every stub.

    Args:
        shell: the notebook's shell.
        kernel: its kernel.
        notes: hears of each use.
        unknown: modules that are no package anyone knows; see `ImportHook`.
        where: where modules may be missing, in words.
        temporary: a sandbox's temporary folder; None on a student's own computer.
    """
    notes.watch(shell)
    kernel_surroundings.look_like_jupyter(kernel, notes)
    installers.Installers(shell, notes).install()
    absent_gpu.AbsentGpu(notes).install()
    keep_figures_inline(shell, notes)
    keep_streams_alive(shell)
    absent_keyboard.AbsentKeyboard(notes).install(shell, kernel)
    hook = ImportHook(shell, notes, unknown=dict(unknown), where=where)
    hosted_notebooks.install(shell, notes, hook.expects_absence, temporary)
    keep_old_style_names()
    keep_old_ipython_names()
    hook.install()
    own_modules.give_way(notes.tell_check)
