"""Everything that judging needs and no kernel: evidence to a grade, at once or years later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from grader import scoring
from grader.checks import (
    CHECKS,
    BoundRubric,
    Evidence,
    RandomDraws,
    bind_rubric,
)
from grader.checks.reproduction import collect_saved_evidence
from grader.model import (
    Answer,
    Graded,
    Item,
    Notebook,
    Rubric,
    Student,
    Submission,
    Trace,
)
from grader.notebook import (
    Outline,
    find_students,
    handout_lines,
    outline_handout,
    read_notebook,
    written_answers,
)
from grader.people import EnrollmentResolver, People
from grader.pipeline.location_overrides import LocationOverrides
from grader.pipeline.picture_redrawing import redraw_pictures
from grader.pipeline.provenance import (
    Origin,
    build_provenance,
    code_by_item,
    describe_location_doubts,
    notebook_notes,
    staff_flags,
    without_outputs,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What a notebook says in words; made of it, a judge's `asked` and handout, and `parts`."""

    students: tuple[Student, ...]
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A rubric with its checks, and what of the reference can be read."""

    rubric: Rubric
    checks: BoundRubric
    draws: RandomDraws
    reference: Notebook
    handout: frozenset[str]
    """Lines of the reference that are nobody's own words."""
    outline: Outline
    """Where the reference asks what, and the code it gives."""
    answer_items: tuple[Item, ...]
    """The items without points, criteria and checks: all that answers are found by."""
    environment: str
    """Where notebooks run: a digest."""
    people: People
    """The roster, and due dates of their own."""
    registrar: EnrollmentResolver
    overrides: LocationOverrides = field(default_factory=dict)
    """The cells that people say items are answered in."""

    @classmethod
    def for_rubric(
        cls,
        rubric: Rubric,
        *,
        draws: RandomDraws,
        environment: str = "",
        people: People | None = None,
        overrides: LocationOverrides | None = None,
    ) -> Judge:
        """The judge of a rubric."""
        known_people = people or People()
        reference = read_notebook(rubric.reference)
        return cls(
            rubric=rubric,
            checks=bind_rubric(rubric, registry=CHECKS, draws=draws),
            draws=draws,
            reference=reference,
            handout=handout_lines(reference),
            outline=outline_handout(reference, items=rubric.items),
            answer_items=tuple(
                replace(item, points=Fraction(0), criteria=(), checks=()) for item in rubric.items
            ),
            environment=environment,
            overrides=overrides or {},
            people=known_people,
            registrar=EnrollmentResolver(known_people, rule=rubric.late),
        )

    def evidence(self, submission: Submission, trace: Trace) -> Evidence:
        """What a run left behind, as checks see it."""
        attachments = tuple(path.suffix.lower() for path in submission.attachments)
        return Evidence.from_trace(trace, draws=self.draws, attachments=attachments)

    def extract(self, notebook: Notebook, *, submission: str = "") -> Extraction:
        """Who made a notebook, and what they wrote to each written item."""
        answers = written_answers(
            notebook,
            items=self.answer_items,
            handout=self.handout,
            outline=self.outline,
            overrides=self.overrides.get(submission, {}),
        )
        return Extraction(students=find_students(notebook), answers=redraw_pictures(answers))

    def conclude(
        self, submission: Submission, evidence: Evidence, *, cached: Extraction | None = None
    ) -> Graded:
        """The grade; a reading that is known already is not made again."""
        findings = self.checks.judge(evidence)
        score = scoring.score_submission(self.rubric, findings=findings)
        notebook, record = evidence.notebook, evidence.record
        extraction = cached or self.extract(notebook, submission=submission.name)
        doubts = describe_location_doubts(extraction.answers)
        enrollment = self.registrar.resolve(submission, named=extraction.students)
        origin = Origin(rubric=self.rubric, reference=self.reference, seed=self.draws.seed)
        graded = Graded(
            submission=submission,
            students=enrollment.students,
            reason=None,
            score=score,
            record=without_outputs(record),
            answers=extraction.answers,
            code=code_by_item(
                notebook,
                rubric=self.rubric,
                findings=findings,
                handout_code=self.outline.code,
                overrides=self.overrides.get(submission.name, {}),
            ),
            flags=(
                *staff_flags(score, record=record, team=enrollment.students),
                *submission.doubts,
                *doubts.flags,
                *enrollment.flags,
            ),
            notes=(*notebook_notes(notebook), *doubts.notes),
            provenance=build_provenance(notebook, record=record, origin=origin),
            evidence=collect_saved_evidence(notebook, record=record, answers=extraction.answers),
            lateness=enrollment.lateness,
            named=extraction.students,
            doubts=enrollment.flags,
        )
        return scoring.with_late_deductions(graded)

    def with_enrollment(self, graded: Graded, *, submission: Submission) -> Graded:
        """One that could not be graded, with whose it is and how late, as the folder says."""
        enrollment = self.registrar.resolve(submission, named=graded.named)
        recomputed = {*graded.doubts, *graded.clashes}
        others = tuple(flag for flag in graded.flags if flag not in recomputed)
        return replace(
            graded,
            submission=submission,
            students=enrollment.students,
            lateness=enrollment.lateness,
            flags=(*others, *enrollment.flags),
            doubts=enrollment.flags,
            clashes=(),
        )
