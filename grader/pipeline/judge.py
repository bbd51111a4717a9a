"""Judges a submission: from the evidence of its run to a grade, with no kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from grader import fault_log, scoring
from grader.checks import (
    BoundRubric,
    Evidence,
    Judgment,
    SeededRandom,
    bind_rubric,
    load_checks,
)
from grader.checks.reproduction import collect_saved_evidence
from grader.gradebook.course_records import LocationOverrides
from grader.model import (
    Answer,
    ExecutionRecord,
    Finding,
    Flag,
    FlagKind,
    FlagSource,
    Graded,
    Item,
    Notebook,
    Provenance,
    Rubric,
    SavedEvidence,
    Score,
    Student,
    Submission,
    Trace,
    Verdict,
)
from grader.notebook import (
    Outline,
    count_open_blanks,
    find_students,
    handout_lines,
    looks_foreign,
    outline_handout,
    read_notebook,
    written_answers,
)
from grader.people import EnrollmentResolver, People
from grader.pipeline.picture_redrawing import redraw_pictures
from grader.pipeline.provenance import (
    build_provenance,
    code_by_item,
    record_for_grade,
    run_flags,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """The names and the written answers that a notebook holds."""

    students: tuple[Student, ...]
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A rubric with its checks, the people of the course, and the handout in the reference."""

    rubric: Rubric
    checks: BoundRubric
    rng: SeededRandom
    reference: Notebook
    handout: frozenset[str]
    """The lines of the reference that the course wrote, which are no student's answer."""
    outline: Outline
    """Where the handout asks for which item, and the code it gives for it."""
    answer_items: tuple[Item, ...]
    """The items without points, criteria and checks: all that finding answers depends on."""
    environment: str
    """The fingerprint of the interpreter that runs notebooks."""
    people: People
    """The roster, extensions and submission times."""
    enrollment: EnrollmentResolver
    overrides: LocationOverrides = field(default_factory=dict)
    """By submission and item, the cells that a person named for its answer."""

    @classmethod
    def for_rubric(
        cls,
        rubric: Rubric,
        *,
        rng: SeededRandom,
        environment: str = "",
        people: People | None = None,
        overrides: LocationOverrides | None = None,
    ) -> Judge:
        """Read the reference and bind the checks of a rubric."""
        known_people = people or People()
        reference = read_notebook(rubric.reference)
        return cls(
            rubric=rubric,
            checks=bind_rubric(rubric, registry=load_checks(rubric.check_modules), rng=rng),
            rng=rng,
            reference=reference,
            handout=handout_lines(reference),
            outline=outline_handout(reference, items=rubric.items),
            answer_items=tuple(
                replace(item, points=Fraction(0), criteria=(), checks=()) for item in rubric.items
            ),
            environment=environment,
            overrides=overrides or {},
            people=known_people,
            enrollment=EnrollmentResolver(known_people, rule=rubric.late),
        )

    def evidence(self, submission: Submission, trace: Trace) -> Evidence:
        """Return a trace in the form that checks read."""
        attachments = tuple(path.suffix.lower() for path in submission.attachments)
        return Evidence.from_trace(trace, rng=self.rng, attachments=attachments)

    def extract(self, notebook: Notebook, *, submission: str = "") -> Extraction:
        """Find the names and the written answers in a notebook."""
        answers = written_answers(
            notebook,
            items=self.answer_items,
            handout=self.handout,
            outline=self.outline,
            overrides=self.overrides.get(submission, {}),
        )
        prompts = {item.id: item.prompt for item in self.answer_items}
        students = find_students(notebook, prompts=prompts)
        return Extraction(students=students, answers=redraw_pictures(answers))

    def look_for(self, item: Item, notebook: Notebook, *, submission: str) -> Answer:
        """Find the answer to an item of another notebook, which may stand in this one."""
        located = self.overrides.get(submission, {}).get(item.id)
        answers = written_answers(
            notebook,
            items=(*self.answer_items, item),
            handout=self.handout,
            outline=self.outline,
            overrides={} if located is None else {item.id: located},
        )
        return redraw_pictures({item.id: answers[item.id]})[item.id]

    def judge_evidence(self, submission: Submission, evidence: Evidence) -> Judgment:
        """Judge the evidence; log each check that failed by a fault of the grader."""
        judgment = self.checks.judge(evidence)
        for fault in judgment.faults:
            fault_log.report_fault(replace(fault, where=f"{fault.where} of {submission.name}"))
        return judgment

    def conclude(
        self,
        submission: Submission,
        evidence: Evidence,
        *,
        judgment: Judgment | None = None,
        cached: Extraction | None = None,
    ) -> Graded:
        """Return the grade of a submission.

        Args:
            submission: the submission.
            evidence: the evidence of its run, with the reference's answers.
            judgment: the result of `judge_evidence`; None to judge here.
            cached: names and answers of the same notebook; None to find them here.
        """
        findings = (judgment or self.judge_evidence(submission, evidence)).findings
        notebook, record = evidence.notebook, evidence.record
        extraction = cached or self.extract(notebook, submission=submission.name)
        unanswered = scoring.unanswered_findings(self.rubric, answers=extraction.answers)
        findings = (*findings, *unanswered)
        recognition = self._recognize_file(notebook, extraction)
        score = self._score(findings, recognition)
        enrollment = self.enrollment.resolve(submission, named=extraction.students)
        graded = Graded(
            submission=submission,
            students=enrollment.students,
            reason=None,
            score=score,
            record=record_for_grade(record, notebook=notebook),
            answers=extraction.answers,
            code=code_by_item(
                notebook,
                items=self.rubric.items,
                names=self.checks.names_by_item(),
                findings=findings,
                handout_code=self.outline.code,
                overrides=self.overrides.get(submission.name, {}),
            ),
            flags=(
                *recognition[:1],
                *scoring.score_flags(score),
                *run_flags(record, team=enrollment.students),
                *collection_flags(submission),
                *location_flags(extraction.answers, kind=FlagKind.LOCATION_UNSURE),
                *enrollment.flags,
            ),
            notes=(
                *recognition[1:],
                *(Flag(FlagKind.NOTEBOOK_NOTE, (note,)) for note in notebook.notes),
                *location_flags(extraction.answers, kind=FlagKind.LOCATION_UNSURE_NOTE),
            ),
            provenance=self._provenance(notebook, record),
            evidence=self._saved_evidence(notebook, record, extraction.answers),
            lateness=enrollment.lateness,
            named=extraction.students,
        )
        return scoring.with_late_deductions(graded)

    def _saved_evidence(
        self, notebook: Notebook, record: ExecutionRecord, answers: Mapping[str, Answer]
    ) -> SavedEvidence:
        """Return what the saved outputs tell; numbers in code are no quotes."""
        code = {item.id for item in self.rubric.items if item.takes_code}
        words = {item: answer for item, answer in answers.items() if item not in code}
        return collect_saved_evidence(notebook, record=record, answers=words)

    def _provenance(self, notebook: Notebook, record: ExecutionRecord) -> Provenance:
        return build_provenance(
            notebook,
            record=record,
            rubric=self.rubric,
            reference=self.reference,
            seed=self.rng.seed,
        )

    def _score(self, findings: tuple[Finding, ...], recognition: tuple[Flag, ...]) -> Score:
        """Return the score; where it is the wrong file, all points wait for a person."""
        if any(flag.kind is FlagKind.WRONG_FILE for flag in recognition):
            findings = tuple(map(_withhold, findings))
        return scoring.score_submission(self.rubric, findings=findings)

    def _recognize_file(self, notebook: Notebook, extraction: Extraction) -> tuple[Flag, ...]:
        """Return the flag and the note on a file that is no attempt at the assignment, if any."""
        names, title = self.checks.all_names(), self.rubric.short_title
        if looks_foreign(notebook, items=self.answer_items, handout=self.handout, names=names):
            return Flag(FlagKind.WRONG_FILE, (title,)), Flag(FlagKind.WRONG_FILE_NOTE, (title,))
        blanks = count_open_blanks(notebook, answers=extraction.answers, handout=self.handout)
        kinds = (FlagKind.UNTOUCHED_HANDOUT, FlagKind.UNTOUCHED_HANDOUT_NOTE) if blanks else ()
        return tuple(Flag(kind, (title, str(blanks))) for kind in kinds)

    def with_enrollment(self, graded: Graded, *, submission: Submission) -> Graded:
        """Return the grade with its students and its lateness, and flags about them."""
        enrollment = self.enrollment.resolve(submission, named=graded.named)
        return replace(
            graded,
            submission=submission,
            students=enrollment.students,
            lateness=enrollment.lateness,
            flags=(*graded.flags_except(FlagSource.PEOPLE), *enrollment.flags),
        )


def _withhold(finding: Finding) -> Finding:
    """Return a finding that leaves its points to a person."""
    return replace(finding, verdict=Verdict.PENDING, earned=Fraction(0), blocked_by="", lack="")


def ungradable_result(submission: Submission, reason: str, *, flag: Flag) -> Graded:
    """Return the grade of a submission that has no score, with the reason why."""
    return Graded(
        submission=submission,
        students=submission.students,
        reason=reason,
        score=None,
        record=ExecutionRecord(cells=()),
        flags=(flag, *collection_flags(submission)),
    )


def location_flags(answers: Mapping[str, Answer], *, kind: FlagKind) -> tuple[Flag, ...]:
    """Return a flag of a kind that names the answers whose place is uncertain, if there are any."""
    unsure_items = tuple(item for item, answer in answers.items() if answer.concern)
    return (Flag(kind, unsure_items),) if unsure_items else ()


def collection_flags(submission: Submission) -> tuple[Flag, ...]:
    """Return flags for doubts from when the submission was collected."""
    return tuple(Flag(FlagKind.COLLECTION_CONCERN, (doubt,)) for doubt in submission.concerns)
