"""Everything that judging needs and no kernel: evidence to a grade, at once or years later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from grader import scoring
from grader.checks import CHECKS, RECORDING, Bound, Draws, Evidence, bind
from grader.checks.recording import read as read_recording
from grader.checks.reproduction import saved_evidence
from grader.model import (
    Answer,
    CellStatus,
    Graded,
    Item,
    Notebook,
    Rubric,
    Student,
    Submission,
    Trace,
)
from grader.notebook import Outline, handout_lines, outline_handout, read, students, written_answers
from grader.people import People, Registrar
from grader.pipeline.location_overrides import Parts
from grader.pipeline.picture_redrawing import redrawn
from grader.pipeline.provenance import (
    Origin,
    code_of_items,
    flags,
    notes,
    provenance,
    unsure,
    without_outputs,
)

REACHED = frozenset({CellStatus.RAN, CellStatus.RAISED, CellStatus.TIMED_OUT})
"""What became of cells that did run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a notebook says in words; made of it, a judge's `asked` and handout, and `parts`."""

    students: tuple[Student, ...]
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A rubric with its checks, and what of the reference can be read."""

    rubric: Rubric
    checks: Bound
    draws: Draws
    reference: Notebook
    handout: frozenset[str]
    """Lines of the reference that are nobody's own words."""
    outline: Outline
    """Where the reference asks what, and the code it gives."""
    asked: tuple[Item, ...]
    """The items without points, criteria and checks: all that answers are found by."""
    environment: str
    """Where notebooks run: a digest."""
    people: People
    """The roster, and due dates of their own."""
    registrar: Registrar
    parts: Parts = field(default_factory=dict)
    """The cells that people say items are answered in."""

    @classmethod
    def of(
        cls,
        rubric: Rubric,
        *,
        draws: Draws,
        environment: str = "",
        people: People | None = None,
        parts: Parts | None = None,
    ) -> Judge:
        """The judge of a rubric."""
        known = people or People()
        reference = read(rubric.reference)
        return cls(
            rubric=rubric,
            checks=bind(rubric, registry=CHECKS, draws=draws),
            draws=draws,
            reference=reference,
            handout=handout_lines(reference),
            outline=outline_handout(reference, items=rubric.items),
            asked=tuple(
                replace(item, points=Fraction(0), criteria=(), checks=()) for item in rubric.items
            ),
            environment=environment,
            parts=parts or {},
            people=known,
            registrar=Registrar(known, rule=rubric.late),
        )

    def evidence(self, submission: Submission, trace: Trace) -> Evidence:
        """What a run left behind, as checks see it."""
        ran = [run.index for run in trace.record.cells if run.status in REACHED]
        return Evidence(
            notebook=trace.notebook,
            record=trace.record,
            observations=trace.observations,
            recording=read_recording(trace.observations.get(RECORDING.id), cells=ran),
            draws=self.draws,
            attachments=tuple(path.suffix.lower() for path in submission.attachments),
            expected=trace.expected,
        )

    def reading(self, notebook: Notebook, *, submission: str = "") -> Reading:
        """Who made a notebook, and what they wrote to each written item."""
        answers = written_answers(
            notebook,
            items=self.asked,
            handout=self.handout,
            outline=self.outline,
            told=self.parts.get(submission, {}),
        )
        return Reading(students=students(notebook), answers=redrawn(answers))

    def conclude(
        self, submission: Submission, evidence: Evidence, *, known: Reading | None = None
    ) -> Graded:
        """The grade; a reading that is known already is not made again."""
        findings = self.checks.judge(evidence)
        score = scoring.score(self.rubric, findings=findings)
        notebook, record = evidence.notebook, evidence.record
        reading = known or self.reading(notebook, submission=submission.name)
        doubts = unsure(reading.answers)
        who = self.registrar.enter(submission, named=reading.students)
        origin = Origin(rubric=self.rubric, reference=self.reference, seed=self.draws.seed)
        graded = Graded(
            submission=submission,
            students=who.students,
            reason=None,
            score=score,
            record=without_outputs(record),
            answers=reading.answers,
            code=code_of_items(
                notebook,
                rubric=self.rubric,
                findings=findings,
                given=self.outline.code,
                told=self.parts.get(submission.name, {}),
            ),
            flags=(
                *flags(score, record=record, team=who.students),
                *submission.doubts,
                *doubts.flags,
                *who.doubts,
            ),
            notes=(*notes(notebook), *doubts.notes),
            provenance=provenance(notebook, record=record, origin=origin),
            evidence=saved_evidence(notebook, record=record, answers=reading.answers),
            lateness=who.lateness,
            named=reading.students,
            doubts=who.doubts,
        )
        return scoring.settled(graded)

    def entered(self, graded: Graded, *, submission: Submission) -> Graded:
        """One that could not be graded, with whose it is and how late, as the folder says."""
        who = self.registrar.enter(submission, named=graded.named)
        made_anew = {*graded.doubts, *graded.clashes}
        others = tuple(flag for flag in graded.flags if flag not in made_anew)
        return replace(
            graded,
            submission=submission,
            students=who.students,
            lateness=who.lateness,
            flags=(*others, *who.doubts),
            doubts=who.doubts,
            clashes=(),
        )
