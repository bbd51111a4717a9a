"""Handles calibration: all graders grade the same few answers before they see others' points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.errors import MarkConflict, UsageError
from grader.gradebook import NewMark, calibration
from grader.gradebook.mark_points import base_points
from grader.model import Item
from grader.web.console import Visit
from grader.web.criteria_pages import find_criteria_change
from grader.web.marking_form import MarkForm, build_marking_view, criterion_choices, parse_points
from grader.web.marking_queue import QueueItem
from grader.web.page_rendering import render_page
from grader.web.step_recording import record_step

DEFAULT_COUNT = 5
MAX_COUNT = 20
CalibrationMarks = Mapping[tuple[str, str], NewMark]
"""By grader and submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceLine:
    """One rubric item, and for each grader whether they chose it; None where nothing is given."""

    text: str
    points: Fraction
    chosen: tuple[bool | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRow:
    """One answer of a calibration, and what each grader would give; None for not yet."""

    queue_item: QueueItem
    marks: tuple[NewMark | None, ...]
    """What each grader would give, in the order of the graders."""
    points: tuple[Fraction | None, ...]
    lines: tuple[ChoiceLine, ...]
    """Each rubric item that anybody chose, and by whom."""
    spread: Fraction | None
    """The highest less the lowest; None where fewer than two gave points."""

    @property
    def agreed(self) -> bool:
        """Whether two graders or more chose exactly the same, and nobody is missing."""
        choices = {(frozenset(m.criteria), m.adjustment) for m in self.marks if m is not None}
        return len(self.marks) > 1 and None not in self.marks and len(choices) == 1

    @property
    def can_be_graded(self) -> bool:
        """Whether nobody graded the answer yet, and it is what the graders saw."""
        digest = self.queue_item.answer.digest
        seen = all(mark.answer_digest == digest for mark in self.marks if mark is not None)
        return self.queue_item.state == "unmarked" and seen


def show_calibration(visit: Visit) -> Response:
    """Show the progress of a calibration; who has graded all answers sees what others chose."""
    item, own_name = visit.item, visit.session.name
    marks = _load_marks(visit)
    names = _listed_names(visit)
    all_graders = {grader for grader, _ in marks}
    done = sum((own_name, name) in marks for name in names)
    complete = bool(names) and done == len(names)
    graders = sorted(all_graders) if complete else [own_name]
    rows = _load_rows(visit, graders, marks)
    return render_page(
        visit,
        "trial.html",
        item=item,
        rows=rows,
        graders=graders,
        complete=complete,
        agreed=tuple(row for row in rows if complete and row.agreed and row.can_be_graded),
        done=done,
        others=len(all_graders - {own_name}),
        default_count=DEFAULT_COUNT,
        max_count=MAX_COUNT,
    )


def _listed_names(visit: Visit) -> tuple[str, ...]:
    """Return the submissions that were chosen and are still there."""
    there = {answer.submission for answer in visit.console.answer_index.answers(visit.item.id)}
    chosen = calibration.chosen_submissions(visit.console.book, visit.item.id)
    return tuple(name for name in chosen if name in there)


def _load_rows(
    visit: Visit, graders: Sequence[str], marks: CalibrationMarks
) -> tuple[CalibrationRow, ...]:
    queue = {each.answer.submission: each for each in visit.console.queue(visit.item.id)}
    return tuple(_row(visit.item, queue[name], graders, marks) for name in _listed_names(visit))


def _load_marks(visit: Visit) -> CalibrationMarks:
    marks = calibration.load_calibration_marks(visit.console.book, visit.item.id)
    return {(mark.by, mark.submission): mark for mark in marks}


def _row(
    item: Item, queue_item: QueueItem, graders: Sequence[str], marks: CalibrationMarks
) -> CalibrationRow:
    given_marks = tuple(marks.get((grader, queue_item.answer.submission)) for grader in graders)
    points = tuple(
        None if mark is None else MarkForm.from_mark(mark, item=item).total(item)
        for mark in given_marks
    )
    known_points = [each for each in points if each is not None]
    spread = max(known_points) - min(known_points) if len(known_points) > 1 else None
    return CalibrationRow(
        queue_item=queue_item,
        marks=given_marks,
        points=points,
        lines=_choice_lines(item, given_marks),
        spread=spread,
    )


def _choice_lines(item: Item, marks: Sequence[NewMark | None]) -> tuple[ChoiceLine, ...]:
    lines = (
        ChoiceLine(
            text=criterion.text,
            points=criterion.points,
            chosen=tuple(None if mark is None else criterion.id in mark.criteria for mark in marks),
        )
        for criterion in item.criteria
    )
    return tuple(line for line in lines if any(line.chosen))


def start_calibration(visit: Visit) -> Response:
    """Choose the first answers that are not empty, in the item's order, for all to mark."""
    if not visit.session.owner:
        raise HTTPException(
            403, "Only the grader who started the console picks calibration answers."
        )
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
        raise HTTPException(404, "That answer is not in the calibration set.")
    return names


def save_calibration_mark(visit: Visit) -> Response:
    """Store what the grader would give, and go to the next answer of the calibration."""
    item, book, names = visit.item, visit.console.book, _require_chosen(visit)
    form = MarkForm.from_visit(visit)
    if change := find_criteria_change(visit):
        return _render_answer(visit, form, error_message=change)
    if parse_points(form.adjustment) is None:
        return _render_answer(
            visit, form, error_message=f"\u201c{form.adjustment[:20]}\u201d is not a number."
        )
    if not form.is_decided:
        message = "Nothing is selected. Press 0 if none apply."
        return _render_answer(visit, form, error_message=message)
    new_mark = form.to_new_mark(visit.queue_item.answer, item=item, by=visit.session.name)
    calibration.save_calibration_mark(book, new_mark)
    marks = _load_marks(visit)
    codes = {each.submission: each.code for each in visit.console.answer_index.answers(item.id)}
    remaining = [
        codes[name] for name in names if name in codes and (new_mark.by, name) not in marks
    ]
    return RedirectResponse("/".join(("/trial", item.id, *remaining[:1])), 303)


def adopt_marks(visit: Visit) -> Response:
    """Grade answers as a grader of the calibration would; why they would stays with the graders."""
    item, marks = visit.item, _load_marks(visit)
    names = _listed_names(visit)
    if any((visit.session.name, name) not in marks for name in names):
        raise HTTPException(403, "Grade all calibration answers first.")
    grader, selected = visit.field("grader"), set(visit.fields("member"))
    proposals = [
        (replace(proposed, by=visit.session.name, comment=""), None)
        for row in _load_rows(visit, (grader,), marks)
        for proposed in row.marks
        if proposed and row.can_be_graded and row.queue_item.answer.code in selected
    ]
    step = record_step(
        visit,
        proposals,
        singular="answer",
        where=item.id,
        path=f"/trial/{item.id}",
        skipped=(MarkConflict, UsageError),  # graded, or reworded, meanwhile
    )
    visit.session.message = f"Graded {step.label}."
    return RedirectResponse(f"/trial/{item.id}", 303)
