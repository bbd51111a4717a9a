"""The reference: the solved notebook, run once and kept live to answer counter-questions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from threading import Lock

from grader import kernel
from grader.errors import RubricError
from grader.model import CellStatus, Limits, Notebook, Observation, Question, Rubric
from grader.notebook import is_blank

TIME_FACTOR = 5
"""How many times a student's time the reference has: it may be the first to run, and cold."""
MAX_CACHED = 512
"""Answers that are kept: most of a class begins at the same weights and asks the same."""


def blank_cells(notebook: Notebook) -> frozenset[int]:
    """Code cells with nothing to run."""
    return frozenset(cell.index for cell in notebook.code_cells() if is_blank(cell))


class Reference:
    """A live solved notebook; any thread may ask it, one batch at a time.

    A question is known by its content, so one that was answered is not asked again.

    Raises:
        RubricError: it does not run.
    """

    def __init__(self, rubric: Rubric, *, notebook: Notebook, setup: kernel.KernelSetup) -> None:
        self.notebook = notebook
        self._rubric = rubric
        self._setup = replace(setup, trusted=True, limits=_relaxed_limits(setup.limits))
        self._lock = Lock()
        self._resources = ExitStack()
        self._answers: OrderedDict[str, Observation] = OrderedDict()
        self._start()

    def _start(self) -> None:
        self._generation = self._setup.fork_server.generation
        self.live = self._resources.enter_context(kernel.start_kernel(self._setup))
        record = self.live.run(self.notebook.code_cells(), blank=blank_cells(self.notebook))
        failed = [r for r in record.cells if r.status not in {CellStatus.RAN, CellStatus.SKIPPED}]
        if failed:
            why = failed[0].error.message if failed[0].error else failed[0].status.value
            name = self._rubric.reference.name
            raise RubricError(f"{name}: cell {failed[0].index} does not run: {why}")

    def ask(self, questions: tuple[Question, ...]) -> Mapping[str, Observation]:
        """Ask it."""
        with self._lock:
            unanswered = tuple(
                question for question in questions if question.id not in self._answers
            )
            observations = dict(self._ask_kernel(unanswered)) if unanswered else {}
            for question in questions:
                observation = self._answers.get(question.id) or observations[question.id]
                observations[question.id] = observation
                if observation.status in {"ok", "raised", "missing"}:
                    self._answers[question.id] = observation
                    self._answers.move_to_end(question.id)
            while len(self._answers) > MAX_CACHED:
                self._answers.popitem(last=False)
            return observations

    def _ask_kernel(self, questions: tuple[Question, ...]) -> Mapping[str, Observation]:
        """Ask; where it died with the parent of all kernels, run it again first."""
        if self._setup.fork_server.generation > self._generation:
            self._resources.close()
            self._start()
        return self.live.ask(questions)

    def close(self) -> None:
        """Let it go."""
        self._resources.close()


def _relaxed_limits(limits: Limits) -> Limits:
    """A student's limits, with more time: a busy computer says nothing against the solution."""
    return replace(
        limits,
        cell_s=limits.cell_s * TIME_FACTOR,
        submission_s=limits.submission_s * TIME_FACTOR,
        question_s=limits.question_s * TIME_FACTOR,
    )
