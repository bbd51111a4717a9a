"""Handles automatic items that need a person: blocked ones and faults of ours, by notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.gradebook import NewMark
from grader.report.text_format import format_number
from grader.web.answer_index import BLOCKED_BY, IndexedAnswer, IndexedSubmission
from grader.web.console import Visit
from grader.web.marking_queue import QueueItem
from grader.web.page_rendering import render_page
from grader.web.step_recording import Proposal, record_step

SHARES: Mapping[str, tuple[str, Fraction]] = {
    "none": ("No points for what was not evaluated", Fraction(0)),
    "half": ("Half of the points that were not evaluated", Fraction(1, 2)),
    "all": ("All of the points that were not evaluated", Fraction(1)),
}
"""What is given in place of points that no check could decide on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookReview:
    """One notebook's automatic items that need a person."""

    number: int
    """Its number on pages, which tells nobody whose it is."""
    submission: IndexedSubmission
    queue_items: tuple[QueueItem, ...]
    """In the rubric's order."""

    @property
    def open(self) -> tuple[QueueItem, ...]:
        """The items that nobody decided on yet."""
        return tuple(queue_item for queue_item in self.queue_items if queue_item.pending)

    @property
    def open_points(self) -> Fraction:
        """The points that no check and no person decided on yet."""
        return sum((each.answer.open_points for each in self.open), start=Fraction(0))

    @property
    def blockers(self) -> tuple[tuple[str, IndexedAnswer | None], ...]:
        """What kept checks from deciding, each once, and the item that failed, if any."""
        words = dict.fromkeys(text for each in self.queue_items for text in each.answer.blockers)
        return tuple((text, self._item_that_blocks(text)) for text in words)

    def _item_that_blocks(self, text: str) -> IndexedAnswer | None:
        first = text.removeprefix(BLOCKED_BY).split(" ")[0]
        return self.submission.answers.get(first) if text.startswith(BLOCKED_BY) else None


def show_reviews(visit: Visit) -> Response:
    """Show the notebooks that have such items."""
    reviews = _load_reviews(visit)
    return render_page(
        visit,
        "waiting.html",
        open=tuple(review for review in reviews if review.open),
        done=tuple(review for review in reviews if not review.open),
    )


def _load_reviews(visit: Visit) -> tuple[NotebookReview, ...]:
    """Return them in an order that tells nothing about people."""
    by_submission: dict[str, list[QueueItem]] = {}
    for queue in visit.console.queues().values():
        for queue_item in queue:
            if queue_item.answer.needs_review:
                by_submission.setdefault(queue_item.answer.submission, []).append(queue_item)
    return tuple(
        NotebookReview(
            number=number,
            submission=submission,
            queue_items=tuple(by_submission[submission.name]),
        )
        for number, submission in enumerate(visit.console.answer_index.by_code(), start=1)
        if submission.name in by_submission
    )


def _find_review(reviews: Sequence[NotebookReview], visit: Visit) -> NotebookReview:
    code = visit.path_params["code"]
    review = next((each for each in reviews if each.submission.code == code), None)
    if review is None:
        raise HTTPException(404, "Nothing in this notebook needs review any more.")
    return review


def show_notebook(visit: Visit, *, error_message: str = "") -> Response:
    """Show one notebook: what failed in it, each item, and one decision for all of them."""
    review = _find_review(_load_reviews(visit), visit)
    shown = visit.session.names_shown
    return render_page(
        visit,
        "notebook_review.html",
        error_message=error_message,
        review=review,
        items={item.id: item for item in visit.console.rubric.items},
        shares=SHARES,
        share=visit.field("share"),
        reason=visit.field("reason"),
        unselected=_unselected(visit, review) if error_message else frozenset(),
        team=review.submission.team_names if shown else "",
    )


def _unselected(visit: Visit, review: NotebookReview) -> frozenset[str]:
    return frozenset(each.answer.code for each in review.open) - _selected(visit).keys()


def _selected(visit: Visit) -> dict[str, str]:
    """Return the digests of the items that are selected, as they were seen, by code."""
    return dict(value.partition(" ")[::2] for value in visit.fields("member"))


def save_notebook(visit: Visit) -> Response:
    """Give all items that are selected the same share, with the same reason."""
    reviews, selected = _load_reviews(visit), _selected(visit)
    review = _find_review(reviews, visit)
    members = [each for each in review.open if selected.get(each.answer.code) == each.answer.digest]
    _, share = SHARES.get(visit.field("share"), ("", None))
    reason = visit.field("reason").strip()
    if share is None:
        return show_notebook(visit, error_message="Select the points to give.")
    if not reason:
        return show_notebook(visit, error_message="Give a reason: the student reads it.")
    if not members:
        return show_notebook(visit, error_message="Select at least one item that needs review.")
    step = record_step(
        visit,
        [_propose(visit, each, share=share, reason=reason) for each in members],
        singular="item",
        where=f"notebook {review.number}",
        path=f"/waiting/{review.submission.code}",
    )
    given = ", ".join(f"{mark.item} {format_number(mark.points)}" for mark in step.marks)
    visit.session.message = f"Graded {step.label}{f': {given} points' if given else ''}."
    if len(step.marks) < len(members):
        visit.session.message += " Others changed meanwhile: look again."
    following = [each for each in reviews if each.number > review.number and each.open]
    return RedirectResponse(
        "/".join(("/waiting", *(r.submission.code for r in following[:1]))), 303
    )


def _propose(visit: Visit, queue_item: QueueItem, *, share: Fraction, reason: str) -> Proposal:
    answer, before = queue_item.answer, queue_item.mark
    new_mark = NewMark(
        submission=answer.submission,
        item=answer.item,
        answer_digest=answer.digest,
        by=visit.session.name,
        reason=reason,
        points=_shared_points(answer, share=share, most=visit.console.item(answer.item).points),
    )
    return new_mark, before.number if before else None


def _shared_points(answer: IndexedAnswer, *, share: Fraction, most: Fraction) -> Fraction:
    return min(max(answer.judged_points + share * answer.open_points, Fraction(0)), most)
