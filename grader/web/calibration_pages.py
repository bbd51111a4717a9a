"""Handles calibration: all graders mark the same few answers before they see others' points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.gradebook import NewMark, calibration
from grader.gradebook.mark_points import base_points
from grader.model import Item
from grader.web.console import Visit
from grader.web.criteria_pages import find_criteria_change
from grader.web.marking_form import MarkForm, build_marking_view, criterion_choices, parse_points
from grader.web.marking_queue import QueueItem
from grader.web.page_rendering import render_page

DEFAULT_COUNT = 5
MAX_COUNT = 20
CalibrationMarks = Mapping[tuple[str, str], NewMark]
"""By grader and submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRow:
    """One answer of a calibration, and what each grader would give; None for not yet."""

    queue_item: QueueItem
    points: tuple[Fraction | None, ...]
    spread: Fraction | None
    """The highest less the lowest; None where fewer than two gave points."""


def show_calibration(visit: Visit) -> Response:
    """Show the progress of a calibration; who has marked all answers sees others' points."""
    item, own_name = visit.item, visit.session.name
    names = calibration.chosen_submissions(visit.console.book, item.id)
    marks = _load_marks(visit)
    all_graders = {grader for grader, _ in marks}
    done = sum((own_name, name) in marks for name in names)
    complete = bool(names) and done == len(names)
    graders = sorted(all_graders) if complete else [own_name]
    queue = {each.answer.submission: each for each in visit.console.queue(item.id)}
    return render_page(
        visit,
        "trial.html",
        item=item,
        rows=tuple(_row(item, queue[name], graders, marks) for name in names if name in queue),
        graders=graders,
        complete=complete,
        done=done,
        others=len(all_graders - {own_name}),
        default_count=DEFAULT_COUNT,
        max_count=MAX_COUNT,
    )


def _load_marks(visit: Visit) -> CalibrationMarks:
    marks = calibration.load_calibration_marks(visit.console.book, visit.item.id)
    return {(mark.by, mark.submission): mark for mark in marks}


def _row(
    item: Item, queue_item: QueueItem, graders: Sequence[str], marks: CalibrationMarks
) -> CalibrationRow:
    given_marks = [marks.get((grader, queue_item.answer.submission)) for grader in graders]
    points = tuple(
        None if mark is None else MarkForm.from_mark(mark, item=item).total(item)
        for mark in given_marks
    )
    known_points = [each for each in points if each is not None]
    spread = max(known_points) - min(known_points) if len(known_points) > 1 else None
    return CalibrationRow(queue_item=queue_item, points=points, spread=spread)


def start_calibration(visit: Visit) -> Response:
    """Choose the first answers that are not empty, in the item's order, for all to mark."""
    if not visit.session.owner:
        raise HTTPException(403, "Only who started the console begins a trial.")
    item, count = visit.item, visit.number_field("count")
    count = DEFAULT_COUNT if count is None else min(count, MAX_COUNT)
    answers = visit.console.answer_index.answers(item.id)
    readable = [each for each in answers if not (each.empty or each.perhaps_elsewhere)]
    names = [answer.submission for answer in readable][:count]
    calibration.choose_answers(visit.console.book, item.id, names)
    return RedirectResponse(f"/trial/{item.id}", 303)


def show_calibration_answer(visit: Visit) -> Response:
    """Show one answer of a calibration."""
    earlier = _load_marks(visit).get((visit.session.name, visit.queue_item.answer.submission))
    return _render_answer(visit, MarkForm.from_mark(earlier, item=visit.item))


def _render_answer(visit: Visit, form: MarkForm, *, error_message: str = "") -> Response:
    item, queue_item, names = visit.item, visit.queue_item, _require_chosen(visit)
    return render_page(
        visit,
        "trial_mark.html",
        error_message=error_message,
        item=item,
        queue_item=queue_item,
        view=build_marking_view(visit.console, queue_item, item=item),
        form=form,
        choices=criterion_choices(item, form=form),
        base=base_points(item),
        sum=form.total(item),
        number=names.index(queue_item.answer.submission) + 1,
        count=len(names),
    )


def _require_chosen(visit: Visit) -> tuple[str, ...]:
    """Return the submissions that were chosen.

    Raises:
        HTTPException: the one that the address names is not among them.
    """
    names = calibration.chosen_submissions(visit.console.book, visit.item.id)
    if visit.queue_item.answer.submission not in names:
        raise HTTPException(404, "That answer is not on trial.")
    return names


def save_calibration_mark(visit: Visit) -> Response:
    """Store what the grader would give, and go to the next answer of the calibration."""
    item, book, names = visit.item, visit.console.book, _require_chosen(visit)
    form = MarkForm.from_visit(visit)
    if change := find_criteria_change(visit):
        return _render_answer(visit, form, error_message=change)
    if parse_points(form.adjustment) is None:
        return _render_answer(visit, form, error_message="Free points are a number.")
    if not form.is_decided:
        message = "Nothing is chosen. Press 0 where nothing applies."
        return _render_answer(visit, form, error_message=message)
    new_mark = form.to_new_mark(visit.queue_item.answer, item=item, by=visit.session.name)
    calibration.save_calibration_mark(book, new_mark)
    marks = _load_marks(visit)
    codes = {each.submission: each.code for each in visit.console.answer_index.answers(item.id)}
    remaining = [
        codes[name] for name in names if name in codes and (new_mark.by, name) not in marks
    ]
    return RedirectResponse("/".join(("/trial", item.id, *remaining[:1])), 303)
