"""Runs an assignment's notebooks as a class is run, each once, and judges them by many seeds."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from grader import checks, wire
from grader.errors import GraderError
from grader.model import ExecutionRecord, Finding, Graded, Observation, Rubric, Submission, Trace
from grader.notebook import read_notebook
from grader.pipeline import (
    GradingSession,
    Notify,
    SessionOptions,
    open_grading_session,
    run_and_ask,
)
from grader.pipeline.judge import Judge
from grader.pipeline.workers import THREADS_PER_JOB

MAX_CELL_SECONDS, MAX_NOTEBOOK_SECONDS = 20.0, 60.0
"""Seconds that a changed notebook may take, where its rubric grants more: some never end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRun:
    """One notebook, judged under every seed."""

    grades: tuple[Graded, ...]
    """A grade a seed; none where it could not be graded."""
    record: ExecutionRecord
    problem: str = ""
    """Why it could not be graded."""

    def findings(self) -> tuple[tuple[Finding, ...], ...]:
        """All findings, a tuple a seed."""
        return tuple(
            tuple(f for item in grade.score.items for f in item.findings) if grade.score else ()
            for grade in self.grades
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRunner:
    """Where notebooks are tried: one live reference, and a judge a seed."""

    course: GradingSession
    judges: tuple[Judge, ...]
    folder: Path
    threads: int

    @property
    def stop(self) -> Event:
        """Set to end every wait for a notebook."""
        return self.course.setup.stop

    def run_all(
        self, texts: Sequence[str], *, on_graded: Callable[[Graded], None]
    ) -> Iterator[TrialRun]:
        """Try notebooks, given as their files' texts; results come in their order."""
        paths = []
        for number, text in enumerate(texts):
            path = self.folder / f"n{number:05}.ipynb"
            path.write_text(text, encoding="utf-8")
            paths.append(path)
        pool = ThreadPoolExecutor(max_workers=self.threads)
        try:
            for trial in pool.map(self._run, paths):
                for graded in trial.grades[:1]:
                    on_graded(graded)
                yield trial
        except BaseException:
            self.stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, path: Path) -> TrialRun:
        submission = Submission(name=path.stem, path=path, shown=path.name)
        try:
            trace = run_and_ask(read_notebook(path), session=self.course)
            grades = tuple(self._grade(submission, trace, judge) for judge in self.judges)
        except GraderError as error:
            return TrialRun(grades=(), record=ExecutionRecord(cells=()), problem=str(error))
        return TrialRun(grades=grades, record=trace.record)

    def _grade(self, submission: Submission, trace: Trace, judge: Judge) -> Graded:
        """The grade under one judge's seed, with the reference's answers to its questions."""
        evidence = judge.evidence(submission, trace)
        questions = judge.checks.counter_questions(evidence)
        return judge.conclude(
            submission, evidence.with_expected(self.course.reference.ask(questions))
        )


def draw_seeds(assignment: str, *, count: int, new: bool) -> tuple[bytes, ...]:
    """The hidden seeds that notebooks are asked with: always the same, or drawn anew."""
    if new:
        return tuple(secrets.token_bytes(32) for _ in range(count))
    return tuple(
        hashlib.sha256(f"validate|{assignment}|{number}".encode()).digest()
        for number in range(count)
    )


@contextmanager
def open_trial_runner(
    rubric: Rubric, *, seeds: Sequence[bytes], opening: SessionOptions, notify: Notify
) -> Iterator[TrialRunner]:
    """A bench that is ready, its folder gone when the block is left.

    Raises:
        RubricError: the reference does not run.
        IsolationError: the walls that are wanted can't be had.
    """
    limits = replace(
        rubric.limits,
        cell_s=min(rubric.limits.cell_s, MAX_CELL_SECONDS),
        submission_s=min(rubric.limits.submission_s, MAX_NOTEBOOK_SECONDS),
    )
    limited_rubric = replace(rubric, limits=limits)
    fingerprint = opening.environment.fingerprint
    judges = tuple(
        Judge.for_rubric(
            limited_rubric, draws=checks.RandomDraws(seed=seed), environment=fingerprint
        )
        for seed in seeds
    )
    with (
        TemporaryDirectory(prefix="grade-") as folder,
        open_grading_session(judges[0], options=opening, notify=notify) as course,
    ):
        yield TrialRunner(
            course=_combined_course(course, judges),
            judges=judges,
            folder=Path(folder),
            threads=THREADS_PER_JOB * opening.jobs,
        )


def _combined_course(course: GradingSession, judges: Sequence[Judge]) -> GradingSession:
    """The same course, asking what every judge wants to know."""
    questions = {q.id: q for judge in judges for q in judge.checks.questions}
    constants: dict[str, Observation] = {}
    for judge in judges:
        constants |= course.reference.ask(judge.checks.constant_questions)
    return replace(
        course, questions=wire.pack_questions(tuple(questions.values())), constants=constants
    )
