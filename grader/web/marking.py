"""Handles marking: one answer at a time, its mark, its flag, and the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from grader.errors import MarkConflict, UsageError
from grader.gradebook import leases, ledger, team
from grader.gradebook.mark_points import base_points
from grader.model import Item, Mark
from grader.report.text_format import format_number, one_line, points_with_unit
from grader.web import marking_queue, regrade_requests
from grader.web.conflict_table import ConflictLine, conflict_lines
from grader.web.console import Visit, local_path
from grader.web.criteria_pages import find_criteria_change
from grader.web.marking_form import (
    MarkForm,
    build_marking_view,
    criterion_choices,
    frequent_comments,
    parse_points,
    suggestion_agreement,
)
from grader.web.marking_queue import QueueItem, answer_url
from grader.web.notebook_route import find_route, step_on_route
from grader.web.page_rendering import render_page
from grader.web.regrade_requests import RegradeRequest
from grader.web.sessions import GradingStep
from grader.web.similar_answers import find_group
from grader.web.undo_pages import describe_conflict

MAX_NOTE_LENGTH = 500
"""Characters of the note of a flag."""
PENDING_FILTERS = frozenset({"all", "waiting", "part", "empty"})
"""With these filters, the next answer is one that nobody marked yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormError:
    """Why a form is shown again."""

    message: str
    other_mark: Mark | None = None
    """The mark that somebody else gave meanwhile."""
    lines: tuple[ConflictLine, ...] = ()


def show_answer(visit: Visit) -> Response:
    """Show one answer with its form."""
    queue_item = visit.queue_item
    form = MarkForm.from_mark(queue_item.mark, item=visit.item)
    request = regrade_requests.find_request(
        visit.console, visit.query_params.get("request", ""), code=queue_item.answer.code
    )
    return _render_answer(visit, queue_item, form, request=request)


def _render_answer(
    visit: Visit,
    queue_item: QueueItem,
    form: MarkForm,
    *,
    form_error: FormError | None = None,
    request: RegradeRequest | None = None,
) -> Response:
    console, item, holder = visit.console, visit.item, visit.session.holder
    name = queue_item.answer.submission
    leased = leases.take_lease(console.book, item.id, (name,), holder=holder)
    other_holders = leases.other_holders(console.book, item.id, holder=holder) if not leased else {}
    queue = console.queue(item.id)
    team_names = console.answer_index.submission(name).team_names
    route = find_route(visit, queue_item)
    return render_page(
        visit,
        "mark.html",
        status=409 if form_error and form_error.other_mark else 422 if form_error else 200,
        item=item,
        queue_item=queue_item,
        view=build_marking_view(console, queue_item, item=item),
        form=form,
        choices=criterion_choices(
            item,
            form=form,
            text=queue_item.answer.text,
            suggestions=console.similarity.suggestions(item).get(name, ()),
        ),
        agreed=suggestion_agreement(console, queue, item=item),
        example=console.similarity.examples(item).get(name),
        base=base_points(item),
        sum=form.total(item),
        history=ledger.mark_history(console.book, name, item.id),
        comments=frequent_comments(queue),
        progress=count_progress(route.queue if route else queue),
        route=route,
        query=route.query_string if route else visit.queue_filter.query_string,
        queue_filter=visit.queue_filter,
        team=team_names if visit.session.names_shown else "",
        notebook=console.answer_index.submission(name).code,
        similar=find_group(visit, name),
        held_by=other_holders.get(name),
        form_error=form_error,
        request=request,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of an item, in numbers of answers."""

    all: int
    done: int
    outdated: int

    @property
    def left(self) -> int:
        """The number of pending answers."""
        return self.all - self.done


def count_progress(queue: Sequence[QueueItem]) -> Progress:
    """Return the progress of a queue."""
    return Progress(
        all=len(queue),
        done=sum(not queue_item.pending for queue_item in queue),
        outdated=sum(queue_item.state == "outdated" for queue_item in queue),
    )


# ---------------------------------------------------------------- saving a mark


def save_mark(visit: Visit) -> Response:
    """Add the mark of the form to the ledger, and go to the next answer."""
    item, queue_item = visit.item, visit.queue_item
    form = MarkForm.from_visit(visit, mark=queue_item.mark)
    request = regrade_requests.find_request(
        visit.console, visit.field("request"), code=queue_item.answer.code
    )
    message = _find_fault(visit, form, is_request=request is not None)
    form_error = FormError(message=message) if message else None
    if form_error is None:
        new_mark = form.to_new_mark(
            queue_item.answer, item=item, by=visit.session.name, mark=queue_item.mark
        )
        try:
            mark = ledger.add_mark(
                visit.console.book, new_mark, expected_current=visit.number_field("over")
            )
        except MarkConflict as conflict:
            form_error = FormError(
                message=describe_conflict(conflict),
                other_mark=conflict.current,
                lines=conflict_lines(conflict.current, form=form, item=item),
            )
            queue_item = visit.console.queue_item(item.id, queue_item.answer.code)
        except UsageError as error:
            form_error = FormError(message=str(error))
        else:
            return _redirect_after_mark(visit, mark, request=request)
    return _render_answer(visit, queue_item, form, form_error=form_error, request=request)


def _find_fault(visit: Visit, form: MarkForm, *, is_request: bool) -> str:
    """Return what is wrong with a form, or ''; an empty form is refused as a slip of a key."""
    item, answer = visit.item, visit.queue_item.answer
    if visit.field("answer") != answer.digest:
        return "The answer changed while you had it open. Read it again."
    if change := find_criteria_change(visit):
        return change
    fault = _find_auto_fault(item, form) if item.kind == "auto" else ""
    if item.kind != "auto" and parse_points(form.adjustment) is None:
        fault = f"\u201c{form.adjustment[:20]}\u201d is not a number."
    elif item.kind != "auto" and not (form.is_decided or answer.empty):
        fault = "Nothing is selected. Press 0 if none apply, then Enter."
    if not fault and is_request and not form.reason:
        fault = "Write a reply: the student reads it."
    return fault


def _find_auto_fault(item: Item, form: MarkForm) -> str:
    points = parse_points(form.points)
    if points is None or not form.points.strip() or not 0 <= points <= item.points:
        return f"Points must be between 0 and {format_number(item.points)}."
    return "" if form.reason else "Give a reason for the override: the student reads it."


def _redirect_after_mark(visit: Visit, mark: Mark, *, request: RegradeRequest | None) -> Response:
    """Confirm the mark, remember it for undoing, and go to the next answer."""
    session, console, number = visit.session, visit.console, visit.queue_item.number
    answer, route = visit.queue_item.answer, find_route(visit, visit.queue_item)
    if request is not None:
        path = f"/mark/{mark.item}/{answer.code}?request={request.digest}"
    elif route is not None:
        path = route.answer_url(answer)
    else:
        path = answer_url(mark.item, answer.code, queue_filter=visit.queue_filter)
    label = f"answer {number} of {mark.item}"
    session.remember_step(GradingStep(marks=(mark,), label=label, path=path))
    console.publisher.queue_submissions((mark.submission,))
    session.message = f"Answer {number}: {points_with_unit(mark.points)}."
    if request is not None:
        team.record_reply(console.book, request.digest, mark_number=mark.number, by=session.name)
        return RedirectResponse("/requests", 303)
    if route is not None:
        session.message = f"{mark.item}: {points_with_unit(mark.points)}."
        return step_on_route(visit, route, visit.queue_item, waiting=True)
    return _lease_next(visit, number, waiting=True, back_to_list=visit.queue_item.state == "marked")


# ---------------------------------------------------------------- the next answer


def step_to_answer(visit: Visit) -> Response:
    """Go to the next answer, the previous one, or the first that is pending."""
    code = visit.query_params.get("from", "")
    queue_item = visit.console.queue_item(visit.item.id, code) if code else None
    back = visit.query_params.get("way", "") == "back"
    route = find_route(visit, queue_item) if queue_item else None
    if queue_item and route:
        return step_on_route(visit, route, queue_item, waiting=False, back=back)
    number = queue_item.number if queue_item else 0
    return _lease_next(visit, number, waiting=not code, back=back)


def _lease_next(
    visit: Visit, number: int, *, waiting: bool, back: bool = False, back_to_list: bool = False
) -> Response:
    """Lease the first answer that fits the filter and is free, and go there.

    Args:
        visit: the request.
        number: the number of the answer to go on from; 0 for the beginning.
        waiting: whether to skip answers that are marked.
        back: whether to go back.
        back_to_list: whether the answer was opened from a list of graded ones: where no other one
            is left, the list shows it again.
    """
    item, console, queue_filter = visit.item, visit.console, visit.queue_filter
    queue = marking_queue.filter_queue(
        console.queue(item.id), queue_filter=queue_filter, viewer=visit.viewer(item.id)
    )
    order = marking_queue.items_after(queue, number)
    if back:
        order = order[::-1]
    if waiting and queue_filter.show in PENDING_FILTERS:
        order = tuple(queue_item for queue_item in order if queue_item.pending)
    codes = {queue_item.answer.submission: queue_item.answer.code for queue_item in order}
    leased = leases.take_lease(console.book, item.id, codes, holder=visit.session.holder)
    if leased is None:
        leases.release_leases(console.book, holder=visit.session.holder)
        path = answer_url(item.id, queue_filter=queue_filter, prefix="item")
        if back_to_list:
            path += f"{'&' if '?' in path else '?'}at={visit.queue_item.answer.code}"
        return RedirectResponse(path, 303)
    return RedirectResponse(answer_url(item.id, codes[leased], queue_filter=queue_filter), 303)


# ---------------------------------------------------------------- flags, leases and names


def save_flag(visit: Visit) -> Response:
    """Flag an answer with a note for staff, or remove its flag; what is chosen beside it stays."""
    answer, raised = visit.queue_item.answer, bool(visit.field("raised"))
    team.set_flag(
        visit.console.book,
        answer.submission,
        answer.item,
        by=visit.session.name,
        raised=raised,
        note=one_line(visit.field("note"))[:MAX_NOTE_LENGTH],
    )
    visit.session.message = "Flagged for review." if raised else "Flag removed."
    return RedirectResponse(local_path(visit.field("here")), 303)


def renew_lease(visit: Visit) -> Response:
    """Renew the lease on an answer that is still open in a browser."""
    name = visit.queue_item.answer.submission
    leases.take_lease(visit.console.book, visit.item.id, (name,), holder=visit.session.holder)
    return Response(status_code=204)


def toggle_names(visit: Visit) -> Response:
    """Show students' names, or hide them again."""
    session = visit.session
    session.names_shown = not session.names_shown
    session.message = "Names are shown." if session.names_shown else "Names are hidden."
    return RedirectResponse(local_path(visit.field("here")), 303)
