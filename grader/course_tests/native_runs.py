"""Run tests on live names, in the process that made them: there is no wall, and nothing counts.

So students run public tests themselves, and so an instructor runs a file of tests on the reference
with pytest. What is said of a failure is said in the same words as where it counts.
"""

import builtins
import contextlib
import dis
import io
import os
import sys
from pathlib import Path

import pytest
from course_tests import arguments
from course_tests.doctest_examples import EXAMPLES, Examples
from course_tests.failure_text import describe_failure
from course_tests.folder_copies import in_copy_of_folder
from course_tests.notebook_source import Source
from course_tests.scores import AUTOTEST, EARNED, Autotest, Earned
from course_tests.test_names import case_name, test_name
from course_tests.test_plugin import TestPlugin
from course_tests.tests_as_cells import AS_CELL, LiveNames
from inside.kept_figures import describe_figures, keeping_for_test
from inside.typed_lines import type_lines


class NativeBackend:
    """Gives a test the live values of a namespace.

    cells: the source of the notebook's code cells.
    figures: its figures; None for those of the notebook that ran last.
    """

    def __init__(self, namespace, item, *, seed, cells, figures=None):
        self.namespace = namespace
        self.item = item
        self.seed = seed
        self.cells = cells
        self.figures = figures
        self.missing = []
        self.output = io.StringIO()
        self.live_names = None

    def argument(self, name):
        """Return the value of an argument."""
        give = {
            "draw": lambda: arguments.Draw(self.seed, self.item.nodeid.partition("::")[2]),
            "files": lambda: LocalFiles(Path.cwd()),
            "printed": lambda: arguments.Printed(self.output.getvalue),
            "stdin": lambda: self.type_lines,
            "figures": lambda: arguments.Figures(describe_figures),
            "source": lambda: Source(lambda: self.cells),
            AS_CELL: lambda: None,
            EARNED: Earned,
            AUTOTEST: Autotest,
            EXAMPLES: lambda: Examples(self.output.getvalue),
        }.get(name, lambda: self.fetch(name))
        return give()

    def names_of_notebook(self):
        """Return the live names, for a test that runs as a cell."""
        self.live_names = LiveNames(self.namespace)
        return self.live_names

    reference_names = names_of_notebook

    def reference_argument(self, name):
        """Return the value of a name: where nothing counts, the notebook stands for both."""
        return self.fetch(name)

    def restore(self):
        """Give the names the values that they had before the test."""
        self.live_names.restore()

    def fetch(self, name):
        """Return the value of a name of the notebook."""
        if name not in self.namespace:
            self.missing.append(name)
            raise NameError(f"no name {name} was left when the run ended")
        return self.namespace[name]

    def type_lines(self, *lines):
        """Let `input()` read these lines until the test ends."""
        type_lines(io.StringIO("".join(f"{line}\n" for line in lines)))

    def explain(self, item, call, compared):
        """Return the outcome of a test that raised."""
        error = call.excinfo.value
        if self.missing and isinstance(error, NameError):
            return {"outcome": "missing", "names": self.missing[:3]}
        if isinstance(error, pytest.skip.Exception):
            return {"outcome": "skipped", "message": str(error)[:300]}
        described = describe_failure(item, call.excinfo, compared)
        entries = reversed(call.excinfo.traceback)  # the last may be a library's that it called
        own = next((e for e in entries if e.frame.f_globals is self.namespace), None)
        if own is not None:
            where = [own.frame.code.name, own.lineno + 1]
            return {"outcome": "raised", **described, "where": where}
        is_verdict = isinstance(error, (AssertionError, pytest.fail.Exception))
        return {"outcome": "failed" if is_verdict else "stopped", **described}

    @contextlib.contextmanager
    def watching(self):
        """Keep what is printed, and restore what the test changed."""
        real_input = builtins.input
        try:
            with contextlib.redirect_stdout(self.output), keeping_for_test(self.figures):
                yield
        except KeyboardInterrupt as error:  # pytest would end, with all tests that follow
            if not was_raised(error):
                raise
            stub = type(type(error).__name__, (Exception,), {})
            raise stub(*error.args).with_traceback(error.__traceback__) from None
        finally:
            builtins.input = real_input


def was_raised(error):
    """Return whether a `raise` made an exception, and no key that somebody pressed."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"


class LocalFiles(arguments.FileNames):
    """The files of a folder; `files["out.csv"]` is the path of the file itself."""

    def __init__(self, folder):
        self.folder = folder

    def names(self):
        """Return the names of the files below the folder."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix() for path in paths}

    def copy(self, name):
        """Return the path of a file."""
        return self.folder / name


class NativeRun:
    """Collects tests and runs some of them; what came of each case is in `outcomes`, by test."""

    def __init__(self, plugin, namespace, *, tests, seed, cells):
        self.plugin = plugin
        self.namespace = namespace
        self.tests = tests
        self.seed = seed
        self.cells = cells
        self.outcomes = {}
        self.problem = ""

    def pytest_collectreport(self, report):
        """Keep why a file could not be imported."""
        if report.failed:
            self.problem = report.longreprtext.strip()

    def pytest_runtestloop(self, session):
        """Run the tests in place of pytest."""
        items = [item for item in session.items if test_name(item) in self.tests]
        for number, item in enumerate(items):
            following = items[number + 1] if number + 1 < len(items) else None
            backend = NativeBackend(self.namespace, item, seed=self.seed, cells=self.cells)
            self.plugin.backend = backend
            with in_copy_of_folder():
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            outcome = self.plugin.outcomes.pop(item.nodeid, {"outcome": "error"})
            outcome |= {"case": case_name(item), "test": test_name(item)}
            self.outcomes.setdefault(test_name(item), []).append(outcome)
        return True


def run_native(path, namespace, *, tests, seed, cells):
    """Run some tests of a file on a namespace; return what came of each case, by test.

    Raises:
        RuntimeError: the file can't be imported.
    """
    plugin = TestPlugin()
    run = NativeRun(plugin, namespace, tests=tests, seed=seed, cells=cells)
    file = Path(path).resolve()
    options = [str(file), "-q", "-s", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull]
    options += [f"--rootdir={file.parent}", "--import-mode=importlib"]
    autoload = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    modules = set(sys.modules)
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            pytest.main(options, plugins=[plugin, run])
    finally:
        for name in set(sys.modules) - modules:  # read anew next time
            if getattr(sys.modules[name], "__file__", None) == str(file):
                del sys.modules[name]
        if autoload is None:
            del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        else:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = autoload
    if run.problem:
        raise RuntimeError(run.problem[:3000])
    return run.outcomes
