"""The way through one notebook: its answers one after the other, in the rubric's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from grader.gradebook import leases
from grader.web.answer_index import IndexedAnswer, IndexedSubmission
from grader.web.console import Visit
from grader.web.marking_queue import QueueFilter, QueueItem, answer_url


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookRoute:
    """One notebook that somebody grades through."""

    code: str
    number: int
    """Its number on pages, which tells nobody whose it is."""
    queue: Sequence[QueueItem]
    """What people grade in it: written answers, and what checks left to them."""

    @property
    def query_string(self) -> str:
        """What an address of this route ends with."""
        return f"?notebook={self.code}"

    def answer_url(self, answer: IndexedAnswer) -> str:
        """Return the address of an answer on this route."""
        return answer_url(answer.item, answer.code, queue_filter=QueueFilter()) + self.query_string


def list_answers(visit: Visit, submission: IndexedSubmission) -> tuple[QueueItem, ...]:
    """Return all answers of a submission with their marks, in the rubric's order."""
    return tuple(
        queue_item
        for queue in visit.console.queues().values()
        for queue_item in queue
        if queue_item.answer.submission == submission.name
    )


def find_route(visit: Visit, queue_item: QueueItem) -> NotebookRoute | None:
    """Return the route that the form or the address names, if the answer lies on it."""
    code = visit.field("notebook") or visit.query_params.get("notebook", "")
    index = visit.console.answer_index
    submission = index.submission(queue_item.answer.submission)
    if code != submission.code:
        return None
    written = {item.id for item in visit.console.rubric.items if item.kind == "written"}
    return NotebookRoute(
        code=code,
        number=index.by_code().index(submission) + 1,
        queue=[
            each
            for each in list_answers(visit, submission)
            if each.answer.item in written
            or each.pending
            or each.mark
            or each.answer == queue_item.answer
        ],
    )


def step_on_route(
    visit: Visit, route: NotebookRoute, queue_item: QueueItem, *, waiting: bool, back: bool = False
) -> Response:
    """Lease the notebook's next answer that is free, and go there; to the notebook if none is.

    Args:
        visit: the request.
        route: the way through the notebook.
        queue_item: the answer to go on from.
        waiting: whether to skip answers that are graded.
        back: whether to go back.
    """
    items = [each.answer.item for each in route.queue]
    here = items.index(queue_item.answer.item)
    order = [*route.queue[here + 1 :], *route.queue[:here]]
    for each in reversed(order) if back else order:
        answer, holder = each.answer, visit.session.holder
        if waiting and not each.pending:
            continue
        if leases.take_lease(visit.console.book, answer.item, (answer.submission,), holder=holder):
            return RedirectResponse(route.answer_url(answer), 303)
    leases.release_leases(visit.console.book, holder=visit.session.holder)
    return RedirectResponse(f"/notebook/{route.code}", 303)
