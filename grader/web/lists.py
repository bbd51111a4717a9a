"""Handles lists: all items with their progress, and the answers to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.responses import Response

from grader.errors import UsageError
from grader.gradebook import calibration, leases, team
from grader.web import marking_queue, regrade_requests
from grader.web.console import Visit
from grader.web.marking import count_progress
from grader.web.page_rendering import render_page
from grader.web.regrade_requests import RegradeRequest

FILTER_LABELS: Mapping[str, str] = {
    "all": "All",
    "waiting": "To grade",
    "marked": "Graded",
    "outdated": "Changed since graded",
    "empty": "Empty",
    "flagged": "Flagged",
    "mine": "Graded by me",
    "part": "Assigned to me",
}


def show_overview(visit: Visit) -> Response:
    """Show all items, and what else needs a person."""
    console = visit.console
    queues = console.queues()
    progress = {item.id: count_progress(queues[item.id]) for item in console.rubric.items}
    written = tuple(item for item in console.rubric.items if item.kind == "written")
    auto = tuple(item for item in console.rubric.items if item.kind != "written")
    student_requests, error_message = _load_requests(visit)
    return render_page(
        visit,
        "overview.html",
        written=written,
        auto=auto,
        progress=progress,
        assigned_items={
            item
            for grader_name, item, _ in team.list_shares(console.book)
            if grader_name == visit.session.name
        },
        calibration_counts={
            item.id: len(calibration.chosen_submissions(console.book, item.id)) for item in written
        },
        left=sum(progress[item.id].left for item in written),
        review_count=sum(progress[item.id].left for item in auto),
        requests=student_requests,
        requests_error=error_message,
        students=len(console.answer_index.submissions()),
    )


def _load_requests(visit: Visit) -> tuple[tuple[RegradeRequest, ...], str]:
    """Return the requests, and an error message where they can't be read."""
    try:
        return regrade_requests.load_requests(visit.console), ""
    except UsageError as error:
        return (), str(error)


def show_item(visit: Visit) -> Response:
    """Show the answers to an item that fit the filter."""
    item, console, queue_filter = visit.item, visit.console, visit.queue_filter
    viewer = visit.viewer(item.id)
    queue = console.queue(item.id)
    counts = {
        key: sum(matches(queue_item, viewer) for queue_item in queue)
        for key, matches in marking_queue.FILTERS.items()
    }
    return render_page(
        visit,
        "item_list.html",
        item=item,
        queue_filter=queue_filter,
        at=visit.query_params.get("at", ""),
        progress=count_progress(queue),
        filter_labels=FILTER_LABELS,
        filter_counts={
            key: count
            for key, count in counts.items()
            if count or key in {"all", queue_filter.show}
        },
        queue_items=marking_queue.filter_queue(queue, queue_filter=queue_filter, viewer=viewer),
        lease_holders=leases.other_holders(console.book, item.id, holder=visit.session.holder),
        submissions=viewer.submissions,
        criterion_texts={criterion.id: criterion.text for criterion in item.criteria},
        other_way=replace(queue_filter, met=not queue_filter.met).query_string,
    )


def show_requests(visit: Visit) -> Response:
    """Show regrade requests."""
    student_requests, error_message = _load_requests(visit)
    unanswered = [request for request in student_requests if request.answered is None]
    return render_page(
        visit,
        "requests.html",
        open=tuple(request for request in unanswered if not request.problem),
        lost=tuple(request for request in unanswered if request.problem),
        done=tuple(request for request in student_requests if request.answered is not None),
        requests_error=error_message,
        file=visit.console.requests_path.name,
    )
