"""The spine, on one screen: read, run, ask, judge, score; and the reference by the same road."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Lock

from grader import checks, kernel, scoring
from grader.checks.recording import read as read_recording
from grader.errors import KernelError, NotebookError, RubricError
from grader.model import (
    CellStatus,
    ExecutionRecord,
    Graded,
    Notebook,
    Observation,
    Question,
    Rubric,
    Submission,
)
from grader.notebook import handout_lines, is_blank, read, students, written_answers
from grader.pipeline.accounts import Origin, code_of_items, flags, notes, provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The solved notebook, live: it answers counter-questions, one batch at a time."""

    notebook: Notebook
    live: kernel.Live
    lock: Lock

    def ask(self, questions: tuple[Question, ...]) -> Mapping[str, Observation]:
        """Ask it."""
        with self.lock:
            return self.live.ask(questions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What every submission of one run is graded with."""

    rubric: Rubric
    reference: Reference
    draws: checks.Draws
    python: str
    stop: Event
    """Set when the run is interrupted: every wait for a notebook then ends."""

    def setup(self) -> kernel.Setup:
        """What a kernel is told before the first cell."""
        return replace(setup_for(self.rubric, python=self.python), stop=self.stop)


def setup_for(rubric: Rubric, *, python: str) -> kernel.Setup:
    """What a kernel of this assignment is told before the first cell."""
    return kernel.Setup(
        python=python,
        seed=rubric.seed,
        record=rubric.record,
        optional_imports=rubric.optional_imports,
        limits=rubric.limits,
    )


@contextmanager
def opened(rubric: Rubric, *, draws: checks.Draws, python: str) -> Iterator[Course]:
    """Run the reference and keep it live for as long as submissions are graded.

    Raises:
        RubricError: the reference does not run.
    """
    notebook = read(rubric.reference)
    with kernel.opened(setup_for(rubric, python=python)) as live:
        record = live.run(notebook.code(), blank=blanks(notebook))
        bad = [r for r in record.cells if r.status not in {CellStatus.RAN, CellStatus.SKIPPED}]
        if bad:
            why = bad[0].error.message if bad[0].error else bad[0].status.value
            raise RubricError(f"{rubric.reference.name}: cell {bad[0].index} does not run: {why}")
        reference = Reference(notebook=notebook, live=live, lock=Lock())
        yield Course(rubric=rubric, reference=reference, draws=draws, python=python, stop=Event())


def blanks(notebook: Notebook) -> frozenset[int]:
    """Code cells with nothing to run."""
    return frozenset(cell.index for cell in notebook.code() if is_blank(cell))


def grade(submission: Submission, *, course: Course) -> Graded:
    """Grade one submission as far as a machine can; what can't be graded says why."""
    try:
        notebook = _with_cells(read(submission.path))
        record, observations = _run_and_ask(notebook, course)
    except (NotebookError, KernelError) as error:
        return Graded(
            submission=submission,
            students=(),
            reason=str(error),
            score=None,
            record=ExecutionRecord(cells=()),
            flags=(f"not graded: {error}",),
        )
    evidence = _evidence(submission, notebook, record, observations, course)
    return _concluded(submission, evidence, course)


def _with_cells(notebook: Notebook) -> Notebook:
    if not notebook.cells:
        raise NotebookError("the notebook has no cells")
    return notebook


def _run_and_ask(
    notebook: Notebook, course: Course
) -> tuple[ExecutionRecord, Mapping[str, Observation]]:
    questions = checks.questions(course.rubric, registry=checks.CHECKS, draws=course.draws)
    with kernel.opened(course.setup()) as live:
        record = live.run(notebook.code(), blank=blanks(notebook))
        return record, live.ask(questions)


def _evidence(
    submission: Submission,
    notebook: Notebook,
    record: ExecutionRecord,
    observations: Mapping[str, Observation],
    course: Course,
) -> checks.Evidence:
    reached = {CellStatus.RAN, CellStatus.RAISED, CellStatus.TIMED_OUT}
    ran = [run.index for run in record.cells if run.status in reached]
    evidence = checks.Evidence(
        notebook=notebook,
        record=record,
        observations=observations,
        recording=read_recording(observations.get(checks.RECORDING.id), cells=ran),
        draws=course.draws,
        attachments=tuple(path.suffix.lower() for path in submission.attachments),
    )
    asked = checks.counter_questions(course.rubric, registry=checks.CHECKS, evidence=evidence)
    return evidence.with_expected(course.reference.ask(asked))


def _concluded(submission: Submission, evidence: checks.Evidence, course: Course) -> Graded:
    rubric = course.rubric
    findings = checks.judge(rubric, registry=checks.CHECKS, evidence=evidence)
    score = scoring.score(rubric, findings=findings)
    team = students(evidence.notebook)
    written = written_answers(
        evidence.notebook, items=rubric.items, handout=handout_lines(course.reference.notebook)
    )
    origin = Origin(rubric=rubric, reference=course.reference.notebook, seed=course.draws.seed)
    return Graded(
        submission=submission,
        students=team,
        reason=None,
        score=score,
        record=evidence.record,
        answers=written,
        code=code_of_items(evidence.notebook, rubric=rubric, findings=findings),
        flags=flags(score, record=evidence.record, team=team),
        notes=notes(evidence.notebook),
        provenance=provenance(evidence.notebook, record=evidence.record, origin=origin),
    )
