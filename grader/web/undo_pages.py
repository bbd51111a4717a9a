"""Handles undoing: what one form gave is taken back as a whole, or one mark on its own page."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import RedirectResponse, Response

from grader.errors import MarkConflict
from grader.gradebook import ledger, team
from grader.model import Mark
from grader.report.text_format import format_count, points_with_unit
from grader.web.console import Visit, local_path
from grader.web.marking_queue import answer_url
from grader.web.sessions import GradingStep


def undo_last_step(visit: Visit) -> Response:
    """Take back all that was given last in this browser, and go where it can be given again."""
    session = visit.session
    if not session.steps:
        session.message = "There is nothing to undo."
        return RedirectResponse(local_path(visit.field("here")), 303)
    step = session.steps.pop()
    restored: list[Mark | None] = []
    conflicts: list[MarkConflict] = []
    for mark in step.marks:
        try:
            restored.append(_take_back(visit, mark.submission, mark.item, mark.number))
        except MarkConflict as conflict:
            conflicts.append(conflict)
    session.message = _describe_undone(visit, step, restored, conflicts)
    return RedirectResponse(step.path, 303)


def take_back(visit: Visit) -> Response:
    """Take back the current mark of an answer."""
    queue_item, number = visit.queue_item, visit.number_field("over") or -1
    answer = queue_item.answer
    visit.session.forget_mark(number)
    try:
        restored = _take_back(visit, answer.submission, answer.item, number)
    except MarkConflict as conflict:
        visit.session.message = f"Nothing was undone. {describe_conflict(conflict)}"
    else:
        subject = f"answer {queue_item.number}"
        visit.session.message = (
            f"Undone: {subject} {_describe_state(visit, answer.item, restored)}."
        )
    path = answer_url(answer.item, answer.code, queue_filter=visit.queue_filter)
    return RedirectResponse(path, 303)


def _take_back(visit: Visit, submission: str, item: str, mark_number: int) -> Mark | None:
    """Take back one mark, with the regrade request that it answered; return the one before."""
    book = visit.console.book
    restored = ledger.take_back_mark(
        book, submission, item, by=visit.session.name, expected_current=mark_number
    )
    team.withdraw_reply(book, mark_number)
    visit.console.publisher.queue_submissions((submission,))
    return restored


def _describe_undone(
    visit: Visit,
    step: GradingStep,
    restored: Sequence[Mark | None],
    conflicts: Sequence[MarkConflict],
) -> str:
    if not restored:
        reason = describe_conflict(conflicts[0]) if len(conflicts) == 1 else ""
        return f"Nothing was undone. {reason or 'Others changed these answers since.'}"
    if len(step.marks) == 1:
        return f"Undone: {step.label} {_describe_state(visit, step.marks[0].item, restored[0])}."
    subject = format_count(len(restored), singular="answer", plural="answers")
    message = f"Undone: {subject} {'is' if len(restored) == 1 else 'are'} as before."
    if conflicts:
        kept = format_count(len(conflicts), singular="answer", plural="answers")
        message += f" {kept} graded by others since: not undone."
    return message


def _describe_state(visit: Visit, item_id: str, restored: Mark | None) -> str:
    if restored is None:
        is_written = visit.console.item(item_id).kind == "written"
        return "is ungraded again" if is_written else "is as the autograder left it"
    return f"has {points_with_unit(restored.points)} by {restored.by} again"


def describe_conflict(conflict: MarkConflict) -> str:
    """Return the other change, without the name of the submission."""
    if conflict.current is None:
        return "The grade that was here was undone meanwhile."
    return f"{conflict.current.by} graded this answer meanwhile."
