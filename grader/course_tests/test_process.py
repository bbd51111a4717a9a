"""Run the tests of a course for one submission after another, each in a fork of this process.

A fork of the fork server, or a program of its own. It imports the tests once and computes fixtures
of session and module scope once. For each submission it forks: the fork asks the notebook through
the grader, which hands requests and replies on, and says what came of each test.

Orders, each a frame whose header names an `order`:

load   import the tests (`file`, below the working folder); answered by the tests there are
run    run tests (`tests`, `values`, `seed`, `cells`; `done`, the cases to leave out; `changes`,
       by case the calls that changed in the reference what they were given, or null for the
       reference itself); answered by requests and outcomes
"""

import contextlib
import io
import os
import secrets
import sys
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from course_tests.talk import NOTEBOOK, REFERENCE, NotebookGone, Talk
from course_tests.test_names import case_name, test_name
from inside import file_placement, frames

sys.path.pop(0)


VALUE_TESTS = "value_tests_of_the_grader.py"
"""The file that is collected beside a course's tests, for value checks where it has none."""


class GraderPipe:
    """The pipes to the grader, which relays to notebooks."""

    def __init__(self, reading, writing):
        self.reading = reading
        self.writing = writing

    def exchange(self, party, body):
        """Send a request to a notebook by way of the grader; return the reply."""
        frames.send(self.writing, {"frame": "ask", "party": party})
        frames.send_bytes(self.writing, body)
        reply = frames.receive_bytes(self.reading)
        try:
            gone = frames.read_header(reply).get("gone")
        except Exception as error:
            raise NotebookGone("invalid") from error
        if gone is not None:
            raise NotebookGone(str(gone)[:20])
        return reply


class LoadedTests:
    """The imported tests of one course."""

    def __init__(self, session, plugin, items):
        self.session = session
        self.plugin = plugin
        self.items = [item for item in items if item.path.name != VALUE_TESTS]
        self.first_item = next(iter(self.items or items))
        self.value_items = []

    def listing(self):
        """Return the cases of each test by its name, and the arguments it takes."""
        tests = {}
        for item in self.items:
            entry = tests.setdefault(test_name(item), {"cases": [], "arguments": []})
            entry["cases"].append(case_name(item))
            entry["arguments"] = sorted(item.fixturenames)
        return tests

    def load_wide_fixtures(self):
        """Compute the fixtures of session and module scope, so that forks share them."""
        from course_tests import test_plugin

        modules = {item.getparent(test_plugin.pytest.Module): None for item in self.items}
        for module in modules:
            marks = test_plugin.module_fixtures(module.obj)
            names = [n for n, m in marks.items() if str(m.scope) in test_plugin.WIDE_SCOPES]
            if not names:
                continue
            warm = test_plugin.make_warming_item(module, names)
            test_plugin.run_item(warm, self.items[0])
            outcome = self.plugin.outcomes.pop(warm.nodeid, {"outcome": "passed"})
            if outcome["outcome"] != "passed":
                raise RuntimeError(outcome.get("message", "a fixture failed"))

    def cases_of(self, order):
        """Return the item, the test's name, the case's name and the value check of each case."""
        from course_tests.test_plugin import make_value_items

        wanted, values = set(order["tests"]), order["values"]
        if values and not self.value_items:
            self.value_items = make_value_items(self.first_item)
        cases = [
            (item, test_name(item), case_name(item), None)
            for item in self.items
            if test_name(item) in wanted
        ]
        for name, spec in values.items():
            lengths = [len(given) for given in spec["given"].values()]
            cases += [
                # Two in turn: pytest would not set up one that follows itself.
                (self.value_items[(len(cases) + case) % 2], name, f"{name}[{case}]", (spec, case))
                for case in range(min(lengths) if lengths else spec["times"])
            ]
        return cases

    def other_than(self, item):
        """Return another item of the same file."""
        others = (other for other in (*self.items, *self.value_items) if other is not item)
        return next(others, item)

    def run(self, order, pipe):
        """Run tests for one submission; yield the name and the outcome of each case."""
        cases = [case for case in self.cases_of(order) if case[2] not in order["done"]]
        keeps = False  # a fork from which the last test only read is as good as a new one
        for number, (item, name, case, spec) in enumerate(cases):
            following = cases[number + 1][0] if number + 1 < len(cases) else None
            # At the end nothing of wider scope is torn down: it belongs to the parent.
            turn = (item, following or self.other_than(item))
            job = {**order, "value": spec, "test": name, "case": case}
            outcome, keeps = self.run_case(job, turn, pipe, keeps=keeps)
            if order["changes"] is not None and outcome["outcome"] == "passed":
                may_change = order["changes"].get(case, ())
                if set(outcome["changes"]) - set(may_change):
                    # It may have changed what the expected value is computed from.
                    outcome, keeps = self.run_case(job, turn, pipe, may_change=may_change)
            yield outcome

    def run_case(self, job, turn, pipe, *, keeps=False, may_change=None):
        """Run a case of a test; return its outcome, and whether its fork is as good as new."""
        from course_tests import test_plugin

        begin = {"frame": "begin", "test": job["test"], "case": job["case"], "keeps": keeps}
        frames.send(pipe.writing, begin)
        folder = Path.cwd()
        notebook = Talk(NOTEBOOK, pipe.exchange, folder, may_change)
        talks = {NOTEBOOK: notebook, REFERENCE: Talk(REFERENCE, pipe.exchange, folder)}
        item, following = turn
        copies = folder / "copies"
        self.plugin.backend = test_plugin.RemoteBackend(talks, job, item, copies)
        began = time.process_time()
        test_plugin.run_item(item, following)
        outcome = self.plugin.outcomes.pop(item.nodeid, {"outcome": "error"})
        is_gone = outcome["outcome"] == "gone"
        outcome |= {
            "case": job["case"],
            "test": job["test"],
            "requests": notebook.count or int(self.plugin.backend.has_read_code),
            "words": notebook.word_steps,
            "operators": notebook.own_steps,
            "changes": notebook.changes,
            "seconds": time.process_time() - began,
        }
        return outcome, not is_gone and not any(talk.has_touched for talk in talks.values())


class ServingPlugin:
    """Lets pytest collect, and then serves runs where pytest would run the tests once."""

    def __init__(self, plugin, pipe):
        self.plugin = plugin
        self.pipe = pipe
        self.problems = []

    def pytest_collect_directory(self, path, parent):
        """Collect the given files without a look at what else is in their folders."""
        from course_tests.test_plugin import FolderOfGiven

        return FolderOfGiven.from_parent(parent, path=path)

    def pytest_collectreport(self, report):
        """Keep why a file could not be imported."""
        if report.failed:
            self.problems.append(report.longreprtext.strip())

    def pytest_runtestloop(self, session):
        """Say what was collected, and serve until the other end closes."""
        if self.problems:
            raise RuntimeError("\n".join(self.problems))
        bench = LoadedTests(session, self.plugin, session.items)
        bench.load_wide_fixtures()
        frames.send(self.pipe.writing, {"frame": "loaded", "tests": bench.listing()})
        while True:
            try:
                order, _ = frames.receive(self.pipe.reading)
            except (frames.PipeClosed, OSError):
                os._exit(0)
            run_in_fork(bench, order, self.pipe)


def serve(reading, writing):
    """Load the tests that are sent, and run them as often as ordered; never returns."""
    order, _ = frames.receive(reading)
    folder = Path.cwd() / secrets.token_hex(16)  # see own_paths
    folder.mkdir(mode=0o700)
    os.chdir(folder)
    file_placement.receive_files(reading, order["files"])
    sys.path.append(str(folder))  # last: a module of the tests' own hides none
    try:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        import pytest
        from course_tests.test_plugin import TestPlugin

        plugin = TestPlugin()
        serving = ServingPlugin(plugin, GraderPipe(reading, writing))
        serving.pytest_runtestloop = raising(serving.pytest_runtestloop, writing)
        output = io.StringIO()
        files = [str(Path(order["file"]).resolve())] if order["file"] else []
        options = [
            *files,
            str(write_value_tests(folder)),
            "-q",
            "-p",
            "no:cacheprovider",
            "--noconftest",
        ]
        options += ["-c", os.devnull, f"--rootdir={Path.cwd()}", "--import-mode=importlib"]
        options += ["--tb=native", f"--basetemp={Path.cwd() / 'temporary'}"]
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            pytest.main(options, plugins=[plugin, serving])
        error = output.getvalue()[-6000:]
    except BaseException as fault:
        error = describe(fault)
    frames.send(writing, {"frame": "failed", "error": error})


def write_value_tests(folder):
    """Write a file of tests for VAL001, and return its path.

    pytest imports the packages around a file; those around ours can't be read at `reduced`.
    """
    path = folder / VALUE_TESTS
    path.write_text("from course_tests.value_tests import test_nothing\n", encoding="utf-8")
    return path


def raising(loop, writing):
    """Return the loop so that it tells why it failed: pytest would print its own error for it."""

    def run(session):
        try:
            loop(session)
        except BaseException as error:
            frames.send(writing, {"frame": "failed", "error": describe(error)})
            os._exit(0)

    return run


def describe(error):
    """Return why tests could not be loaded."""
    if isinstance(error, RuntimeError):
        return str(error)[:4000]
    return "".join(traceback.format_exception(error))[-3000:]


def run_in_fork(bench, order, pipe):
    """Run tests in a fork; whatever it leaves behind goes with it."""
    kept = set(Path.cwd().rglob("*"))
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        remove_others(kept)
        frames.send(pipe.writing, {"frame": "end", "status": os.waitstatus_to_exitcode(status)})
        return
    try:
        sys.addaudithook(refuse_pickles)
        warnings.simplefilter("ignore")
        sink = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            for outcome in bench.run(order, pipe):
                frames.send(pipe.writing, {"frame": "outcome", "outcome": without_folder(outcome)})
        os._exit(0)
    except BaseException:
        os._exit(70)


def without_folder(outcome):
    """Return an outcome without the name of the working folder, which is another each time."""
    folder = f"{Path.cwd()}/"
    return {k: v.replace(folder, "") if isinstance(v, str) else v for k, v in outcome.items()}


def remove_others(kept):
    """Remove what a run left in the working folder."""
    for path in sorted(set(Path.cwd().rglob("*")) - kept, reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def refuse_pickles(event, arguments):
    """Refuse to make objects of a pickle: what comes of a notebook could be one that runs code."""
    if event == "pickle.find_class":
        raise RuntimeError("a test can't read pickles; a fixture of session scope can")


if __name__ == "__main__":
    requests, results = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)
    serve(requests, results)
