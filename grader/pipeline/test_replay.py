"""Runs tests that changed on stored transcripts: what notebooks replied before, with no kernel."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import Event

from grader import sandbox
from grader.checks import BoundRubric
from grader.kernel.test_bench import TestBench
from grader.kernel.transcripts import replay, unpack_transcript
from grader.model import Notebook, Observation, Question, Rubric, Trace
from grader.pipeline.test_runs import (
    TESTS_KEY,
    make_test_bench,
    plan_test_run,
    tests_digest,
    told_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedTests:
    """A trace with what the tests of now come to on it."""

    trace: Trace
    unanswered: tuple[str, ...] = ()
    """Tests that ask what was not asked before; what came of them as they were stands."""


class TestReplayer:
    """Runs changed tests again; the process for it is started when the first one is needed.

    Args:
        rubric: names the tests.
        python: the interpreter that tests run in.
    """

    __test__ = False  # no test of pytest's, whatever its name

    def __init__(self, rubric: Rubric, *, python: str) -> None:
        self._rubric = rubric
        self._python = python
        self._resources = ExitStack()
        self._bench: TestBench | None = None

    def close(self) -> None:
        """End the process."""
        self._resources.close()
        self._bench = None

    def refresh(self, trace: Trace, checks: BoundRubric, *, reference: Notebook) -> ReplayedTests:
        """Return the trace with what the tests of now come to on it.

        Args:
            trace: what a submission's run left behind, with the reference's answers.
            checks: the rubric's checks.
            reference: the solved notebook, whose code tests may read.

        Raises:
            RubricError: the tests can't be loaded.
        """
        stale = [question for question in checks.test_questions if self._is_stale(question, trace)]
        if not stale:
            return ReplayedTests(trace=trace)
        unanswered: list[str] = []
        observations, expected = dict(trace.observations), dict(trace.expected)
        for question in stale:
            solved = self._replay(question, trace.expected, notebook=reference)
            own = solved and self._replay(
                question,
                trace.observations,
                notebook=trace.notebook,
                expected={question.id: solved},
            )
            if solved is None or own is None:
                # Both stay those of the test as it was, so that like is compared with like.
                unanswered.append(told_name(question))
                continue
            observations[question.id], expected[question.id] = own, solved
        current = replace(trace, observations=observations, expected=expected)
        return ReplayedTests(trace=current, unanswered=tuple(unanswered))

    def _is_stale(self, question: Question, trace: Trace) -> bool:
        answers = (trace.observations.get(question.id), trace.expected.get(question.id))
        current = tests_digest(self._rubric)
        return any(answer is None or answer.data.get(TESTS_KEY) != current for answer in answers)

    def _replay(
        self,
        question: Question,
        answers: Mapping[str, Observation],
        *,
        notebook: Notebook,
        expected: Mapping[str, Observation] | None = None,
    ) -> Observation | None:
        """Run one test on what was replied before; None where that is not enough."""
        answer = answers.get(question.id)
        transcript = unpack_transcript(answer.arrays) if answer is not None else {}
        if answer is None or not transcript:
            return None
        new_requests: list[str] = []
        cells = [cell.source for cell in notebook.code_cells()]
        run = plan_test_run([question], cells=cells, expected=expected)
        converse = replay(transcript, on_new=lambda: new_requests.append(question.id))
        (result,) = self._open_bench().run(run, converse=converse).values()
        if new_requests or result.status != "ok":
            return None
        data = {**result.data, TESTS_KEY: tests_digest(self._rubric)}
        return replace(result, id=question.id, data=data)

    def _open_bench(self) -> TestBench:
        if self._bench is None:
            environment = sandbox.survey_interpreter(self._python)
            # No code of a student runs here: any level will do.
            request = sandbox.IsolationRequest(unsandboxed=True)
            server = sandbox.start_fork_server(environment, request=request)
            self._bench = make_test_bench(
                self._rubric,
                self._resources.enter_context(server),
                limits=self._rubric.limits,
                stop=Event(),
            )
            self._resources.callback(self._bench.close)
            self._bench.start()
        return self._bench
