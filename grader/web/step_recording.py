"""Records what one form gives to several answers: one step, which is undone as a whole."""

from __future__ import annotations

from collections.abc import Iterable

from grader.errors import GraderError, MarkConflict
from grader.gradebook import NewMark, ledger
from grader.model import Mark
from grader.report.text_format import format_count
from grader.web.console import Visit
from grader.web.sessions import GradingStep

Proposal = tuple[NewMark, int | None]
"""A mark, and the number of the current one that the grader saw; None for none."""


def record_step(
    visit: Visit,
    proposals: Iterable[Proposal],
    *,
    singular: str,
    where: str,
    path: str,
    skipped: tuple[type[GraderError], ...] = (MarkConflict,),
) -> GradingStep:
    """Add marks to the ledger, and remember those that were added as one step.

    Args:
        visit: the request.
        proposals: the marks to add; what others graded meanwhile is skipped.
        singular: what each is given to: 'answer' or 'item'.
        where: what these belong to: 'Q1.1' or 'notebook 3'.
        path: the page where they can be given again.
        skipped: the errors by which one is left out.
    """
    marks: list[Mark] = []
    for new_mark, expected in proposals:
        try:
            marks.append(ledger.add_mark(visit.console.book, new_mark, expected_current=expected))
        except skipped:
            continue
    label = f"{format_count(len(marks), singular=singular)} of {where}"
    step = GradingStep(marks=tuple(marks), label=label, path=path)
    if marks:
        visit.session.remember_step(step)
    visit.console.publisher.queue_submissions(mark.submission for mark in marks)
    return step
