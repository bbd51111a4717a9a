"""Trials: all mark the same few answers, nobody sees the others' points before giving their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.gradebook import calibration
from grader.gradebook.calibration import CalibrationMark
from grader.gradebook.mark_points import base_points
from grader.model import Item
from grader.web.console import Visit
from grader.web.marking_form import MarkForm, build_marking_view, choices, parse_points, sum_points
from grader.web.marking_queue import QueueItem
from grader.web.page_rendering import render_page

DEFAULT_COUNT = 5
MAX_COUNT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRow:
    """One answer of a trial, and what each would give; None for not yet."""

    queue_item: QueueItem
    points: tuple[Fraction | None, ...]
    spread: Fraction | None
    """The highest less the lowest; None where fewer than two gave."""


def show_calibration(visit: Visit) -> Response:
    """How far a trial is; who has given all may see what others gave."""
    item, book = visit.item, visit.console.book
    names = calibration.chosen_submissions(book, item.id)
    calibration_marks = {
        (calibration_mark.by, calibration_mark.submission): calibration_mark
        for calibration_mark in calibration.calibration_marks(book, item.id)
    }
    own_name = visit.session.name
    own_done = [name for name in names if (own_name, name) in calibration_marks]
    complete = bool(names) and len(own_done) == len(names)
    graders = (
        sorted({grader_name for grader_name, _ in calibration_marks}) if complete else [own_name]
    )
    rows = tuple(
        _row(visit, item, name, graders, calibration_marks)
        for name in _indexed_names(visit, item, names)
    )
    return render_page(
        visit,
        "trial.html",
        item=item,
        rows=rows,
        markers=graders,
        seen=complete,
        done=len(own_done),
        others=len({grader_name for grader_name, _ in calibration_marks} - {own_name}),
        at_first=DEFAULT_COUNT,
        most=MAX_COUNT,
    )


def _indexed_names(visit: Visit, item: Item, names: tuple[str, ...]) -> list[str]:
    """Those that are still on the shelf."""
    indexed = {answer.submission for answer in visit.console.answer_index.answers(item.id)}
    return [name for name in names if name in indexed]


def _row(
    visit: Visit,
    item: Item,
    name: str,
    graders: list[str],
    calibration_marks: Mapping[tuple[str, str], CalibrationMark],
) -> CalibrationRow:
    given_points = tuple(
        _calibration_points(item, calibration_marks[grader_name, name])
        if (grader_name, name) in calibration_marks
        else None
        for grader_name in graders
    )
    known_points = [points for points in given_points if points is not None]
    answer = visit.console.answer_index.submission(name).answers[item.id]
    return CalibrationRow(
        queue_item=visit.console.queue_item(item.id, answer.code),
        points=given_points,
        spread=max(known_points) - min(known_points) if len(known_points) > 1 else None,
    )


def _calibration_points(item: Item, calibration_mark: CalibrationMark) -> Fraction:
    form = MarkForm(
        criteria=calibration_mark.criteria, adjustment=str(float(calibration_mark.adjustment))
    )
    return sum_points(item, form=form)


def start_calibration(visit: Visit) -> Response:
    """Choose the first answers of the item's order that say something, for all to mark."""
    if not visit.session.owner:
        raise HTTPException(403, "Only who started the console begins a trial.")
    item, count_text = visit.item, visit.field("count")
    count = min(int(count_text), MAX_COUNT) if count_text.isdecimal() else DEFAULT_COUNT
    answers = visit.console.answer_index.answers(item.id)
    names = [answer.submission for answer in answers if not answer.empty][:count]
    calibration.choose_answers(visit.console.book, item.id, names)
    return RedirectResponse(f"/trial/{item.id}", 303)


def show_calibration_answer(visit: Visit) -> Response:
    """One answer of a trial."""
    return _render_calibration_answer(visit)


def _render_calibration_answer(
    visit: Visit, *, error_message: str = "", sent_form: MarkForm | None = None
) -> Response:
    item, queue_item = visit.item, visit.queue_item
    names = _require_chosen(visit, item, queue_item)
    form = sent_form or _earlier_form(visit, item, queue_item)
    return render_page(
        visit,
        "trial_mark.html",
        status=422 if error_message else 200,
        item=item,
        place=queue_item,
        reading=build_marking_view(visit.console, queue_item, item=item),
        decision=form,
        choices=choices(item, form=form),
        base=base_points(item),
        sum=sum_points(item, form=form),
        trouble=error_message,
        number=names.index(queue_item.answer.submission) + 1,
        count=len(names),
    )


def _require_chosen(visit: Visit, item: Item, queue_item: QueueItem) -> tuple[str, ...]:
    names = calibration.chosen_submissions(visit.console.book, item.id)
    if queue_item.answer.submission not in names:
        raise HTTPException(404, "That answer is not on trial.")
    return names


def _earlier_form(visit: Visit, item: Item, queue_item: QueueItem) -> MarkForm:
    """What they gave before."""
    key = (visit.session.name, queue_item.answer.submission)
    for calibration_mark in calibration.calibration_marks(visit.console.book, item.id):
        if (calibration_mark.by, calibration_mark.submission) == key:
            adjustment = (
                f"{float(calibration_mark.adjustment):g}" if calibration_mark.adjustment else ""
            )
            no_criterion = not calibration_mark.criteria and not calibration_mark.adjustment
            return MarkForm(
                criteria=calibration_mark.criteria,
                adjustment=adjustment,
                comment=calibration_mark.comment,
                no_criterion=no_criterion,
            )
    return MarkForm()


def save_calibration_mark(visit: Visit) -> Response:
    """Keep what they would give, and go to the next of the trial."""
    item, queue_item = visit.item, visit.queue_item
    names = _require_chosen(visit, item, queue_item)
    criterion_ids = {criterion.id for criterion in item.criteria}
    form = MarkForm(
        criteria=tuple(name for name in visit.fields("criterion") if name in criterion_ids),
        adjustment=visit.field("adjustment"),
        comment=visit.field("comment").strip(),
        no_criterion=bool(visit.field("none")),
    )
    adjustment = parse_points(form.adjustment)
    if adjustment is None:
        return _render_calibration_answer(
            visit, error_message="Free points are a number.", sent_form=form
        )
    if not (form.criteria or adjustment or form.no_criterion):
        return _render_calibration_answer(
            visit, error_message="Nothing is chosen. Press 0 where nothing applies.", sent_form=form
        )
    own_name, book = visit.session.name, visit.console.book
    calibration_mark = CalibrationMark(
        item=item.id,
        submission=queue_item.answer.submission,
        by=own_name,
        criteria=form.criteria,
        adjustment=adjustment,
        comment=form.comment,
    )
    calibration.save_calibration_mark(book, calibration_mark)
    done_names = {
        earlier_mark.submission
        for earlier_mark in calibration.calibration_marks(book, item.id)
        if earlier_mark.by == own_name
    }
    remaining = [name for name in _indexed_names(visit, item, names) if name not in done_names]
    code = (
        visit.console.answer_index.submission(remaining[0]).answers[item.id].code
        if remaining
        else ""
    )
    return RedirectResponse("/".join(filter(None, (f"/trial/{item.id}", code))), 303)
