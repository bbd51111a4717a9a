"""Marking: one answer at a time, its mark, the next one, and taking a mark back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from grader.errors import MarkConflict, UsageError
from grader.gradebook import NewMark, leases, ledger, team
from grader.gradebook.mark_points import base_points
from grader.model import Item, Mark
from grader.report.text_format import format_number, points_with_unit
from grader.web import marking_queue, regrade_requests
from grader.web.console import Visit
from grader.web.marking_form import (
    MarkForm,
    add_suggestions,
    build_marking_view,
    choices,
    frequent_comments,
    parse_points,
    suggestion_agreement,
    sum_points,
)
from grader.web.marking_queue import QueueFilter, QueueItem
from grader.web.page_rendering import render_page
from grader.web.regrade_requests import RegradeRequest

PENDING_FILTERS = frozenset({"all", "waiting", "part", "empty"})
"""Filters within which the next answer is one that waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormError:
    """Why a form comes back."""

    message: str
    other_mark: Mark | None = None
    """What somebody else gave meanwhile."""
    own_points: Fraction | None = None


def show_answer(visit: Visit) -> Response:
    """The page of one answer."""
    item, queue_item = visit.item, visit.queue_item
    request = regrade_requests.find_request(
        visit, visit.query_params.get("request", ""), queue_item=queue_item
    )
    return _render_answer(
        visit, item, queue_item, MarkForm.from_entry(queue_item.entry, item=item), request=request
    )


def _render_answer(
    visit: Visit,
    item: Item,
    queue_item: QueueItem,
    form: MarkForm,
    *,
    form_error: FormError | None = None,
    request: RegradeRequest | None = None,
) -> Response:
    console, holder = visit.console, visit.session.holder
    name = queue_item.answer.submission
    leased = leases.take_lease(console.book, item.id, (name,), holder=holder)
    other_holder = (
        None if leased else leases.other_holders(console.book, item.id, holder=holder).get(name)
    )
    queue = console.queue(item.id)
    submission = console.answer_index.submission(name)
    return render_page(
        visit,
        "mark.html",
        status=409 if form_error and form_error.other_mark else 422 if form_error else 200,
        item=item,
        place=queue_item,
        reading=build_marking_view(console, queue_item, item=item),
        decision=form,
        choices=add_suggestions(choices(item, form=form), console, queue_item, item=item),
        agreed=suggestion_agreement(console, queue, item=item),
        example=console.similarity.examples(item).get(name),
        base=base_points(item),
        sum=sum_points(item, form=form),
        history=ledger.mark_history(console.book, name, item.id),
        comments=frequent_comments(queue),
        progress=count_progress(queue),
        wanted=visit.queue_filter,
        team=submission.team_names if visit.session.names_shown else "",
        held_by=other_holder,
        trouble=form_error,
        request=request,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an item is, in answers."""

    all: int
    done: int
    outdated: int

    @property
    def left(self) -> int:
        """How many wait."""
        return self.all - self.done


def count_progress(queue: Sequence[QueueItem]) -> Progress:
    """Counted over a stack."""
    return Progress(
        all=len(queue),
        done=sum(not queue_item.pending for queue_item in queue),
        outdated=sum(queue_item.state == "outdated" for queue_item in queue),
    )


# ---------------------------------------------------------------- giving


def save_mark(visit: Visit) -> Response:
    """Give the mark of the form, and go on."""
    item, queue_item = visit.item, visit.queue_item
    form = _read_mark_form(visit)
    request = regrade_requests.find_request(visit, visit.field("request"), queue_item=queue_item)
    form_error = _find_form_error(visit, item, queue_item, form, request=request)
    if form_error is None:
        try:
            mark = _record_mark(visit, item, queue_item, form, request=request)
        except MarkConflict as conflict:
            form_error = _conflict_error(conflict, item=item, form=form)
            queue_item = visit.queue_item
        except UsageError as error:
            form_error = FormError(message=str(error))
        else:
            return _redirect_after_mark(visit, item, queue_item, mark, request=request)
    return _render_answer(visit, item, queue_item, form, form_error=form_error, request=request)


def _read_mark_form(visit: Visit) -> MarkForm:
    return MarkForm(
        criteria=visit.fields("criterion"),
        adjustment=visit.field("adjustment"),
        comment=visit.field("comment").replace("\r\n", "\n").strip(),
        reason=visit.field("reason").strip(),
        points=visit.field("points"),
        no_criterion=bool(visit.field("none")),
    )


def _find_form_error(
    visit: Visit,
    item: Item,
    queue_item: QueueItem,
    form: MarkForm,
    *,
    request: RegradeRequest | None,
) -> FormError | None:
    """What is missing: nothing is given by a slip of a key."""
    message = ""
    if visit.field("answer") != queue_item.answer.digest:
        message = "The answer changed while it was before you. Look at it again."
    elif item.kind == "auto":
        message = _points_error(item, form)
    elif parse_points(form.adjustment) is None:
        message = f"\u201c{form.adjustment[:20]}\u201d is no number of points."
    elif not (form.criteria or parse_points(form.adjustment) or form.no_criterion):
        empty = queue_item.answer.empty
        message = "" if empty else "Nothing is chosen. Press 0 where nothing applies, then Enter."
    if not message and request is not None and not form.reason:
        message = "Say why: the answer to the request is the reason that the student reads."
    return FormError(message=message) if message else None


def _points_error(item: Item, form: MarkForm) -> str:
    typed_points = parse_points(form.points)
    if typed_points is None or not form.points.strip() or not 0 <= typed_points <= item.points:
        return f"Points are from 0 to {format_number(item.points)}."
    return "" if form.reason else "Say why what the checks found is overridden."


def _record_mark(
    visit: Visit,
    item: Item,
    queue_item: QueueItem,
    form: MarkForm,
    *,
    request: RegradeRequest | None,
) -> Mark:
    auto = item.kind == "auto"
    new_mark = NewMark(
        submission=queue_item.answer.submission,
        item=item.id,
        answer_digest=queue_item.answer.digest,
        by=visit.session.name,
        criteria=() if auto else form.criteria,
        adjustment=Fraction(0) if auto else parse_points(form.adjustment) or Fraction(0),
        comment=form.comment,
        reason=form.reason,
        points=parse_points(form.points) if auto else None,
    )
    replaced_number = visit.field("over")
    mark = ledger.add_mark(
        visit.console.book,
        new_mark,
        expected_current=int(replaced_number) if replaced_number.isdecimal() else None,
    )
    if request is not None:
        regrade_requests.record_reply(visit, request, entry=mark.number)
    return mark


def _conflict_error(conflict: MarkConflict, *, item: Item, form: MarkForm) -> FormError:
    own_points = parse_points(form.points) if item.kind == "auto" else sum_points(item, form=form)
    return FormError(
        message=_describe_conflict(conflict),
        other_mark=getattr(conflict.current, "mark", None),
        own_points=own_points,
    )


def _describe_conflict(conflict: MarkConflict) -> str:
    """What came between, without the name of the submission."""
    if conflict.current is None:
        return "The mark that was here has been taken back meanwhile."
    return f"{conflict.current.mark.by} marked this answer meanwhile."


def _redirect_after_mark(
    visit: Visit, item: Item, queue_item: QueueItem, mark: Mark, *, request: RegradeRequest | None
) -> Response:
    """Say what was given, remember it for undoing, and go to the next."""
    session, name = visit.session, queue_item.answer.submission
    session.recent_marks.append((name, item.id, mark.number))
    del session.recent_marks[:-1000]
    visit.console.publisher.queue_submissions((name,))
    session.message = f"Answer {queue_item.number}: {points_with_unit(mark.points)}."
    if request is not None:
        return RedirectResponse("/requests", 303)
    return _lease_next(visit, item, queue_item.number, waiting=True)


# ---------------------------------------------------------------- going on


def step_to_answer(visit: Visit) -> Response:
    """The next answer, or the one before, or the first that waits."""
    item = visit.item
    code = visit.query_params.get("from", "")
    current_number = visit.console.queue_item(item.id, code).number if code else 0
    return _lease_next(
        visit,
        item,
        current_number,
        waiting=not code,
        back=visit.query_params.get("way", "") == "back",
    )


def _lease_next(
    visit: Visit, item: Item, current_number: int, *, waiting: bool, back: bool = False
) -> Response:
    """Lease the first that fits and that nobody else has, and go there."""
    queue_filter = visit.queue_filter
    queue = marking_queue.filter_queue(
        visit.console.queue(item.id), queue_filter=queue_filter, viewer=visit.viewer(item.id)
    )
    order = (marking_queue.items_before if back else marking_queue.items_after)(
        queue, current_number
    )
    if waiting and queue_filter.show in PENDING_FILTERS:
        order = tuple(queue_item for queue_item in order if queue_item.pending)
    codes = {queue_item.answer.submission: queue_item.answer.code for queue_item in order}
    leased = leases.take_lease(visit.console.book, item.id, codes, holder=visit.session.holder)
    if leased is None:
        leases.release_leases(visit.console.book, holder=visit.session.holder)
        return RedirectResponse(answer_url(item.id, queue_filter=queue_filter, prefix="item"), 303)
    return RedirectResponse(answer_url(item.id, codes[leased], queue_filter=queue_filter), 303)


def answer_url(
    item_id: str, code: str = "", *, queue_filter: QueueFilter, prefix: str = "mark"
) -> str:
    """Where an answer is, with what was asked to see."""
    path = "/".join(quote(part, safe="") for part in (prefix, item_id, code) if part)
    return f"/{path}{queue_filter.query_string}"


# ---------------------------------------------------------------- taking back


def undo_last_mark(visit: Visit) -> Response:
    """Take back the mark that was given last in this browser, and go there."""
    session = visit.session
    if not session.recent_marks:
        session.message = "There is nothing to take back."
        return RedirectResponse(_return_path(visit), 303)
    name, item_id, mark_number = session.recent_marks.pop()
    return _take_back(visit, name, item_id, mark_number)


def take_back(visit: Visit) -> Response:
    """Take back the mark that stands."""
    queue_item, number_text = visit.queue_item, visit.field("over")
    mark_number = int(number_text) if number_text.isdecimal() else -1
    recent_marks = visit.session.recent_marks
    recent_marks[:] = [recent_mark for recent_mark in recent_marks if recent_mark[2] != mark_number]
    return _take_back(visit, queue_item.answer.submission, queue_item.answer.item, mark_number)


def _take_back(visit: Visit, name: str, item_id: str, mark_number: int) -> Response:
    session, book = visit.session, visit.console.book
    try:
        previous = ledger.take_back_mark(
            book, name, item_id, by=session.name, expected_current=mark_number
        )
    except MarkConflict as conflict:
        session.message = f"Nothing was taken back. {_describe_conflict(conflict)}"
    else:
        restored = (
            f"The one before, {points_with_unit(previous.points)}, stands again."
            if previous
            else ""
        )
        session.message = f"The mark is taken back. {restored}".strip()
        visit.console.publisher.queue_submissions((name,))
    code = next(
        (s.code for s in visit.console.answer_index.answers(item_id) if s.submission == name), ""
    )
    return RedirectResponse(answer_url(item_id, code, queue_filter=visit.queue_filter), 303)


def _return_path(visit: Visit) -> str:
    """The page a form says it stands on; any other place is none."""
    path = visit.field("here")
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


# ---------------------------------------------------------------- beside


def toggle_flag(visit: Visit) -> Response:
    """Say that an answer wants another look, or no longer."""
    queue_item = visit.queue_item
    flagged = not queue_item.flagged
    team.set_flag(
        visit.console.book,
        queue_item.answer.submission,
        queue_item.answer.item,
        by=visit.session.name,
        raised=flagged,
    )
    visit.session.message = "Flagged for another look." if flagged else "No longer flagged."
    return RedirectResponse(
        answer_url(visit.item.id, queue_item.answer.code, queue_filter=visit.queue_filter), 303
    )


def renew_lease(visit: Visit) -> Response:
    """Say that an answer is still before somebody."""
    name = visit.queue_item.answer.submission
    leases.take_lease(visit.console.book, visit.item.id, (name,), holder=visit.session.holder)
    return Response(status_code=204)


def toggle_names(visit: Visit) -> Response:
    """Show students' names, or hide them again."""
    session = visit.session
    session.names_shown = not session.names_shown
    session.message = "Names are shown." if session.names_shown else "Names are hidden."
    return RedirectResponse(_return_path(visit), 303)
