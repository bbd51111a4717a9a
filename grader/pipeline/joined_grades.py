"""Grades a submission of several notebooks: each by its own part of the rubric, to one grade.

A part is graded as an assignment of its own, in a session of its own, and so is judged again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePosixPath

from grader import scoring
from grader.model import (
    Answer,
    ExecutionRecord,
    Flag,
    FlagKind,
    FlagSource,
    Graded,
    Notebook,
    Provenance,
    Rubric,
    Score,
    Student,
    Submission,
    Trace,
)
from grader.people import EnrollmentResolver
from grader.pipeline import GradingResult
from grader.pipeline.joined_runs import (
    join_digests,
    join_evidence,
    join_records,
    join_traces,
    split_trace,
)
from grader.pipeline.judge import Judge, collection_flags, location_flags
from grader.pipeline.provenance import commit_to_seed

ELSEWHERE = 0.5
"""How certain an answer is that stands in another notebook than its question."""
ANOTHER_NOTEBOOK = "it was found in another notebook than its question's"
_OF_THE_WHOLE = frozenset({FlagKind.NOBODY_NAMED, FlagKind.LOCATION_UNSURE})
"""Kinds of flags that are made of what all notebooks say together."""
GradePart = Callable[[str, int], GradingResult]
"""Grades the notebook of an id, whose first cell gets an index, by its part of the rubric."""
JudgePart = Callable[[str, Trace], Graded | None]
"""Judges the notebook of an id again; None where it must run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeJudge:
    """The judges of an assignment's notebooks, and how their grades become one."""

    rubric: Rubric
    judges: Mapping[str, Judge]
    """By the notebook's id, in the order of the rubric."""
    enrollment: EnrollmentResolver

    @classmethod
    def for_rubric(cls, rubric: Rubric, judges: Mapping[str, Judge]) -> WholeJudge:
        """Return what joins the grades of a rubric's parts."""
        people = next(iter(judges.values())).people
        enrollment = EnrollmentResolver(people, rule=rubric.late)
        return cls(rubric=rubric, judges=judges, enrollment=enrollment)

    def grade(self, submission: Submission, *, grade_part: GradePart) -> GradingResult:
        """Return the grade of a submission, and what the runs of its notebooks left behind."""
        graded: dict[str, Graded] = {}
        traces: dict[str, tuple[str, Trace]] = {}
        grader_fault, first = False, 0
        for notebook, judge in self.judges.items():
            part = submission.parts.get(notebook)
            if part is None:
                graded[notebook] = _not_handed_in(submission, notebook, judge=judge)
                continue
            result = grade_part(notebook, first)
            graded[notebook] = _with_reason(result.graded, notebook)
            grader_fault |= result.grader_fault
            if result.trace is not None:
                traces[notebook] = (PurePosixPath(part.display_path).name, result.trace)
                first = len(result.trace.notebook.cells)
        trace = join_traces(traces) if traces else None
        graded = self._look_elsewhere(graded, {n: own.notebook for n, (_, own) in traces.items()})
        whole = self.join(submission, graded, notebook=trace.notebook if trace else None)
        return GradingResult(graded=whole, trace=trace, grader_fault=grader_fault)

    def judge_again(self, before: Graded, trace: Trace, *, judge_part: JudgePart) -> Graded | None:
        """Return the grade by what is stored; None where a notebook must run."""
        submission, traces = before.submission, split_trace(trace)
        graded: dict[str, Graded] = {}
        for notebook, judge in self.judges.items():
            if notebook in traces:
                again = judge_part(notebook, traces[notebook])
                if again is None:
                    return None
                graded[notebook] = again
            elif notebook in submission.parts:
                return None  # it could not be graded: it may be by now
            else:
                graded[notebook] = _not_handed_in(submission, notebook, judge=judge)
        graded = self._look_elsewhere(graded, {n: own.notebook for n, own in traces.items()})
        return self.join(submission, graded, notebook=trace.notebook)

    def _look_elsewhere(
        self, parts: Mapping[str, Graded], notebooks: Mapping[str, Notebook]
    ) -> dict[str, Graded]:
        """Return the grades, with missing answers where they stand in the wrong notebook."""
        return {
            notebook: replace(
                graded,
                answers={
                    item: self._find_in_others(answer, graded, notebook, notebooks)
                    if answer.is_missing
                    else answer
                    for item, answer in graded.answers.items()
                },
            )
            for notebook, graded in parts.items()
        }

    def _find_in_others(
        self, missing: Answer, graded: Graded, notebook: str, notebooks: Mapping[str, Notebook]
    ) -> Answer:
        judge, name = self.judges[notebook], graded.submission.name
        if judge.overrides.get(name, {}).get(missing.item) == ():
            return missing  # a person said that there is none
        (item,) = (item for item in judge.answer_items if item.id == missing.item)
        for other, cells in notebooks.items():
            if other != notebook:
                answer = self.judges[other].look_for(item, cells, submission=name)
                if not answer.is_missing and answer.located_by_person:
                    return answer
                if not answer.is_missing:
                    return replace(answer, confidence=ELSEWHERE, concern=ANOTHER_NOTEBOOK)
        return missing

    def join(
        self, submission: Submission, parts: Mapping[str, Graded], *, notebook: Notebook | None
    ) -> Graded:
        """Return the grades of all notebooks as one.

        Args:
            submission: the submission.
            parts: the grade of each notebook, by its id.
            notebook: all cells, joined; None where none could be graded.
        """
        each = list(parts.values())
        named = _unite(part.named for part in each)
        if notebook is None:
            return self.with_enrollment(
                _join_ungradable(submission, each, named=named), submission=submission
            )
        enrollment = self.enrollment.resolve(submission, named=named)
        score = self._score(parts)
        answers = {item: answer for part in each for item, answer in part.answers.items()}
        flags = (
            *_kept_flags(each),
            *scoring.score_flags(score),
            *collection_flags(submission),
            *_nobody_named(enrollment.students),
            *location_flags(answers, kind=FlagKind.LOCATION_UNSURE),
            *enrollment.flags,
        )
        notes = (
            *(n for p in each for n in p.notes if n.kind is not FlagKind.LOCATION_UNSURE_NOTE),
            *location_flags(answers, kind=FlagKind.LOCATION_UNSURE_NOTE),
        )
        graded = Graded(
            submission=submission,
            students=enrollment.students,
            reason=None,
            score=score,
            record=join_records([_name_notebook(p.record, n) for n, p in parts.items()]),
            answers=answers,
            code={item: code for part in each for item, code in part.code.items()},
            flags=tuple(dict.fromkeys(flags)),
            notes=tuple(dict.fromkeys(notes)),
            provenance=self._provenance(each, notebook),
            evidence=join_evidence([p.evidence for p in each if p.evidence is not None]),
            lateness=enrollment.lateness,
            named=named,
        )
        return scoring.with_late_deductions(graded)

    def with_enrollment(self, graded: Graded, *, submission: Submission) -> Graded:
        """Return the grade with its students and its lateness, and flags about them."""
        judge = replace(next(iter(self.judges.values())), enrollment=self.enrollment)
        return judge.with_enrollment(graded, submission=submission)

    def _score(self, parts: Mapping[str, Graded]) -> Score:
        findings = [
            finding
            for notebook, part in parts.items()
            for finding in (
                self.judges[notebook].checks.leave_open(part.reason or "")
                if part.score is None
                else chain.from_iterable(item.findings for item in part.score.items)
            )
            if finding.code != scoring.UNANSWERED or part.answers[finding.item].unanswered
        ]
        return scoring.score_submission(self.rubric, findings=findings)

    def _provenance(self, parts: Iterable[Graded], notebook: Notebook) -> Provenance:
        known = next(part.provenance for part in parts if part.provenance is not None)
        judges = self.judges.values()
        return replace(
            known,
            notebook=notebook.sha256,
            reference=join_digests(judge.reference.sha256 for judge in judges),
            assignment=self.rubric.id,
            seed_commitment=commit_to_seed(self.rubric.id, next(iter(judges)).rng.seed),
        )


def _name_notebook(record: ExecutionRecord, notebook: str) -> ExecutionRecord:
    return replace(record, cells=tuple(replace(run, notebook=notebook) for run in record.cells))


def _join_ungradable(
    submission: Submission, parts: Sequence[Graded], *, named: tuple[Student, ...]
) -> Graded:
    """Return the grade where no notebook could be graded."""
    reasons = dict.fromkeys(part.reason for part in parts if part.reason)
    return replace(
        parts[0],
        submission=submission,
        reason=" ".join(reasons),
        score=None,
        flags=(*_kept_flags(parts), *collection_flags(submission)),
        named=named,
    )


def _not_handed_in(submission: Submission, notebook: str, *, judge: Judge) -> Graded:
    """Return the grade of a notebook that is not there."""
    sentence = f"The notebook '{notebook}' was not submitted."
    empty = Notebook(cells=(), sha256="")
    answers = judge.extract(empty).answers
    if judge.rubric.imported_from == "nbgrader":  # which gives 0 for these, too
        why = f"the notebook '{notebook}' was not submitted"
        answers = {item: replace(answer, unanswered=why) for item, answer in answers.items()}
    findings = (
        *judge.checks.fail_all(sentence),
        *scoring.unanswered_findings(judge.rubric, answers=answers),
    )
    return Graded(
        submission=submission,
        students=(),
        reason=None,
        score=scoring.score_submission(judge.rubric, findings=findings),
        record=ExecutionRecord(cells=()),
        answers=answers,
        notes=(Flag(FlagKind.NOTEBOOK_MISSING_NOTE, (notebook,)),),
    )


def _with_reason(graded: Graded, notebook: str) -> Graded:
    """Return a notebook's grade with a note of why it has none."""
    if graded.reason is None:
        return graded
    note = Flag(FlagKind.NOTEBOOK_NOT_GRADED_NOTE, (notebook, graded.reason))
    return replace(graded, notes=(*graded.notes, note))


def _unite(teams: Iterable[tuple[Student, ...]]) -> tuple[Student, ...]:
    """Return the students of all notebooks, each once: by id, or by name where one has no id."""
    united: list[Student] = []
    for student in chain.from_iterable(teams):
        index = next((n for n, other in enumerate(united) if _is_same(other, student)), None)
        if index is None:
            united.append(student)
        else:
            known = united[index]
            name, number = known.name or student.name, known.id or student.id
            united[index] = replace(known, name=name, id=number)
    return tuple(united)


def _is_same(known: Student, student: Student) -> bool:
    if known.id and student.id:
        return known.id.casefold() == student.id.casefold()
    return known.name.casefold() == student.name.casefold()


def _kept_flags(parts: Iterable[Graded]) -> tuple[Flag, ...]:
    """Return the flags of parts that say something of the whole, too."""
    computed = (FlagSource.SCORE, FlagSource.PEOPLE, FlagSource.COLLECTION)
    kept = chain.from_iterable(part.flags_except(*computed) for part in parts)
    return tuple(dict.fromkeys(flag for flag in kept if flag.kind not in _OF_THE_WHOLE))


def _nobody_named(team: tuple[Student, ...]) -> tuple[Flag, ...]:
    return () if team else (Flag(FlagKind.NOBODY_NAMED),)
