"""Trials: all mark the same few answers, nobody sees the others' points before giving their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.gradebook import calibration
from grader.gradebook.calibration import Trial
from grader.gradebook.mark_points import base
from grader.model import Item
from grader.web.console import Visit
from grader.web.marking_form import Decision, choices, points_said, reading, sum_of
from grader.web.marking_queue import Place
from grader.web.page_rendering import page

AT_FIRST = 5
MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One answer of a trial, and what each would give; None for not yet."""

    place: Place
    given: tuple[Fraction | None, ...]
    spread: Fraction | None
    """The highest less the lowest; None where fewer than two gave."""


def show(visit: Visit) -> Response:
    """How far a trial is; who has given all may see what others gave."""
    item, book = visit.item, visit.console.book
    names = calibration.chosen(book, item.id)
    tried = {(one.by, one.submission): one for one in calibration.tried(book, item.id)}
    me = visit.session.name
    mine = [name for name in names if (me, name) in tried]
    seen = bool(names) and len(mine) == len(names)
    markers = sorted({by for by, _ in tried}) if seen else [me]
    rows = tuple(_row(visit, item, name, markers, tried) for name in _there(visit, item, names))
    return page(
        visit,
        "trial.html",
        item=item,
        rows=rows,
        markers=markers,
        seen=seen,
        done=len(mine),
        others=len({by for by, _ in tried} - {me}),
        at_first=AT_FIRST,
        most=MOST,
    )


def _there(visit: Visit, item: Item, names: tuple[str, ...]) -> list[str]:
    """Those that are still on the shelf."""
    on_shelf = {sheet.submission for sheet in visit.console.shelf.stack(item.id)}
    return [name for name in names if name in on_shelf]


def _row(
    visit: Visit,
    item: Item,
    name: str,
    markers: list[str],
    tried: Mapping[tuple[str, str], Trial],
) -> Row:
    given = tuple(
        _worth(item, tried[marker, name]) if (marker, name) in tried else None for marker in markers
    )
    known = [points for points in given if points is not None]
    sheet = visit.console.shelf.folio(name).sheets[item.id]
    return Row(
        place=visit.console.place(item.id, sheet.code),
        given=given,
        spread=max(known) - min(known) if len(known) > 1 else None,
    )


def _worth(item: Item, trial: Trial) -> Fraction:
    decision = Decision(criteria=trial.criteria, adjustment=str(float(trial.adjustment)))
    return sum_of(item, decision=decision)


def begin(visit: Visit) -> Response:
    """Choose the first answers of the item's order that say something, for all to mark."""
    if not visit.session.owner:
        raise HTTPException(403, "Only who started the console begins a trial.")
    item, wanted = visit.item, visit.field("count")
    count = min(int(wanted), MOST) if wanted.isdecimal() else AT_FIRST
    stack = visit.console.shelf.stack(item.id)
    names = [sheet.submission for sheet in stack if not sheet.empty][:count]
    calibration.choose(visit.console.book, item.id, names)
    return RedirectResponse(f"/trial/{item.id}", 303)


def sheet(visit: Visit) -> Response:
    """One answer of a trial."""
    return _sheet(visit)


def _sheet(visit: Visit, *, trouble: str = "", sent: Decision | None = None) -> Response:
    item, place = visit.item, visit.place
    names = _chosen(visit, item, place)
    decision = sent or _earlier(visit, item, place)
    return page(
        visit,
        "trial_mark.html",
        status=422 if trouble else 200,
        item=item,
        place=place,
        reading=reading(visit.console, place, item=item),
        decision=decision,
        choices=choices(item, decision=decision),
        base=base(item),
        sum=sum_of(item, decision=decision),
        trouble=trouble,
        number=names.index(place.sheet.submission) + 1,
        count=len(names),
    )


def _chosen(visit: Visit, item: Item, place: Place) -> tuple[str, ...]:
    names = calibration.chosen(visit.console.book, item.id)
    if place.sheet.submission not in names:
        raise HTTPException(404, "That answer is not on trial.")
    return names


def _earlier(visit: Visit, item: Item, place: Place) -> Decision:
    """What they gave before."""
    key = (visit.session.name, place.sheet.submission)
    for one in calibration.tried(visit.console.book, item.id):
        if (one.by, one.submission) == key:
            said = f"{float(one.adjustment):g}" if one.adjustment else ""
            none = not one.criteria and not one.adjustment
            return Decision(criteria=one.criteria, adjustment=said, comment=one.comment, none=none)
    return Decision()


def give(visit: Visit) -> Response:
    """Keep what they would give, and go to the next of the trial."""
    item, place = visit.item, visit.place
    names = _chosen(visit, item, place)
    known = {criterion.id for criterion in item.criteria}
    sent = Decision(
        criteria=tuple(name for name in visit.fields("criterion") if name in known),
        adjustment=visit.field("adjustment"),
        comment=visit.field("comment").strip(),
        none=bool(visit.field("none")),
    )
    beside = points_said(sent.adjustment)
    if beside is None:
        return _sheet(visit, trouble="Free points are a number.", sent=sent)
    if not (sent.criteria or beside or sent.none):
        return _sheet(visit, trouble="Nothing is chosen. Press 0 where nothing applies.", sent=sent)
    me, book = visit.session.name, visit.console.book
    trial = Trial(
        item=item.id,
        submission=place.sheet.submission,
        by=me,
        criteria=sent.criteria,
        adjustment=beside,
        comment=sent.comment,
    )
    calibration.try_out(book, trial)
    done = {one.submission for one in calibration.tried(book, item.id) if one.by == me}
    left = [name for name in _there(visit, item, names) if name not in done]
    code = visit.console.shelf.folio(left[0]).sheets[item.id].code if left else ""
    return RedirectResponse("/".join(filter(None, (f"/trial/{item.id}", code))), 303)
