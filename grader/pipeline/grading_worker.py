"""Where one process grades: a course, and what becomes of each submission is on disk at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread

from grader import checks, fault_log, gradebook
from grader.errors import GraderError
from grader.folder import OutputFolder
from grader.gradebook import StoredSubmission
from grader.model import Fault, Graded, Rubric, Submission
from grader.people import People
from grader.pipeline import (
    GradingResult,
    GradingSession,
    Notify,
    SessionOptions,
    grade_submission,
    open_grading_session,
    ungradable_result,
)
from grader.pipeline.cache_keys import CacheKeys, with_level
from grader.pipeline.judge import Judge
from grader.pipeline.location_overrides import LocationOverrides
from grader.report import preload_templates
from grader.sandbox import Environment, IsolationRequest

THREADS_PER_JOB = 2
"""Threads for each notebook that may run: one is judged and stored while the next runs."""
GradeOne = Callable[[Submission], Graded]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What all processes of one run are told; plain data, so that it can be sent to them."""

    rubric: Rubric
    seed: bytes
    environment: Environment
    cache: Path
    out: Path
    force: bool = False
    required_isolation: IsolationRequest = field(default_factory=IsolationRequest)
    overrides: LocationOverrides = field(default_factory=dict)
    """The cells that people say items are answered in."""
    people: People = field(default_factory=People)
    show_ids: bool = False
    """Whether students see whole ids on their pages."""
    store: str | None = None
    """The address of a gradebook on a server; None for the one that the folder has."""

    def build_judge(self) -> Judge:
        """The judge of this work."""
        return Judge.for_rubric(
            self.rubric,
            draws=checks.RandomDraws(seed=self.seed),
            environment=self.environment.fingerprint,
            overrides=self.overrides,
            people=self.people,
        )

    def open_folder(self) -> OutputFolder:
        """Where results go."""
        return OutputFolder(self.out, store=self.store, show_ids=self.show_ids)


class Stopped(GraderError):
    """The run was interrupted while this submission ran, so it counts as never begun."""


@contextmanager
def open_grading_worker(
    config: RunConfig, *, jobs: int, notify: Notify, stop: Event
) -> Iterator[GradeOne]:
    """A function that grades one submission, and returns once its grade is on disk.

    Called in more threads than `jobs`, it runs no more notebooks than that at once, and judges
    what has run meanwhile.

    Raises:
        RubricError: the reference does not run.
        UsageError: the folder can't be written.
    """
    judge = config.build_judge()
    keys = CacheKeys.for_judge(judge, show_ids=config.show_ids)
    folder = config.open_folder()
    fault_log.log_faults_in(folder.path)
    options = SessionOptions(
        environment=config.environment,
        cache=config.cache,
        notify=notify,
        jobs=jobs,
        stop=stop,
        required_isolation=config.required_isolation,
    )
    Thread(target=preload_templates, daemon=True).start()  # while the reference runs
    with (
        gradebook.open_gradebook(folder.store) as book,
        open_grading_session(judge, options=options) as session,
    ):

        def grade_one(submission: Submission) -> Graded:
            key = with_level(keys.for_submission(submission), session.isolation.level)
            result = _attach_students(_grade_safely(submission, session), judge)
            if stop.is_set():
                raise Stopped
            marked = book.apply_stored_marks(result.graded)
            folder.write_submission(marked.graded, rubric=config.rubric)
            entry = StoredSubmission(
                cache_key="" if result.grader_fault else key,
                graded=result.graded,
                trace=result.trace,
            )
            book.save_submission(entry, rendered_from=marked)
            return marked.graded

        yield grade_one


def _attach_students(result: GradingResult, judge: Judge) -> GradingResult:
    """What could not be graded belongs to somebody, too."""
    if result.graded.score is not None:
        return result
    return replace(
        result, graded=judge.with_enrollment(result.graded, submission=result.graded.submission)
    )


def _grade_safely(submission: Submission, session: GradingSession) -> GradingResult:
    """Grade one; a fault of ours costs this submission nothing and the others nothing."""
    try:
        return grade_submission(submission, session=session)
    except Exception as error:  # noqa: BLE001 (one submission must never stop the batch)
        fault_log.report_fault(Fault.caught(f"grading {submission.name}", error))
        message = f"the grader failed on it ({type(error).__name__}); please report this"
        flag = f"{message}; {fault_log.log_hint()}"
        return GradingResult(
            graded=ungradable_result(submission, message, flag=flag), grader_fault=True
        )
