"""The spine: how one submission is graded, from its notebook to a grade, stage by stage.

A session keeps what all submissions share: the judge, warm kernels, and the reference, which runs
by the same stages as any student's notebook and stays live to answer counter-questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Semaphore

from grader import fault_log, kernel, sandbox, wire
from grader.errors import KernelError, NotebookError
from grader.kernel.module_survey import ModuleSurvey
from grader.model import (
    Fault,
    Flag,
    FlagKind,
    Graded,
    Isolation,
    Notebook,
    Observation,
    Submission,
    Trace,
)
from grader.notebook import read_notebook
from grader.notebook.peer_cells import PeerCells
from grader.pipeline.judge import Judge, ungradable_result
from grader.pipeline.reference import ModulePreload, Reference, blank_cells
from grader.pipeline.supplied_files import NotebookFiles, list_course_files
from grader.pipeline.test_runs import TestRunner, open_test_runner

Notify = Callable[[str], None]
"""Shows a sentence to the person at the keyboard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """Where notebooks run, and how many at once; plain data."""

    environment: sandbox.Environment
    cache: Path
    jobs: int = 1
    """Notebooks that may run at once."""
    required_isolation: sandbox.IsolationRequest = field(default_factory=sandbox.IsolationRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingSession:
    """What every submission of one run is graded with."""

    judge: Judge
    setup: kernel.KernelSetup
    """How notebooks start; its `stop` ends every wait for one."""
    reference: Reference
    questions: wire.PackedQuestions
    """The questions to every notebook."""
    constants: Mapping[str, Observation]
    """The reference's answers to the questions that are the same for every submission."""
    modules: ModuleSurvey
    """What modules notebooks find."""
    slots: Semaphore
    """One for each notebook that may run at once; judging needs none."""
    tests: TestRunner
    """Runs the course's own tests."""
    peer_cells: PeerCells
    """How cells of a notebook that was made for nbgrader are run."""

    @property
    def isolation(self) -> Isolation:
        """How notebooks are isolated from this computer."""
        return self.setup.fork_server.isolation


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingResult:
    """A submission's grade, and what its run left behind."""

    graded: Graded
    trace: Trace | None = None
    grader_fault: bool = False
    """Whether a fault of the grader prevented grading, so that the next run tries again."""


@contextmanager
def open_grading_session(
    judge: Judge,
    *,
    options: SessionOptions,
    notify: Notify = lambda _: None,
    stop: Event | None = None,
    slots: Semaphore | None = None,
) -> Iterator[GradingSession]:
    """Preload modules, run the reference, and keep it live for as long as submissions are graded.

    Args:
        judge: the rubric with its checks, and the reference.
        options: where notebooks run.
        notify: called with sentences about problems of this machine.
        stop: ends every wait for a notebook once it is set.
        slots: one for each notebook that may run at once, where other sessions share them.

    Raises:
        RubricError: the reference does not run.
        IsolationError: the required isolation is not available.
    """
    rubric = judge.rubric
    with sandbox.start_fork_server(
        options.environment, request=options.required_isolation
    ) as fork_server:
        for note in _isolation_notes(fork_server.isolation):
            notify(note)
        modules, preload = _preload_modules(judge, fork_server, options=options)
        setup = _kernel_setup(judge, fork_server, stop=stop or Event())
        reference = Reference(rubric, notebook=judge.reference, setup=setup)
        try:
            for note in preload.learn_modules(reference.live):
                notify(note)
            with open_test_runner(
                rubric,
                questions=judge.checks.test_questions,
                reference=reference,
                setup=setup,
                jobs=options.jobs,
            ) as tests:
                constants = reference.ask(judge.checks.notebook_constants)
                yield GradingSession(
                    judge=judge,
                    setup=setup,
                    reference=reference,
                    modules=modules,
                    constants={**constants, **tests.run(judge.reference, reference)},
                    questions=wire.pack_questions(judge.checks.notebook_questions),
                    slots=slots or Semaphore(options.jobs),
                    tests=tests,
                    peer_cells=PeerCells.of_rubric(rubric, reference=judge.reference),
                )
        finally:
            reference.close()


def _preload_modules(
    judge: Judge, fork_server: sandbox.ForkServer, *, options: SessionOptions
) -> tuple[ModuleSurvey, ModulePreload]:
    """Have the fork server import what notebooks need, and return what modules there are."""
    modules = ModuleSurvey(
        installed=options.environment.modules, optional=judge.rubric.optional_imports
    )
    preload = ModulePreload(
        fork_server,
        rubric=judge.rubric,
        reference=judge.reference,
        modules=modules,
        environment=options.environment,
        cache=options.cache,
    )
    return modules, preload


def _kernel_setup(
    judge: Judge, fork_server: sandbox.ForkServer, *, stop: Event
) -> kernel.KernelSetup:
    """Return how the notebooks of a rubric start."""
    rubric = judge.rubric
    return kernel.KernelSetup(
        files=list_course_files(rubric),
        fork_server=fork_server,
        seed=rubric.seed,
        cell_seed=rubric.cell_seed,
        seed_variable=rubric.seed_variable,
        record=rubric.record,
        weight_shapes=judge.checks.weight_shapes(),
        limits=rubric.limits,
        keep_figures=rubric.tests is not None,
        moments=judge.checks.moments,
        stop=stop,
    )


def _isolation_notes(isolation: Isolation) -> Iterator[str]:
    if isolation.level == sandbox.IsolationLevel.NONE:
        yield (
            "NOT ISOLATED: student code runs with your rights; it can read your files, use your "
            "network and change grades. Every report says so"
        )
    elif isolation.level != sandbox.IsolationLevel.FULL:
        yield f"isolation is {isolation.description} (`grade doctor` says how to raise it)"


def grade_submission(
    submission: Submission, *, session: GradingSession, supplied: NotebookFiles, first: int = 0
) -> GradingResult:
    """Grade one submission as far as a machine can; one that can't be graded has a reason.

    Args:
        submission: the submission.
        session: the session, which all submissions share.
        supplied: the files that its notebook finds beside it.
        first: index of its first cell, where other notebooks of the submission come before it.
    """
    submission = replace(submission, concerns=(*submission.concerns, *supplied.left_out))
    judge, reference = session.judge, session.reference
    try:
        notebook = _read_notebook(submission, figures=judge.rubric.takes_code, first=first)
        trace = run_and_ask(notebook, session=session, supplied=supplied)
    except (NotebookError, KernelError) as error:
        grader_fault = isinstance(error, KernelError)
        if grader_fault and not session.setup.stop.is_set():  # else the run is stopping
            fault_log.report_fault(Fault.caught(f"running {submission.name}", error))
        reason = str(error)
        graded = ungradable_result(submission, reason, flag=Flag(FlagKind.NOT_GRADED, (reason,)))
        return GradingResult(
            graded=judge.with_enrollment(graded, submission=submission),
            grader_fault=grader_fault,
        )
    evidence = judge.evidence(submission, trace)
    counter_questions = judge.checks.counter_questions(evidence)
    evidence = evidence.with_expected(reference.ask(counter_questions))
    judgment = judge.judge_evidence(submission, evidence)
    graded = judge.conclude(submission, evidence, judgment=judgment)
    complete_trace = replace(trace, expected=evidence.expected, faults=judgment.faults)
    return GradingResult(graded=graded, trace=complete_trace)


def _read_notebook(submission: Submission, *, figures: bool, first: int) -> Notebook:
    if submission.problem:
        raise NotebookError(submission.problem)
    notebook = read_notebook(submission.path, figures=figures, first=first)
    if not notebook.cells[first:]:
        raise NotebookError("the notebook has no cells")
    if not any(cell.source.strip() for cell in notebook.cells):
        raise NotebookError("the notebook is empty: nothing is written in any of its cells")
    return notebook


def run_and_ask(
    notebook: Notebook, *, session: GradingSession, supplied: NotebookFiles | None = None
) -> Trace:
    """Run a notebook and ask it all questions but counter-questions.

    Args:
        notebook: the notebook to run.
        session: the session, which all submissions share.
        supplied: the files beside the notebook; None for the course's files alone.

    Raises:
        KernelError: no kernel started.
    """
    supplied = supplied or NotebookFiles(files=session.setup.files)
    missing = session.modules.missing_imports(notebook, files=supplied.files)
    unknown = session.modules.explain_unknown(missing)
    setup = replace(session.setup, files=supplied.files, unknown_modules=unknown)
    cells = session.peer_cells.cells_to_run(notebook)
    with session.slots, kernel.start_kernel(setup) as live:
        record = live.run(cells, blank=blank_cells(cells))
        observations = {
            **live.ask(session.questions),
            **session.tests.run(notebook, live),
        }
    record = session.modules.add_observed(
        missing, notebook=notebook, record=record, observations=observations
    )
    notes = (*record.notes, *supplied.notes, *supplied.left_out)
    return Trace(
        notebook=notebook,
        record=replace(record, notes=notes),
        observations=observations,
        expected=session.constants,
    )
