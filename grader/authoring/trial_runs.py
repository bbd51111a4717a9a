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
from grader.notebook import read
from grader.pipeline import Course, Opening, Tell, opened, run_and_ask
from grader.pipeline.grading_worker import THREADS
from grader.pipeline.judge import Judge

SLOWEST_CELL, SLOWEST_NOTEBOOK = 20.0, 60.0
"""Seconds that a changed notebook may take, where its rubric grants more: some never end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One notebook, judged under every seed."""

    graded: tuple[Graded, ...]
    """A grade a seed; none where it could not be graded."""
    record: ExecutionRecord
    problem: str = ""
    """Why it could not be graded."""

    def findings(self) -> tuple[tuple[Finding, ...], ...]:
        """All findings, a tuple a seed."""
        return tuple(
            tuple(f for item in graded.score.items for f in item.findings) if graded.score else ()
            for graded in self.graded
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where notebooks are tried: one live reference, and a judge a seed."""

    course: Course
    judges: tuple[Judge, ...]
    folder: Path
    threads: int

    @property
    def stop(self) -> Event:
        """Set to end every wait for a notebook."""
        return self.course.stop

    def try_all(self, texts: Sequence[str], *, done: Callable[[Graded], None]) -> Iterator[Tried]:
        """Try notebooks, given as their files' texts; results come in their order."""
        places = []
        for number, text in enumerate(texts):
            place = self.folder / f"n{number:05}.ipynb"
            place.write_text(text, encoding="utf-8")
            places.append(place)
        pool = ThreadPoolExecutor(max_workers=self.threads)
        try:
            for tried in pool.map(self._try, places):
                for graded in tried.graded[:1]:
                    done(graded)
                yield tried
        except BaseException:
            self.stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _try(self, place: Path) -> Tried:
        submission = Submission(name=place.stem, path=place, shown=place.name)
        try:
            trace = run_and_ask(read(place), course=self.course)
            graded = tuple(self._judged(submission, trace, judge) for judge in self.judges)
        except GraderError as error:
            return Tried(graded=(), record=ExecutionRecord(cells=()), problem=str(error))
        return Tried(graded=graded, record=trace.record)

    def _judged(self, submission: Submission, trace: Trace, judge: Judge) -> Graded:
        """The grade under one judge's seed, with the reference's answers to its questions."""
        evidence = judge.evidence(submission, trace)
        asked = judge.checks.counter_questions(evidence)
        return judge.conclude(submission, evidence.with_expected(self.course.reference.ask(asked)))


def seeds(assignment: str, *, count: int, new: bool) -> tuple[bytes, ...]:
    """The hidden seeds that notebooks are asked with: always the same, or drawn anew."""
    if new:
        return tuple(secrets.token_bytes(32) for _ in range(count))
    return tuple(
        hashlib.sha256(f"validate|{assignment}|{number}".encode()).digest()
        for number in range(count)
    )


@contextmanager
def bench(
    rubric: Rubric, *, seeds: Sequence[bytes], opening: Opening, tell: Tell
) -> Iterator[Bench]:
    """A bench that is ready, its folder gone when the block is left.

    Raises:
        RubricError: the reference does not run.
        IsolationError: the walls that are wanted can't be had.
    """
    limits = replace(
        rubric.limits,
        cell_s=min(rubric.limits.cell_s, SLOWEST_CELL),
        submission_s=min(rubric.limits.submission_s, SLOWEST_NOTEBOOK),
    )
    hurried = replace(rubric, limits=limits)
    place = opening.environment.fingerprint
    judges = tuple(
        Judge.of(hurried, draws=checks.Draws(seed=seed), environment=place) for seed in seeds
    )
    with (
        TemporaryDirectory(prefix="grade-") as folder,
        opened(judges[0], opening=replace(opening, tell=tell)) as course,
    ):
        yield Bench(
            course=_for_all(course, judges),
            judges=judges,
            folder=Path(folder),
            threads=THREADS * opening.jobs,
        )


def _for_all(course: Course, judges: Sequence[Judge]) -> Course:
    """The same course, asking what every judge wants to know."""
    questions = {q.id: q for judge in judges for q in judge.checks.questions}
    constants: dict[str, Observation] = {}
    for judge in judges:
        constants |= course.reference.ask(judge.checks.constant_questions)
    return replace(course, questions=wire.pack(tuple(questions.values())), constants=constants)
