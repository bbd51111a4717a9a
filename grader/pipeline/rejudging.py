"""Judges from stored observations: no kernel, and the numbers that moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from grader import gradebook
from grader.folder import Brief
from grader.gradebook import Gradebook
from grader.model import Graded, Submission, Trace
from grader.pipeline.cache_keys import Keys
from grader.pipeline.grading_worker import Work
from grader.pipeline.judge import Judge, Reading

LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One number of one submission, before and after."""

    submission: str
    item: str
    """An item's id, '' for the sum, or `LATE` for what lateness takes."""
    before: Fraction | None
    after: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """What judging some submissions again came to."""

    count: int = 0
    changes: tuple[Change, ...] = ()
    unasked: tuple[str, ...] = ()
    """Submissions of which a check wants to know what was never asked: they stay as they were."""
    briefs: tuple[Brief, ...] = ()
    """What the files of the class keep of each, in the order in which they were named."""


def rejudge(
    work: Work, names: Iterable[str], *, now: Mapping[str, Submission] | None = None
) -> Rejudged:
    """Judge these submissions from what the gradebook holds of them.

    Args:
        work: what they are judged by.
        names: which ones.
        now: the same as they are found now, where somebody has looked; else as they were.
    """
    judge = work.judge()
    keys = Keys.of(judge, show_ids=work.show_ids)
    folder = work.folder()
    changes: list[Change] = []
    unasked: list[str] = []
    briefs: list[Brief] = []
    with gradebook.opened(folder.store) as book:
        known = book.keys()
        for name in names:
            before = book.graded(name)
            submission = (now or {}).get(name, before.submission)
            read = keys.reads_as(known[name], submission=name)
            judged = _judged(replace(before, submission=submission), judge, book, read=read)
            if judged is None:
                briefs.append(Brief.of(before, rubric=work.rubric))
                unasked.append(name)
                continue
            shown = book.with_marks(judged)
            after = shown.graded
            folder.write_one(after, rubric=work.rubric)
            key = keys.rejudged(known[name], submission=submission)
            book.amend(judged, key=key, shown=shown)
            briefs.append(Brief.of(after, rubric=work.rubric))
            changes += moved(before, after)
    return Rejudged(
        count=len(briefs) - len(unasked),
        changes=tuple(changes),
        unasked=tuple(unasked),
        briefs=tuple(briefs),
    )


def _judged(before: Graded, judge: Judge, book: Gradebook, *, read: bool) -> Graded | None:
    """The grade as it comes out now; None where a check asks what was never asked.

    Args:
        before: the grade until now.
        judge: who judges.
        book: where the run's trace is.
        read: whether names and answers were found as they would be now.
    """
    trace = book.trace(before.submission.name)
    if trace is None:
        return judge.entered(before, submission=before.submission)
    evidence = judge.evidence(before.submission, trace)
    asked = {question.id for question in judge.checks.questions}
    constant = {question.id for question in judge.checks.constant_questions}
    if asked - trace.observations.keys() or constant - trace.expected.keys():
        return None
    if judge.checks.counter_questions(evidence):
        return None
    known = _reading(before, trace) if read else None
    return judge.conclude(before.submission, evidence, known=known)


def _reading(before: Graded, trace: Trace) -> Reading | None:
    """What was found in the notebook before; None where that was another notebook."""
    made = before.provenance
    if made is None or made.notebook != trace.notebook.sha256:
        return None
    return Reading(students=before.named, answers=before.answers)


def moved(before: Graded, after: Graded) -> Iterator[Change]:
    """What is no longer what it was: the sum first, then items."""
    if before.score is None or after.score is None:
        return
    name = after.submission.name
    sums = (before.score.total.earned, after.score.total.earned)
    earned = {score.item.id: score.earned for score in before.score.items}
    rows = [
        Change(
            submission=name,
            item=score.item.id,
            before=earned.get(score.item.id),
            after=score.earned,
        )
        for score in after.score.items
        if earned.get(score.item.id, Fraction(0)) != score.earned
    ]
    if rows or sums[0] != sums[1]:
        yield Change(submission=name, item="", before=sums[0], after=sums[1])
    yield from rows
    taken = (_taken(before), _taken(after))
    if taken[0] != taken[1]:
        yield Change(submission=name, item=LATE, before=taken[0], after=taken[1])


def _taken(graded: Graded) -> Fraction | None:
    """The most that lateness takes from anyone of the team; None where that isn't known."""
    known = [late.deduction for late in graded.lateness if late is not None]
    return None if None in known else max((d for d in known if d is not None), default=Fraction(0))
