"""Handles lists: all items with their progress, the answers to one, and what criteria are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from starlette.responses import RedirectResponse, Response

from grader.errors import UsageError
from grader.gradebook import calibration, leases, ledger, team
from grader.gradebook.leases import LeaseHolder
from grader.model import Criterion, Item
from grader.report.text_format import format_count, one_line
from grader.web import marking_queue, regrade_requests
from grader.web.console import Visit
from grader.web.marking import Progress, count_progress
from grader.web.marking_form import parse_points
from grader.web.marking_queue import FILTERS, QueueItem
from grader.web.page_rendering import render_page
from grader.web.regrade_requests import RegradeRequest

SNIPPET_LENGTH = 150
"""Characters of an answer in a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewLine:
    """One item of the overview."""

    item: Item
    progress: Progress
    assigned: bool
    """Whether it, or a section of it, is theirs to mark."""
    calibration_count: int
    """How many answers are chosen for calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """One answer of a list."""

    queue_item: QueueItem
    snippet: str
    held_by: LeaseHolder | None
    team_names: str
    """Its students, '' where names are hidden."""


def show_overview(visit: Visit) -> Response:
    """Show all items, and what else needs a person."""
    console = visit.console
    queues = console.queues()
    assigned_items = {
        item
        for grader_name, item, _ in team.list_shares(console.book)
        if grader_name == visit.session.name
    }
    lines = tuple(
        OverviewLine(
            item=item,
            progress=count_progress(queues[item.id]),
            assigned=item.id in assigned_items,
            calibration_count=len(calibration.chosen_submissions(console.book, item.id)),
        )
        for item in console.rubric.items
    )
    written = tuple(line for line in lines if line.item.kind == "written")
    student_requests, error_message = _load_requests(visit)
    return render_page(
        visit,
        "overview.html",
        written=written,
        auto=tuple(line for line in lines if line.item.kind != "written"),
        left=sum(line.progress.left for line in written),
        asks=sum(
            queue_item.pending
            for line in lines
            if line.item.kind != "written"
            for queue_item in queues[line.item.id]
        ),
        requests=student_requests,
        fault=error_message,
        students=len(console.answer_index.submissions()),
    )


def _load_requests(visit: Visit) -> tuple[tuple[RegradeRequest, ...], str]:
    """Return the requests, and why there are none."""
    try:
        return regrade_requests.load_requests(visit.console), ""
    except UsageError as error:
        return (), str(error)


def show_item(visit: Visit) -> Response:
    """Show the answers to an item that fit the filter."""
    item, console, queue_filter = visit.item, visit.console, visit.queue_filter
    viewer = visit.viewer(item.id)
    queue = console.queue(item.id)
    lease_holders = leases.other_holders(console.book, item.id, holder=visit.session.holder)
    return render_page(
        visit,
        "item_list.html",
        item=item,
        queue_filter=queue_filter,
        progress=count_progress(queue),
        filters=_filter_options(queue, queue_filter=queue_filter, viewer=viewer),
        lines=tuple(
            AnswerLine(
                queue_item=queue_item,
                snippet=_snippet(queue_item.answer.text),
                held_by=lease_holders.get(queue_item.answer.submission),
                team_names=viewer.submissions[queue_item.answer.submission].team_names
                if viewer.names_shown
                else "",
            )
            for queue_item in marking_queue.filter_queue(
                queue, queue_filter=queue_filter, viewer=viewer
            )
        ),
    )


def _snippet(text: str) -> str:
    line = one_line(text[: 2 * SNIPPET_LENGTH])
    return line if len(line) <= SNIPPET_LENGTH else f"{line[:SNIPPET_LENGTH].rstrip()} \u2026"


FILTER_LABELS: Mapping[str, str] = {
    "all": "All",
    "waiting": "To do",
    "marked": "Marked",
    "outdated": "Changed since",
    "empty": "Empty",
    "flagged": "Flagged",
    "mine": "By me",
    "part": "My part",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOption:
    """A filter as a list offers it."""

    key: str
    name: str
    count: int
    active: bool


def _filter_options(
    queue: Sequence[QueueItem],
    *,
    queue_filter: marking_queue.QueueFilter,
    viewer: marking_queue.Viewer,
) -> tuple[FilterOption, ...]:
    """Return the filters that fit some answer, and the active one."""
    options = (
        FilterOption(
            key=key,
            name=FILTER_LABELS[key],
            count=sum(matches(queue_item, viewer) for queue_item in queue),
            active=key == queue_filter.show,
        )
        for key, matches in FILTERS.items()
    )
    return tuple(
        option for option in options if option.count or option.active or option.key == "all"
    )


# ---------------------------------------------------------------- what waits elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """An automatic item that needs a person."""

    item: Item
    queue_item: QueueItem


def show_reviews(visit: Visit) -> Response:
    """Show automatic items that checks could not judge: blocked, or an error of ours."""
    queues = visit.console.queues()
    items = {item.id: item for item in visit.console.rubric.items}
    reviews = tuple(
        ReviewItem(item=items[name], queue_item=queue_item)
        for name, queue in queues.items()
        for queue_item in queue
        if queue_item.answer.needs_review
    )
    return render_page(
        visit,
        "waiting.html",
        open=tuple(review for review in reviews if review.queue_item.pending),
        done=tuple(review for review in reviews if not review.queue_item.pending),
    )


def show_requests(visit: Visit) -> Response:
    """Show regrade requests."""
    student_requests, error_message = _load_requests(visit)
    return render_page(
        visit,
        "requests.html",
        open=tuple(
            request
            for request in student_requests
            if request.answered is None and not request.problem
        ),
        lost=tuple(
            request for request in student_requests if request.answered is None and request.problem
        ),
        done=tuple(request for request in student_requests if request.answered is not None),
        fault=error_message,
        file=visit.console.requests_path.name,
    )


# ---------------------------------------------------------------- what criteria are worth


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightLine:
    """What a criterion is worth, and how many marks have it."""

    criterion: Criterion
    rubric_points: Fraction
    mark_count: int


def show_weights(visit: Visit) -> Response:
    """Show what the criteria of an item are worth, to be changed."""
    return _render_weights(visit)


def _render_weights(
    visit: Visit, *, error_message: str = "", sent: Mapping[str, str] | None = None
) -> Response:
    item = visit.item
    rubric_points = {c.id: c.points for c in visit.console.rubric.item(item.id).criteria}
    marks = ledger.current_marks(visit.console.book, item.id).values()
    return render_page(
        visit,
        "weighing.html",
        status=422 if error_message else 200,
        item=item,
        trouble=error_message,
        sent=sent or {},
        worths=tuple(
            WeightLine(
                criterion=criterion,
                rubric_points=rubric_points[criterion.id],
                mark_count=sum(criterion.id in mark.criteria for mark in marks),
            )
            for criterion in item.criteria
        ),
    )


def save_weights(visit: Visit) -> Response:
    """Change what criteria are worth; all who have them are scored anew."""
    item, console = visit.item, visit.console
    sent = {c.id: visit.field(f"points-{c.id}") for c in item.criteria}
    new_points = {name: parse_points(text) if text.strip() else None for name, text in sent.items()}
    if None in new_points.values():
        return _render_weights(
            visit, error_message="Points are numbers, such as 1.5 or -1.", sent=sent
        )
    changed = [c for c in item.criteria if new_points[c.id] != c.points]
    for criterion in changed:
        points = new_points[criterion.id] or Fraction(0)
        ledger.set_weight(
            console.book, console.rubric.id, item.id, criterion.id, points, by=visit.session.name
        )
    console.publisher.queue_stale()
    subject = format_count(len(changed), singular="criterion is", plural="criteria are")
    visit.session.message = f"{subject} worth something else now; all marks are added up anew."
    return RedirectResponse(f"/item/{item.id}", 303)
