"""Runs an assignment's notebooks, each once, and judges them under several seeds."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from grader import checks, wire
from grader.errors import GraderError
from grader.model import ExecutionRecord, Finding, Graded, Rubric, Submission, Trace
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
"""Caps in seconds on the rubric's own limits: some mutants never end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRun:
    """One notebook, run once and judged under every seed."""

    grades: tuple[Graded, ...]
    """The grade under each seed; () if it could not be graded."""
    record: ExecutionRecord
    problem: str = ""
    """Why it could not be graded."""

    def findings(self) -> tuple[tuple[Finding, ...], ...]:
        """Return the findings under each seed."""
        return tuple(
            tuple(f for item in grade.score.items for f in item.findings) if grade.score else ()
            for grade in self.grades
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRunner:
    """Runs notebooks beside one live reference, with a judge for each seed."""

    session: GradingSession
    judges: tuple[Judge, ...]
    folder: Path
    threads: int

    def run_all(self, texts: Sequence[str]) -> Iterator[TrialRun]:
        """Yield a trial run for each notebook, given the contents of their files, in order."""
        paths = [self.folder / f"n{number:05}.ipynb" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        pool = ThreadPoolExecutor(max_workers=self.threads)
        try:
            yield from pool.map(self._run, paths)
        except BaseException:
            self.session.setup.stop.set()  # otherwise the pool waits for the notebooks that run
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, path: Path) -> TrialRun:
        submission = Submission(name=path.stem, path=path, display_path=path.name)
        try:
            trace = run_and_ask(read_notebook(path), session=self.session)
            grades = tuple(self._grade(submission, trace, judge) for judge in self.judges)
        except GraderError as error:
            return TrialRun(grades=(), record=ExecutionRecord(cells=()), problem=str(error))
        return TrialRun(grades=grades, record=trace.record)

    def _grade(self, submission: Submission, trace: Trace, judge: Judge) -> Graded:
        evidence = judge.evidence(submission, trace)
        answers = self.session.reference.ask(judge.checks.counter_questions(evidence))
        return judge.conclude(submission, evidence.with_expected(answers))


def draw_seeds(assignment_id: str, *, count: int, new: bool) -> tuple[bytes, ...]:
    """Derive hidden seeds from the assignment's id, or draw random ones if `new`."""
    if new:
        return tuple(secrets.token_bytes(32) for _ in range(count))
    return tuple(
        hashlib.sha256(f"validate|{assignment_id}|{number}".encode()).digest()
        for number in range(count)
    )


@contextmanager
def open_trial_runner(
    rubric: Rubric, *, seeds: Sequence[bytes], options: SessionOptions, notify: Notify
) -> Iterator[TrialRunner]:
    """Yield a runner with a live reference and a folder that is removed afterwards.

    Raises:
        RubricError: The reference does not run.
        IsolationError: The isolation that is asked for can't be had.
    """
    limits = replace(
        rubric.limits,
        cell_s=min(rubric.limits.cell_s, MAX_CELL_SECONDS),
        submission_s=min(rubric.limits.submission_s, MAX_NOTEBOOK_SECONDS),
    )
    limited_rubric = replace(rubric, limits=limits)
    judges = tuple(
        Judge.for_rubric(
            limited_rubric,
            rng=checks.SeededRandom(seed=seed),
            environment=options.environment.fingerprint,
        )
        for seed in seeds
    )
    with (
        TemporaryDirectory(prefix="grade-") as folder,
        # Seeds change questions, not how notebooks run: any of the judges can open it.
        open_grading_session(judges[0], options=options, notify=notify) as session,
    ):
        questions = {q.id: q for judge in judges for q in judge.checks.notebook_questions}
        test_questions = {q.id: q for judge in judges for q in judge.checks.test_questions}
        tests = replace(session.tests, questions=tuple(test_questions.values()))
        constants = dict(tests.run(judges[0].reference, session.reference))
        for judge in judges:
            constants |= session.reference.ask(judge.checks.notebook_constants)
        packed = wire.pack_questions(tuple(questions.values()))
        yield TrialRunner(
            session=replace(session, questions=packed, constants=constants, tests=tests),
            judges=judges,
            folder=Path(folder),
            threads=THREADS_PER_JOB * options.jobs,
        )
