"""Bind the arguments of a course's tests, run them, and say what came of each.

A plugin of pytest: an argument that is no fixture is a name of the notebook.
"""

import contextlib
import inspect
import re
import types
from pathlib import Path

import pytest
from course_tests import arguments
from course_tests.doctest_examples import EXAMPLES, Examples
from course_tests.failure_text import describe_failure
from course_tests.nose_names import offer_nose
from course_tests.notebook_source import Source
from course_tests.scores import AUTOTEST, EARNED, Autotest, Earned
from course_tests.talk import NOTEBOOK, REFERENCE, NotebookGone
from course_tests.tests_as_cells import AS_CELL, RemoteNames, cell_function
from course_tests.value_tests import ValueCheck, check_value

PYTEST_ARGUMENTS = frozenset(
    [
        *("request", "tmp_path", "tmp_path_factory", "tmpdir", "monkeypatch", "recwarn", "caplog"),
        *("capsys", "capfd", "capsysbinary", "capfdbinary", "pytestconfig", "subtests"),
        *("record_property", "record_testsuite_property", "doctest_namespace"),
    ]
)
"""Arguments that pytest gives; a name of the notebook that is one of these can't be an argument."""
WIDE_SCOPES = ("session", "package", "module")


class ReferenceNames:
    """The reference as an object: its names are attributes."""

    def __init__(self, talk):
        self._talk = talk

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._talk.fetch(name)


class NoBackend:
    """What fixtures of wide scope get, which are computed before there is a notebook."""

    def watching(self):
        """Watch nothing."""
        return contextlib.nullcontext()

    def argument(self, name):
        """Refuse."""
        raise RuntimeError(f"a fixture of session or module scope can't take {name}")

    def explain(self, item, call, compared):
        """Return the outcome of what raised."""
        return {"outcome": "error", "message": str(call.excinfo.value)[:2000]}


offer_nose()


class TestPlugin:
    """Binds arguments to the backend, which changes from submission to submission.

    backend: gives `fetch(name)`, `reference()` and the other arguments by name.
    """

    def __init__(self):
        self.backend = NoBackend()
        self.outcomes = {}
        self.compared = None
        self.bound_names = set()

    # ------------------------------------------------------------ collection

    @pytest.hookimpl
    def pytest_collectstart(self, collector):
        """Make a fixture of each argument that nobody else gives."""
        if not isinstance(collector, pytest.Module):
            return
        try:
            module = collector.obj
        except BaseException:  # pytest tells why, once it collects
            return
        known = {*PYTEST_ARGUMENTS, *module_fixtures(module), *self.bound_names}
        wanted = argument_names(module) - known
        if wanted:
            holder = types.ModuleType(f"notebook_names_{len(self.bound_names)}")
            for name in sorted(wanted):
                setattr(holder, f"bind_{name}", self.make_fixture(name))
            self.bound_names |= wanted
            collector.config.pluginmanager.register(holder)

    def make_fixture(self, name):
        """Return a fixture that gives an argument of ours, or a name of the notebook."""

        @pytest.fixture(name=name)
        def bind():
            return self.backend.argument(name)

        return bind

    # ------------------------------------------------------------ runs

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        """Call the test while the backend watches."""
        function = pyfuncitem.obj
        with self.backend.watching(), as_its_own_kind(pyfuncitem, self.backend):
            result = yield
            compare_with_reference(pyfuncitem, function, self.backend)
            return result

    @pytest.hookimpl
    def pytest_assertrepr_compare(self, config, op, left, right):
        """Keep both sides of a comparison that failed; pytest words it for itself."""
        self.compared = (left, right)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Keep what came of the test, worded here, where the values are."""
        report = yield
        outcome = self.outcomes.setdefault(item.nodeid, {"outcome": "passed"})
        if call.excinfo is not None and outcome["outcome"] == "passed":
            outcome.update(self.backend.explain(item, call, self.compared))
        score = item.funcargs.get(EARNED) if call.when == "call" else None
        if isinstance(score, Earned) and score.share is not None and not call.excinfo:
            outcome |= {"share": str(score.share), "sentence": score.text}
            outcome["scored"] = score.is_number
        self.compared = None
        return report


@contextlib.contextmanager
def as_its_own_kind(item, backend):
    """Let a test that takes `as_cell` be called as a cell of the notebook."""
    if AS_CELL not in item.fixturenames:
        yield
        return
    function = item.obj
    item.obj = cell_function(function, item.config, backend.names_of_notebook())
    try:
        yield
    finally:
        item.obj = function
        backend.restore()


def compare_with_reference(item, function, backend):
    """Compare what a test kept by `autotest` with what it keeps of the reference."""
    kept = item.funcargs.get(AUTOTEST)
    if not isinstance(kept, Autotest):
        return
    expected = Autotest()
    names = item._fixtureinfo.argnames
    if AS_CELL in names:
        function = cell_function(function, item.config, backend.reference_names())
    own = {AS_CELL: None, AUTOTEST: expected, EARNED: Earned()}
    function(**{n: own[n] if n in own else backend.reference_argument(n) for n in names})
    kept.compare(expected)


def run_item(item, following):
    """Run a test with its fixtures; those of wider scope are kept for the following one."""
    item.ihook.pytest_runtest_protocol(item=item, nextitem=following)


def make_warming_item(module, names):
    """Return a test of nothing that takes some fixtures, so that they are computed."""

    def warm(**_):
        pass

    parameters = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY) for n in names]
    warm.__signature__ = inspect.Signature(parameters)
    return pytest.Function.from_parent(module, name="session fixtures", callobj=warm)


class FolderOfGiven(pytest.Directory):
    """A folder on the way to the files that pytest was given.

    pytest lists each one from the root on, and at the level `reduced` most can't be listed.
    """

    def collect(self):
        """Yield the given files in it, and the folders that lead to others."""
        files = [Path(file) for file in self.config.args if self.path in Path(file).parents]
        children = [self.path / file.relative_to(self.path).parts[0] for file in files]
        for child in dict.fromkeys(children):  # items of one folder share one collector
            if child in files:
                yield from self.ihook.pytest_collect_file(file_path=child, parent=self)
            else:
                yield self.ihook.pytest_collect_directory(path=child, parent=self)


def make_value_items(item):
    """Return two items of the test behind VAL001, in the file of another item."""
    module = item.getparent(pytest.Module)
    return [
        pytest.Function.from_parent(module, name=f"value check {number}", callobj=check_value)
        for number in range(2)
    ]


def explain_call(item, call, talks, compared, cells):
    """Return the outcome of a test that raised, by what it raised."""
    error = call.excinfo.value
    notebook, reference = talks[NOTEBOOK], talks.get(REFERENCE)
    gone = next((e for e in chain(error) if isinstance(e, NotebookGone)), None)
    if gone is not None and reference is not None and reference.is_gone and not notebook.is_gone:
        return {"outcome": "error", "message": "the reference ended"}
    if gone is not None:
        described = describe_failure(item, call.excinfo)
        return {"outcome": "gone", "status": gone.status, "call": described.get("call", "")}
    if notebook.missing and isinstance(error, NameError):
        return {"outcome": "missing", "names": notebook.missing[:3]}
    if isinstance(error, pytest.skip.Exception):
        return {"outcome": "skipped", "message": str(error)[:300]}
    # What the reference raises after the notebook was asked, it raises at what that one gave.
    asked = notebook.count or (call.when == "call" and not (reference and reference.raised))
    raised = any(error is other for other in notebook.raised)
    is_verdict = isinstance(error, (AssertionError, pytest.fail.Exception))
    outcome = "raised" if raised else "failed" if is_verdict else "stopped"
    described = describe_failure(item, call.excinfo, compared)
    if raised:
        described |= tell_place(error, notebook.stubs.where_raised(error), cells)
    return {"outcome": outcome if asked else "error", **described}


def tell_place(error, where, cells):
    """Return where the notebook raised, and whether its words for that stand in its code.

    Others may be made when it is asked, to tell who reads the report what it was asked.
    """
    function, line = where
    code = "\n".join(cells)
    words = {*re.findall(r"\w+", code), "<module>", "<lambda>", "<listcomp>", "<genexpr>"}
    kind = type(error)
    is_written = kind.__module__ != "notebook" or kind.__name__ in words
    is_place = function is None or (function in words and line <= code.count("\n") + 1)
    return {"where": [function, line], "is_written": is_written and is_place}


def chain(error):
    """Yield an exception and those that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def argument_names(module):
    """Return the names that the tests and fixtures of a module take as arguments."""
    names = set()
    for value in vars(module).values():
        function = fixture_function(value)
        is_test = inspect.isfunction(value) and value.__name__.startswith("test")
        if function is not None:
            names |= parameters_of(function)
        elif is_test:
            names |= parameters_of(value) - parametrized_names(value)
        elif inspect.isclass(value) and value.__name__.startswith("Test"):
            for method in vars(value).values():
                if inspect.isfunction(method) and method.__name__.startswith("test"):
                    names |= parameters_of(method) - parametrized_names(method) - {"self"}
    return names


def parameters_of(function):
    """Return the names of the parameters without defaults."""
    return {
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }


def parametrized_names(function):
    """Return the names that `parametrize` gives."""
    names = set()
    for mark in getattr(function, "pytestmark", ()):
        if mark.name == "parametrize":
            given = mark.args[0] if mark.args else mark.kwargs.get("argnames", "")
            parts = given.split(",") if isinstance(given, str) else given
            names |= {part.strip() for part in parts}
    return names


def module_fixtures(module):
    """Return the mark of each fixture that a module defines, by the name of the fixture."""
    marks = {name: fixture_marker(value) for name, value in vars(module).items()}
    return {(m.name or name): m for name, m in marks.items() if m is not None}


def fixture_marker(value):
    """Return what `pytest.fixture` noted of a fixture, or None of anything else."""
    for attribute in ("_fixture_function_marker", "_pytestfixturefunction"):
        mark = inspect.getattr_static(value, attribute, None)
        if type(mark).__name__ == "FixtureFunctionMarker":
            return mark
    return None


def fixture_function(value):
    """Return the function of a fixture, or None of anything else."""
    if fixture_marker(value) is None:
        return None
    if hasattr(value, "_get_wrapped_function"):
        return value._get_wrapped_function()
    return inspect.unwrap(value)


def printed_reader(talk):
    """Return what reads the text that a notebook has printed; it asks where that may be more."""
    printed = arguments.Printed(lambda: talk.ask("printed"))
    known = {"text": "", "count": -1}

    def read():
        if known["count"] != talk.count:
            known.update(text=printed.text(), count=talk.count)
        return known["text"]

    return read


class RemoteBackend:
    """Gives a test the remote objects of one submission.

    talks: the talks with the notebook and, where there is one, the reference.
    job: `seed` and `cells`.
    """

    def __init__(self, talks, job, item, folder):
        self.talks = talks
        self.job = job
        self.item = item
        self.folder = folder
        self.has_read_code = False

    def watching(self):
        """Watch nothing: the notebook is in another process."""
        return contextlib.nullcontext()

    def argument(self, name):
        """Return the value of an argument."""
        notebook = self.talks[NOTEBOOK]
        give = {
            "reference": lambda: ReferenceNames(self.talks[REFERENCE]),
            "draw": lambda: arguments.Draw(self.job["seed"], self.item.nodeid.partition("::")[2]),
            "files": lambda: arguments.Files(notebook, self.folder),
            "printed": lambda: arguments.Printed(lambda: notebook.ask("printed")),
            "stdin": lambda: lambda *lines: notebook.ask("stdin", list(map(str, lines))),
            "figures": lambda: arguments.Figures(lambda: notebook.ask("figures")),
            "source": lambda: Source(self.read_code),
            "value_check": self.make_value_check,
            AS_CELL: lambda: None,
            EARNED: Earned,
            AUTOTEST: Autotest,
            EXAMPLES: lambda: Examples(printed_reader(notebook)),
        }.get(name)
        return notebook.fetch(name) if give is None else give()

    def read_code(self):
        """Return the code of the notebook's cells."""
        self.has_read_code = True
        return self.job["cells"]

    def names_of_notebook(self):
        """Return the notebook's names, for a test that runs as a cell."""
        return RemoteNames(self.talks[NOTEBOOK], self.job["cells"])

    def reference_names(self):
        """Return the reference's names."""
        return RemoteNames(self.talks[REFERENCE], self.job["cells"])

    def reference_argument(self, name):
        """Return the value of an argument that is a name of the notebook, of the reference's."""
        return self.talks[REFERENCE].fetch(name)

    def restore(self):
        """Restore nothing: the fork of the notebook ends with the test."""

    def make_value_check(self):
        """Return the value check that the rubric asks for."""
        spec, case = self.job["value"]
        return ValueCheck(
            spec,
            case,
            notebook=self.talks[NOTEBOOK].fetch,
            reference=self.talks[REFERENCE].fetch,
            is_own=lambda error: self.talks[REFERENCE].stubs.where_raised(error)[0] is not None,
            draw=arguments.Draw(self.job["seed"], spec["ask"]),
        )

    def explain(self, item, call, compared):
        """Return the outcome of a test that raised."""
        return explain_call(item, call, self.talks, compared, self.job["cells"])
