"""A plugin of pytest: `pytest rubrics/<id>/tests.py` runs the tests on the solved notebook.

So an instructor debugs a test as any other, in any editor. The notebook runs in this process, and
tests get its live names: what would rest on its own word, `grade validate` tells.
"""

import importlib.util
import os
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

FILE = "tests.py"


def pytest_collectstart(collector):
    """Bind the arguments of an assignment's tests once such a file is collected."""
    config = collector.config
    if not isinstance(collector, pytest.Module) or collector.path.name != FILE:
        return
    rubric = collector.path.parent.with_suffix(".toml")
    if rubric.parent.name != "rubrics" or not rubric.is_file():
        return
    plugin = config.pluginmanager.get_plugin("reference_notebook")
    if plugin is None:
        plugin = ReferencePlugin()
        config.pluginmanager.register(plugin, "reference_notebook")
    plugin.add_module(collector, rubric)


def _import_course_tests():
    """Import what runs tests; its packages have short names, which stand for themselves here."""
    folder = str(Path(__file__).resolve().parent.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    from course_tests import native_runs, test_plugin

    return native_runs, test_plugin


class ReferencePlugin:
    """Gives tests the names of the solved notebooks."""

    def __init__(self):
        self.native, self.binding = _import_course_tests()
        self.plugin = self.binding.TestPlugin()
        self.namespaces = {}
        self.folders = {}

    def add_module(self, collector, rubric):
        """Bind the arguments of a file's tests to the reference of a rubric."""
        self.folders[collector.path] = rubric
        self.plugin.pytest_collectstart(collector)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        """Run a test on the live names of its reference."""
        rubric = self.folders.get(item.path)
        if rubric is None:
            return (yield)
        reference = find_reference(rubric, getattr(item, "originalname", None) or item.name)
        if reference not in self.namespaces:
            self.namespaces[reference] = run_reference(rubric, reference)
        namespace, folder, kept_folder, kept = self.namespaces[reference]
        backend = ReferenceBackend(self.native, namespace, item, **kept)
        self.plugin.backend = backend
        before = Path.cwd()
        kept_folder.put_back()
        os.chdir(folder)
        try:
            return (yield)
        finally:
            os.chdir(before)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        """Call a test while its backend watches."""
        if pyfuncitem.path not in self.folders:
            return (yield)
        return (yield from self.plugin.pytest_pyfunc_call(pyfuncitem))


class ReferenceBackend:
    """Gives a test the names of the reference, for `reference` as well."""

    def __init__(self, native, namespace, item, **kept):
        self.backend = native.NativeBackend(namespace, item, seed=(0,), **kept)
        self.namespace = namespace

    def argument(self, name):
        """Return the value of an argument."""
        if name == "reference":
            return ReferenceNamespace(self.namespace)
        return self.backend.argument(name)

    def __getattr__(self, name):
        """Do all else as a test on live names does."""
        return getattr(self.backend, name)


class ReferenceNamespace:
    """A namespace whose names are attributes."""

    def __init__(self, namespace):
        self.__dict__.update(namespace)


def find_reference(rubric, test):
    """Return the path of the solved notebook that a test is about."""
    tables = tomllib.loads(rubric.read_text(encoding="utf-8"))
    notebooks = {table["id"]: table["reference"] for table in tables.get("notebook", ())}
    name = tables["assignment"].get("reference") or next(iter(notebooks.values()))
    for item in tables["item"]:
        tests = [check.get("params", {}).get("test") for check in item.get("check", ())]
        if test in tests:
            name = notebooks.get(item.get("notebook"), name)
    return rubric.parent.parent / name


def run_reference(rubric, path):
    """Run a solved notebook in this process.

    Returns its names, its folder, what puts that back, and its code and figures.

    Raises:
        RuntimeError: a cell does not run.
    """
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    folder = make_folder(rubric)
    os.environ.setdefault("MPLBACKEND", "agg")
    from inside import kept_figures, kept_folder

    kept_figures.keep_figures()
    shell = new_shell()
    kept_figures.close_with_cells(shell)
    seed_cell = cell_seeding(rubric, shell.user_ns)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for number, source in enumerate(cells):
            seed_cell(source)
            result = shell.run_cell(source, silent=True)
            error = result.error_before_exec or result.error_in_exec
            if error is not None:
                raise RuntimeError(f"{path}: code cell {number} does not run: {error!r}")
    finally:
        os.chdir(before)
    kept = {"cells": cells, "figures": kept_figures.take_figures()}
    return shell.user_ns, folder, kept_folder.KeptFolder(str(folder)), kept


def make_folder(rubric):
    """Make a folder with the files that lie beside a notebook and its tests; return its path."""
    folder = Path(tempfile.mkdtemp(prefix="reference-"))
    course = rubric.with_suffix("")
    for source in (course, course / "provided", course / "withheld"):
        if source.is_dir():
            shutil.copytree(source, folder, dirs_exist_ok=True, ignore=leave_out)
    return folder


def cell_seeding(rubric, names):
    """Return what is done before each cell, where a rubric has a seed for them."""
    assignment = tomllib.loads(rubric.read_text(encoding="utf-8"))["assignment"]
    if "cell_seed" not in assignment:
        return lambda source: None
    from inside.seeding import make_cell_seeding

    return make_cell_seeding(names, assignment["cell_seed"], assignment.get("seed_variable", ""))


def leave_out(folder, names):
    """Return what of the assignment's files lies beside no test and no notebook."""
    if Path(folder, "tests.py") not in map(Path(folder).joinpath, names):
        return ()
    others = {"tests.py", "checks.py", "cases", "provided", "withheld"}
    return [name for name in names if name in others or name.endswith((".toml", "cache__"))]


def new_shell():
    """Return a shell without names, in which a notebook of otter's runs, installed or not."""
    from inside.own_modules import make_stub
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()  # names of another notebook are not this one's
    shell = InteractiveShell.instance()
    shell.enable_gui = lambda gui=None: None  # `%matplotlib inline` asks for one
    if importlib.util.find_spec("otter") is None:
        sys.modules.setdefault("otter", make_stub("otter", lambda question: None))
    return shell
