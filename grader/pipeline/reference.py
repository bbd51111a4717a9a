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

MORE_TIME = 5
"""How many times a student's time the reference has: it may be the first to run, and cold."""
KEPT = 512
"""Answers that are kept: most of a class begins at the same weights and asks the same."""


def blanks(notebook: Notebook) -> frozenset[int]:
    """Code cells with nothing to run."""
    return frozenset(cell.index for cell in notebook.code() if is_blank(cell))


class Reference:
    """A live solved notebook; any thread may ask it, one batch at a time.

    A question is known by its content, so one that was answered is not asked again.

    Raises:
        RubricError: it does not run.
    """

    def __init__(self, rubric: Rubric, *, notebook: Notebook, setup: kernel.Setup) -> None:
        self.notebook = notebook
        self._rubric = rubric
        self._setup = replace(setup, trusted=True, limits=_unhurried(setup.limits))
        self._lock = Lock()
        self._rooms = ExitStack()
        self._answers: OrderedDict[str, Observation] = OrderedDict()
        self._begin()

    def _begin(self) -> None:
        self._lives = self._setup.parent.lives
        self.live = self._rooms.enter_context(kernel.opened(self._setup))
        record = self.live.run(self.notebook.code(), blank=blanks(self.notebook))
        bad = [r for r in record.cells if r.status not in {CellStatus.RAN, CellStatus.SKIPPED}]
        if bad:
            why = bad[0].error.message if bad[0].error else bad[0].status.value
            name = self._rubric.reference.name
            raise RubricError(f"{name}: cell {bad[0].index} does not run: {why}")

    def ask(self, questions: tuple[Question, ...]) -> Mapping[str, Observation]:
        """Ask it."""
        with self._lock:
            new = tuple(question for question in questions if question.id not in self._answers)
            found = dict(self._ask(new)) if new else {}
            for question in questions:
                answer = self._answers.get(question.id) or found[question.id]
                found[question.id] = answer
                if answer.status in {"ok", "raised", "missing"}:
                    self._answers[question.id] = answer
                    self._answers.move_to_end(question.id)
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
            return found

    def _ask(self, questions: tuple[Question, ...]) -> Mapping[str, Observation]:
        """Ask; where it died with the parent of all kernels, run it again first."""
        if self._setup.parent.lives > self._lives:
            self._rooms.close()
            self._begin()
        return self.live.ask(questions)

    def close(self) -> None:
        """Let it go."""
        self._rooms.close()


def _unhurried(limits: Limits) -> Limits:
    """A student's limits, with more time: a busy computer says nothing against the solution."""
    return replace(
        limits,
        cell_s=limits.cell_s * MORE_TIME,
        submission_s=limits.submission_s * MORE_TIME,
        question_s=limits.question_s * MORE_TIME,
    )
