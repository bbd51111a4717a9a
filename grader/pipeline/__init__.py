"""The spine, on one screen: read, run, ask, judge, score; and the reference by the same road."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Semaphore

from grader import fault_log, kernel, sandbox, wire
from grader.errors import KernelError, NotebookError
from grader.model import (
    ExecutionRecord,
    Fault,
    Graded,
    Isolation,
    Notebook,
    Observation,
    Submission,
    Trace,
)
from grader.notebook import read_notebook
from grader.pipeline import preloading
from grader.pipeline.judge import Judge
from grader.pipeline.reference import Reference, blank_cells
from grader.pipeline.supplied_files import NotebookFiles, ProvidedFiles

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingSession:
    """What every submission of one run is graded with."""

    judge: Judge
    setup: kernel.KernelSetup
    reference: Reference
    questions: wire.PackedQuestions
    """What every notebook is asked."""
    constants: Mapping[str, Observation]
    """The reference's answers to what is the same for every submission."""
    provided: ProvidedFiles
    """The course's files, beside every notebook."""
    slots: Semaphore
    """One for each notebook that may run at once; judging needs none."""

    @property
    def isolation(self) -> Isolation:
        """What keeps notebooks from this computer."""
        return self.setup.fork_server.isolation

    @property
    def stop(self) -> Event:
        """Set when the run is interrupted: every wait for a notebook then ends."""
        return self.setup.stop


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingResult:
    """A submission's grade, and what its run left behind."""

    graded: Graded
    trace: Trace | None = None
    grader_fault: bool = False
    """Whether a fault of ours is why it was not graded: the next run tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How a course is opened: where notebooks run, and who is told what."""

    environment: sandbox.Environment
    cache: Path
    notify: Notify
    jobs: int = 1
    """Notebooks that may run at once."""
    stop: Event = field(default_factory=Event)
    required_isolation: sandbox.IsolationRequest = field(default_factory=sandbox.IsolationRequest)
    """What is asked of the walls around notebooks."""


@contextmanager
def open_grading_session(judge: Judge, *, options: SessionOptions) -> Iterator[GradingSession]:
    """Import ahead, run the reference and keep it live for as long as submissions are graded.

    Raises:
        RubricError: the reference does not run.
        IsolationError: the walls that are wanted can't be had.
    """
    rubric = judge.rubric
    module_cache = preloading.ModuleCache.for_rubric(
        rubric, environment=options.environment, cache=options.cache
    )
    with sandbox.start_fork_server(
        options.environment, request=options.required_isolation
    ) as fork_server:
        for note in _isolation_notes(fork_server.isolation):
            options.notify(note)
        preload = preloading.start_preload(
            fork_server,
            module_cache,
            reference=judge.reference,
            optional_imports=rubric.optional_imports,
        )
        provided = ProvidedFiles.for_rubric(rubric)
        setup = kernel.KernelSetup(
            files=provided.files,
            fork_server=fork_server,
            seed=rubric.seed,
            record=rubric.record,
            optional_imports=rubric.optional_imports,
            limits=rubric.limits,
            stop=options.stop,
        )
        reference = Reference(rubric, notebook=judge.reference, setup=setup)
        try:
            for note in preloading.preload_notes(preload.learn_modules(reference.live)):
                options.notify(note)
            constants = reference.ask(judge.checks.constant_questions)
            yield GradingSession(
                judge=judge,
                setup=setup,
                reference=reference,
                questions=wire.pack_questions(judge.checks.questions),
                constants=constants,
                provided=provided,
                slots=Semaphore(options.jobs),
            )
        finally:
            reference.close()


def _isolation_notes(isolation: Isolation) -> Iterator[str]:
    """What to tell the person at the keyboard: only what is not as it should be."""
    if isolation.level == sandbox.IsolationLevel.NONE:
        yield (
            "NOT ISOLATED: student code runs with your rights; it can read your files, use your "
            "network and change grades. Every report says so"
        )
    elif isolation.level != sandbox.IsolationLevel.FULL:
        yield f"isolation is {isolation.description} (`grade doctor` says how to raise it)"


def grade_submission(submission: Submission, *, session: GradingSession) -> GradingResult:
    """Grade one submission as far as a machine can; what can't be graded says why."""
    supplied = session.provided.merge_with(submission, limits=session.setup.limits)
    submission = replace(submission, doubts=(*submission.doubts, *supplied.left_out))
    try:
        trace = run_and_ask(_read_notebook(submission), session=session, supplied=supplied)
    except (NotebookError, KernelError) as error:
        grader_fault = isinstance(error, KernelError)
        if grader_fault and not session.stop.is_set():  # else it ended since it was stopped
            fault_log.report_fault(Fault.caught(f"running {submission.name}", error))
        return GradingResult(
            graded=ungradable_result(submission, str(error), flag=f"not graded: {error}"),
            grader_fault=grader_fault,
        )
    evidence = session.judge.evidence(submission, trace)
    questions = session.judge.checks.counter_questions(evidence)
    evidence = evidence.with_expected(session.reference.ask(questions))
    graded = session.judge.conclude(submission, evidence)
    full_trace = Trace(
        notebook=trace.notebook,
        record=trace.record,
        observations=trace.observations,
        expected=evidence.expected,
    )
    return GradingResult(graded=graded, trace=full_trace)


def ungradable_result(submission: Submission, reason: str, *, flag: str) -> Graded:
    """A submission without a score, and why."""
    return Graded(
        submission=submission,
        students=submission.students,
        reason=reason,
        score=None,
        record=ExecutionRecord(cells=()),
        flags=(flag, *submission.doubts),
    )


def _read_notebook(submission: Submission) -> Notebook:
    if submission.problem:
        raise NotebookError(submission.problem)
    notebook = read_notebook(submission.path)
    if not notebook.cells:
        raise NotebookError("the notebook has no cells")
    return notebook


def run_and_ask(
    notebook: Notebook, *, session: GradingSession, supplied: NotebookFiles | None = None
) -> Trace:
    """What a notebook's run leaves behind, before the reference is asked about it.

    Args:
        notebook: what is run.
        session: what it is run with.
        supplied: the files that lie beside it; the course's alone where nothing is said.

    Raises:
        KernelError: no kernel came up.
    """
    supplied = supplied or NotebookFiles(files=session.provided.files)
    with session.slots, kernel.start_kernel(replace(session.setup, files=supplied.files)) as live:
        record = live.run(notebook.code_cells(), blank=blank_cells(notebook))
        observations = live.ask(session.questions)
    notes = (*record.notes, *supplied.notes, *supplied.left_out)
    return Trace(
        notebook=notebook,
        record=replace(record, notes=notes),
        observations=observations,
        expected=session.constants,
    )
