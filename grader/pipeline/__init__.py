"""The spine, on one screen: read, run, ask, judge, score; and the reference by the same road."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Semaphore

from grader import kernel, sandbox, wire
from grader.errors import KernelError, NotebookError
from grader.model import (
    ExecutionRecord,
    Graded,
    Isolation,
    Notebook,
    Observation,
    Submission,
    Trace,
)
from grader.notebook import read
from grader.pipeline import preloading
from grader.pipeline.judge import Judge
from grader.pipeline.reference import Reference, blanks
from grader.pipeline.supplied_files import Belongings, Provided

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What every submission of one run is graded with."""

    judge: Judge
    setup: kernel.Setup
    reference: Reference
    questions: wire.Packed
    """What every notebook is asked."""
    constants: Mapping[str, Observation]
    """The reference's answers to what is the same for every submission."""
    provided: Provided
    """The course's files, beside every notebook."""
    slots: Semaphore
    """One for each notebook that may run at once; judging needs none."""

    @property
    def isolation(self) -> Isolation:
        """What keeps notebooks from this computer."""
        return self.setup.parent.isolation

    @property
    def stop(self) -> Event:
        """Set when the run is interrupted: every wait for a notebook then ends."""
        return self.setup.stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A submission's grade, and what its run left behind."""

    graded: Graded
    trace: Trace | None = None
    ours: bool = False
    """Whether a fault of ours is why it was not graded: the next run tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a course is opened: where notebooks run, and who is told what."""

    environment: sandbox.Environment
    cache: Path
    tell: Tell
    jobs: int = 1
    """Notebooks that may run at once."""
    stop: Event = field(default_factory=Event)
    wanted: sandbox.Wanted = field(default_factory=sandbox.Wanted)
    """What is asked of the walls around notebooks."""


@contextmanager
def opened(judge: Judge, *, opening: Opening) -> Iterator[Course]:
    """Import ahead, run the reference and keep it live for as long as submissions are graded.

    Raises:
        RubricError: the reference does not run.
        IsolationError: the walls that are wanted can't be had.
    """
    rubric = judge.rubric
    memory = preloading.Memory.of(rubric, environment=opening.environment, cache=opening.cache)
    with sandbox.opened(opening.environment, wanted=opening.wanted) as parent:
        for note in _on_isolation(parent.isolation):
            opening.tell(note)
        warmth = preloading.begin(
            parent, memory, reference=judge.reference, apart=rubric.optional_imports
        )
        provided = Provided.of(rubric)
        setup = kernel.Setup(
            files=provided.files,
            parent=parent,
            seed=rubric.seed,
            record=rubric.record,
            optional_imports=rubric.optional_imports,
            limits=rubric.limits,
            stop=opening.stop,
        )
        reference = Reference(rubric, notebook=judge.reference, setup=setup)
        try:
            for note in preloading.notes(warmth.learn(reference.live)):
                opening.tell(note)
            constants = reference.ask(judge.checks.constant_questions)
            yield Course(
                judge=judge,
                setup=setup,
                reference=reference,
                questions=wire.pack(judge.checks.questions),
                constants=constants,
                provided=provided,
                slots=Semaphore(opening.jobs),
            )
        finally:
            reference.close()


def _on_isolation(isolation: Isolation) -> Iterator[str]:
    """What to tell the person at the keyboard: only what is not as it should be."""
    if isolation.level == sandbox.Level.NONE:
        yield (
            "NOT ISOLATED: student code runs with your rights; it can read your files, use your "
            "network and change grades. Every report says so"
        )
    elif isolation.level != sandbox.Level.FULL:
        yield f"isolation is {isolation.told} (`grade doctor` says how to raise it)"


def grade(submission: Submission, *, course: Course) -> Done:
    """Grade one submission as far as a machine can; what can't be graded says why."""
    beside = course.provided.beside(submission, limits=course.setup.limits)
    submission = replace(submission, doubts=(*submission.doubts, *beside.left_out))
    try:
        trace = run_and_ask(_notebook(submission), course=course, beside=beside)
    except (NotebookError, KernelError) as error:
        ours = isinstance(error, KernelError)
        return Done(
            graded=ungradable(submission, str(error), flag=f"not graded: {error}"), ours=ours
        )
    evidence = course.judge.evidence(submission, trace)
    asked = course.judge.checks.counter_questions(evidence)
    evidence = evidence.with_expected(course.reference.ask(asked))
    graded = course.judge.conclude(submission, evidence)
    whole = Trace(
        notebook=trace.notebook,
        record=trace.record,
        observations=trace.observations,
        expected=evidence.expected,
    )
    return Done(graded=graded, trace=whole)


def ungradable(submission: Submission, reason: str, *, flag: str) -> Graded:
    """A submission without a score, and why."""
    return Graded(
        submission=submission,
        students=submission.students,
        reason=reason,
        score=None,
        record=ExecutionRecord(cells=()),
        flags=(flag, *submission.doubts),
    )


def _notebook(submission: Submission) -> Notebook:
    if submission.problem:
        raise NotebookError(submission.problem)
    notebook = read(submission.path)
    if not notebook.cells:
        raise NotebookError("the notebook has no cells")
    return notebook


def run_and_ask(notebook: Notebook, *, course: Course, beside: Belongings | None = None) -> Trace:
    """What a notebook's run leaves behind, before the reference is asked about it.

    Args:
        notebook: what is run.
        course: what it is run with.
        beside: the files that lie beside it; the course's alone where nothing is said.

    Raises:
        KernelError: no kernel came up.
    """
    beside = beside or Belongings(files=course.provided.files)
    with course.slots, kernel.opened(replace(course.setup, files=beside.files)) as live:
        record = live.run(notebook.code(), blank=blanks(notebook))
        observations = live.ask(course.questions)
    told = (*record.notes, *beside.notes, *beside.left_out)
    return Trace(
        notebook=notebook,
        record=replace(record, notes=told),
        observations=observations,
        expected=course.constants,
    )
