"""Runs the course's tests for one notebook after another, in processes kept for a class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event

from grader import kernel, sandbox
from grader.kernel.conversation import Conversation
from grader.kernel.test_bench import TestBench, TestRun
from grader.model import Json, Limits, Notebook, Observation, Question, Rubric
from grader.pipeline.reference import Reference
from grader.pipeline.supplied_files import list_course_files

TESTS_KEY = "tests"
"""The key in an observation's data of the digest of the tests that it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRunner:
    """The processes that run tests, as many as notebooks may run at once."""

    __test__ = False  # no test of pytest's, whatever its name

    questions: tuple[Question, ...]
    """The tests of the rubric, as questions."""
    benches: SimpleQueue[TestBench]
    reference: Reference
    sha256: str
    """Digest of the tests' files, which stands with what came of them."""
    expected: dict[str, Observation] = field(default_factory=dict)
    """What came of the reference, which is run before any other notebook."""

    def run(
        self, notebook: Notebook, live: kernel.LiveNotebook | Reference
    ) -> Mapping[str, Observation]:
        """Return what came of each test, by the question's id.

        Args:
            notebook: the notebook, whose code tests may read.
            live: its live process.
        """
        groups: dict[tuple[str, str], list[Question]] = {}
        for question in self.questions:
            seed, moment = str(question.params["seed"]), str(question.params.get("at", ""))
            groups.setdefault((seed, moment), []).append(question)
        cells = [cell.source for cell in notebook.code_cells()]
        answers: dict[str, Observation] = {}
        for (_, moment), questions in groups.items():
            names = {run_name(question): question.id for question in questions}
            expected = None if live is self.reference else self.expected
            run = plan_test_run(questions, cells=cells, expected=expected)
            for name, answer in self._run(run, live, at=moment).items():
                data = {**answer.data, TESTS_KEY: self.sha256}
                answers[names[name]] = replace(answer, id=names[name], data=data)
        if live is self.reference:
            self.expected.update(answers)
        return answers

    def _run(
        self, run: TestRun, live: kernel.LiveNotebook | Reference, *, at: str
    ) -> Mapping[str, Observation]:
        parties = {"notebook": live, "reference": self.reference}
        shared: list[Conversation] = []

        def converse(party: str, _case: str) -> Conversation | None:
            # Where both parties are the reference, one fork is both.
            if live is self.reference and shared and not shared[-1].is_closed:
                return shared[-1]
            conversation = parties[party].open_conversation(at=at)
            shared[:] = [conversation] if conversation is not None else []
            return conversation

        bench = self.benches.get()
        try:
            return bench.run(run, converse=converse)
        finally:
            self.benches.put(bench)


def run_name(question: Question) -> str:
    """Return the name under which a test or a value check is told."""
    return question.id if "value" in question.params else str(question.params["test"])


def told_name(question: Question) -> str:
    """Return what an author calls a test: the expression of a value check, or its name."""
    value = question.params.get("value")
    return f"`{value['ask']}`" if isinstance(value, dict) else str(question.params["test"])


def plan_test_run(
    questions: Sequence[Question],
    *,
    cells: Sequence[str],
    expected: Mapping[str, Observation] | None,
) -> TestRun:
    """Return the run of tests and value checks that draw from one seed.

    Args:
        questions: the tests and value checks.
        cells: the code of the notebook's cells.
        expected: what came of the reference, by question; None for the run of the reference itself.
    """
    return TestRun(
        tests=tuple(run_name(q) for q in questions if "value" not in q.params),
        values={run_name(q): q.params["value"] for q in questions if "value" in q.params},
        seed=tuple(bytes.fromhex(str(questions[0].params["seed"]))),
        cells=cells,
        changes=None if expected is None else dict(_changes(questions, expected)),
    )


def _changes(
    questions: Sequence[Question], expected: Mapping[str, Observation]
) -> Iterator[tuple[str, Json]]:
    """Yield by case the calls that changed in the reference what they were given."""
    for question in questions:
        answer = expected.get(question.id)
        cases = answer.data.get("cases") if answer is not None else None
        for case in cases if isinstance(cases, list) else ():
            match case:
                case {"case": str(name), "changes": list(changes)}:
                    yield name, changes
                case _:
                    pass


def tests_digest(rubric: Rubric) -> str:
    """Return the digest of the tests' files; '' where an assignment has value checks alone."""
    return rubric.tests.sha256 if rubric.tests else ""


def _read_by_tests(rubric: Rubric) -> Mapping[str, Path]:
    """Return the data beside notebooks that tests name, and so may read on our side.

    Modules are the notebook's, whose objects they are given.
    """
    if rubric.tests is None:
        return {}
    text = rubric.tests.path.read_text(encoding="utf-8")
    return {
        name: path
        for name, path in list_course_files(rubric).items()
        if path.suffix != ".py" and path.stem in text
    }


def make_test_bench(
    rubric: Rubric, fork_server: sandbox.ForkServer, *, limits: Limits, stop: Event
) -> TestBench:
    """Return a process for the tests of a rubric, which is started when it is needed."""
    tests = rubric.tests
    return TestBench(
        fork_server,
        files={**_read_by_tests(rubric), **tests.files} if tests else {},
        file=tests.path.name if tests else "",
        limits=limits,
        stop=stop,
    )


@contextmanager
def open_test_runner(
    rubric: Rubric,
    *,
    questions: tuple[Question, ...],
    reference: Reference,
    setup: kernel.KernelSetup,
    jobs: int,
) -> Iterator[TestRunner]:
    """Provide what runs a rubric's tests; its processes end when the block is left.

    The first one loads the tests at once, the others when they are needed.

    Raises:
        RubricError: the tests can't be loaded.
        KernelError: no process came up for them.
    """
    benches: SimpleQueue[TestBench] = SimpleQueue()
    started: list[TestBench] = []
    try:
        while questions and len(started) < jobs:
            limits = replace(setup.limits, memory_mb=setup.limits.memory_mb * 2)
            bench = make_test_bench(rubric, setup.fork_server, limits=limits, stop=setup.stop)
            started.append(bench)
            benches.put(bench)
        if started:
            started[0].start()
        yield TestRunner(
            questions=questions,
            benches=benches,
            reference=reference,
            sha256=tests_digest(rubric),
        )
    finally:
        for bench in started:
            bench.close()
