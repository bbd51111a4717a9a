"""Judges from stored observations: no kernel, and the numbers that moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from grader import gradebook
from grader.folder import SubmissionSummary
from grader.gradebook import Gradebook
from grader.model import Graded, Submission, Trace
from grader.pipeline.cache_keys import CacheKeys
from grader.pipeline.grading_worker import RunConfig
from grader.pipeline.judge import Extraction, Judge

LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChange:
    """One number of one submission, before and after."""

    submission: str
    item: str
    """An item's id, '' for the sum, or `LATE` for what lateness takes."""
    before: Fraction | None
    after: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejudgeResult:
    """What judging some submissions again came to."""

    count: int = 0
    changes: tuple[ScoreChange, ...] = ()
    needs_rerun: tuple[str, ...] = ()
    """Submissions of which a check wants to know what was never asked: they stay as they were."""
    briefs: tuple[SubmissionSummary, ...] = ()
    """What the files of the class keep of each, in the order in which they were named."""


def rejudge(
    config: RunConfig, names: Iterable[str], *, current: Mapping[str, Submission] | None = None
) -> RejudgeResult:
    """Judge these submissions from what the gradebook holds of them.

    Args:
        config: what they are judged by.
        names: which ones.
        current: the same as they are found now, where somebody has looked; else as they were.
    """
    judge = config.build_judge()
    keys = CacheKeys.for_judge(judge, show_ids=config.show_ids)
    folder = config.open_folder()
    changes: list[ScoreChange] = []
    needs_rerun: list[str] = []
    briefs: list[SubmissionSummary] = []
    with gradebook.open_gradebook(folder.store) as book:
        stored_keys = book.cache_keys()
        for name in names:
            before = book.graded(name)
            submission = (current or {}).get(name, before.submission)
            reuse_extraction = keys.has_same_extraction(stored_keys[name], submission=name)
            judged = _judge_again(
                replace(before, submission=submission),
                judge,
                book,
                reuse_extraction=reuse_extraction,
            )
            if judged is None:
                briefs.append(SubmissionSummary.from_graded(before, rubric=config.rubric))
                needs_rerun.append(name)
                continue
            marked = book.apply_stored_marks(judged)
            after = marked.graded
            folder.write_submission(after, rubric=config.rubric)
            key = keys.rejudged_key(stored_keys[name], submission=submission)
            book.replace_grade(judged, cache_key=key, rendered_from=marked)
            briefs.append(SubmissionSummary.from_graded(after, rubric=config.rubric))
            changes += score_changes(before, after)
    return RejudgeResult(
        count=len(briefs) - len(needs_rerun),
        changes=tuple(changes),
        needs_rerun=tuple(needs_rerun),
        briefs=tuple(briefs),
    )


def _judge_again(
    before: Graded, judge: Judge, book: Gradebook, *, reuse_extraction: bool
) -> Graded | None:
    """The grade as it comes out now; None where a check asks what was never asked.

    Args:
        before: the grade until now.
        judge: who judges.
        book: where the run's trace is.
        reuse_extraction: whether names and answers were found as they would be now.
    """
    trace = book.trace(before.submission.name)
    if trace is None:
        return judge.with_enrollment(before, submission=before.submission)
    evidence = judge.evidence(before.submission, trace)
    question_ids = {question.id for question in judge.checks.questions}
    constant_ids = {question.id for question in judge.checks.constant_questions}
    if question_ids - trace.observations.keys() or constant_ids - trace.expected.keys():
        return None
    if judge.checks.counter_questions(evidence):
        return None
    cached = _stored_extraction(before, trace) if reuse_extraction else None
    return judge.conclude(before.submission, evidence, cached=cached)


def _stored_extraction(before: Graded, trace: Trace) -> Extraction | None:
    """What was found in the notebook before; None where that was another notebook."""
    provenance = before.provenance
    if provenance is None or provenance.notebook != trace.notebook.sha256:
        return None
    return Extraction(students=before.named, answers=before.answers)


def score_changes(before: Graded, after: Graded) -> Iterator[ScoreChange]:
    """What is no longer what it was: the sum first, then items."""
    if before.score is None or after.score is None:
        return
    name = after.submission.name
    sums = (before.score.total.earned, after.score.total.earned)
    earned = {score.item.id: score.earned for score in before.score.items}
    rows = [
        ScoreChange(
            submission=name,
            item=score.item.id,
            before=earned.get(score.item.id),
            after=score.earned,
        )
        for score in after.score.items
        if earned.get(score.item.id, Fraction(0)) != score.earned
    ]
    if rows or sums[0] != sums[1]:
        yield ScoreChange(submission=name, item="", before=sums[0], after=sums[1])
    yield from rows
    deductions = (_largest_deduction(before), _largest_deduction(after))
    if deductions[0] != deductions[1]:
        yield ScoreChange(submission=name, item=LATE, before=deductions[0], after=deductions[1])


def _largest_deduction(graded: Graded) -> Fraction | None:
    """The most that lateness takes from anyone of the team; None where that isn't known."""
    deductions = [late.deduction for late in graded.lateness if late is not None]
    return (
        None
        if None in deductions
        else max((d for d in deductions if d is not None), default=Fraction(0))
    )
