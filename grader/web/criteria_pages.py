"""Handles rubric items: shown, changed for everyone who has them, and their history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.responses import RedirectResponse, Response

from grader.errors import CriteriaConflict, UsageError
from grader.gradebook import leases
from grader.gradebook.criterion_edits import CriterionEdit, apply_edits, criteria_digest
from grader.gradebook.criterion_history import list_changes
from grader.gradebook.criterion_ledger import criterion_edits, save_criteria
from grader.gradebook.mark_points import price_mark
from grader.model import Criterion, Item
from grader.report.text_format import format_count
from grader.rubric.consistency import can_add_up
from grader.web.console import Queue, Visit
from grader.web.criteria_form import CriteriaForm, FieldError
from grader.web.page_rendering import render_page


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChanges:
    """How many scores of an item change with its criteria."""

    up: int
    down: int
    token: str
    """Says what was counted: a confirmation of anything else is asked for again."""

    @property
    def total(self) -> int:
        """The number of scores that change."""
        return self.up + self.down


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notice:
    """What is said above the form; with none, it shows what is saved."""

    error: str = ""
    conflict_by: str = ""
    """Who changed rubric items meanwhile."""
    changes: ScoreChanges | None = None
    """What saving changes, to be confirmed."""
    focus: str = ""
    """The field, or the button, that is focused."""


def show_criteria(visit: Visit) -> Response:
    """Show the rubric items of a question, to be changed."""
    edits = _item_edits(visit)
    form = CriteriaForm.from_criteria(visit.item.criteria, last=_last(edits))
    return _render(visit, form, edits=edits, notice=_Notice(), typed=False)


def change_criteria(visit: Visit) -> Response:
    """Save the rubric items, or show the form again: moved, refused, or to be confirmed."""
    form, edits, action = CriteriaForm.from_visit(visit), _item_edits(visit), visit.field("do")
    if action:
        way, _, row = action.partition(" ")
        moved = form if way == "add" else form.move(row, up=way == "up")
        focus = f"text-{form.rows[-1].id}" if way == "add" else action
        return _render(visit, moved, edits=edits, notice=_Notice(focus=focus))
    if form.last != _last(edits):
        return _show_conflict(visit, form)
    try:
        return _save(visit, form, edits=edits)
    except CriteriaConflict:  # between the look at the last edit and now
        return _show_conflict(visit, form)
    except UsageError as error:
        message = str(error).rstrip(".")
        focus = error.field if isinstance(error, FieldError) else ""
        notice = _Notice(error=f"{message[:1].upper()}{message[1:]}.", focus=focus)
        return _render(visit, form, edits=edits, notice=notice)


def _save(visit: Visit, form: CriteriaForm, *, edits: Sequence[CriterionEdit]) -> Response:
    """Save, once the sender has confirmed how many scores change."""
    console, item = visit.console, visit.item
    criteria = form.to_criteria(item, taken=_counts(console.queue(item.id)))
    changes = count_changes(visit, item, replace(item, criteria=criteria))
    if changes.total and visit.field("confirmed") != changes.token:
        return _render(visit, form, edits=edits, notice=_Notice(changes=changes))
    added = save_criteria(
        console.book,
        console.rubric.item(item.id),
        criteria,
        assignment=console.rubric.id,
        by=visit.session.name,
        expected_last=form.last,
    )
    console.publisher.queue_stale()
    visit.session.message = _describe_saved(len({edit.criterion for edit in added}), changes)
    return RedirectResponse(f"/criteria/{item.id}", 303)


def _describe_saved(count: int, changes: ScoreChanges) -> str:
    if not count:
        return "Nothing was changed."
    subject = format_count(count, singular="rubric item is", plural="rubric items are")
    scores = format_count(changes.total, singular="score") if changes.total else "No score"
    return f"{subject} changed. {scores} changed with {'it' if count == 1 else 'them'}."


def count_changes(visit: Visit, before: Item, after: Item) -> ScoreChanges:
    """Return how many scores change when the criteria of an item do."""
    up = down = 0
    for queue_item in visit.console.queue(before.id):
        if queue_item.mark is not None and queue_item.state == "marked":
            points = price_mark(queue_item.mark, item=before).points
            points_after = price_mark(queue_item.mark, item=after).points
            up, down = up + (points_after > points), down + (points_after < points)
    return ScoreChanges(up=up, down=down, token=f"{up}-{down}-{criteria_digest(after)}")


def _show_conflict(visit: Visit, form: CriteriaForm) -> Response:
    """Show what was typed beside what somebody else saved meanwhile."""
    edits = _item_edits(visit)
    file_item = visit.console.rubric.item(visit.item.id)
    seen_edits = tuple(edit for edit in edits if edit.number <= form.last)
    now = apply_edits(file_item, edits={file_item.id: tuple(edits)})
    seen = apply_edits(file_item, edits={file_item.id: seen_edits})
    merged = form.merge(seen=seen, now=now, last=_last(edits))
    by = edits[-1].by if edits else "Somebody"
    return _render(visit, merged, edits=edits, notice=_Notice(conflict_by=by))


def _counts(queue: Queue) -> Counter[str]:
    """Return how many answers have each criterion."""
    marks = (queue_item.mark for queue_item in queue if queue_item.mark)
    return Counter(name for mark in marks for name in set(mark.criteria))


def _item_edits(visit: Visit) -> tuple[CriterionEdit, ...]:
    console = visit.console
    return criterion_edits(console.book, console.rubric.id).get(visit.item.id, ())


def _last(edits: Sequence[CriterionEdit]) -> int:
    return max((edit.number for edit in edits), default=0)


def _render(
    visit: Visit,
    form: CriteriaForm,
    *,
    edits: Sequence[CriterionEdit],
    notice: _Notice,
    typed: bool = True,
) -> Response:
    console, item = visit.console, visit.item
    queue = console.queue(item.id)
    held = leases.held_submission(console.book, item.id, holder=visit.session.holder)
    in_use = item.criteria_for(())
    return render_page(
        visit,
        "criteria.html",
        status=409 if notice.conflict_by else 200,
        error_message=notice.error,
        item=item,
        form=form,
        notice=notice,
        typed=typed,
        mark_counts=_counts(queue),
        graded_count=sum(queue_item.state == "marked" for queue_item in queue),
        adds_up=not in_use or can_add_up(in_use, points=item.points),
        history=list_changes(edits)[::-1],
        texts={criterion.id: criterion.text for criterion in item.criteria},
        back_to=next((each for each in queue if each.answer.submission == held), None),
    )


def find_criteria_change(visit: Visit) -> str:
    """Return what to tell somebody whose form shows other criteria than there are now, or ''."""
    item, seen = visit.item, visit.field("criteria")
    if not seen or seen == criteria_digest(item):
        return ""
    edits = _item_edits(visit)
    who = edits[-1].by if edits else "Somebody"
    gone = [_quote(c) for c in item.criteria if c.retired and c.id in visit.fields("criterion")]
    retired = f" {', '.join(gone)} {'is' if len(gone) == 1 else 'are'} retired." if gone else ""
    return (
        f"{who} changed the rubric items while this page was open.{retired} Look again, then save."
    )


def _quote(criterion: Criterion) -> str:
    return f"\u201c{criterion.text}\u201d"
