"""Marking: one answer at a time, its mark, the next one, and taking a mark back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from grader.errors import MarkConflict, UsageError
from grader.gradebook import Given, leases, ledger, team
from grader.gradebook.mark_points import base
from grader.model import Item, Mark
from grader.report.text_format import number, points
from grader.web import marking_queue, regrade_requests
from grader.web.console import Visit
from grader.web.marking_form import (
    Decision,
    agreed,
    choices,
    comments,
    points_said,
    reading,
    sum_of,
    with_suggestions,
)
from grader.web.marking_queue import Place, Wanted
from grader.web.page_rendering import page
from grader.web.regrade_requests import Request

WHOLE = frozenset({"all", "waiting", "part", "empty"})
"""Filters within which the next answer is one that waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a form comes back."""

    told: str
    theirs: Mark | None = None
    """What somebody else gave meanwhile."""
    mine: Fraction | None = None


def show(visit: Visit) -> Response:
    """The page of one answer."""
    item, place = visit.item, visit.place
    asked = regrade_requests.find(visit, visit.query.get("request", ""), place=place)
    return _desk(visit, item, place, Decision.of(place.entry, item=item), request=asked)


def _desk(
    visit: Visit,
    item: Item,
    place: Place,
    decision: Decision,
    *,
    trouble: Trouble | None = None,
    request: Request | None = None,
) -> Response:
    console, holder = visit.console, visit.session.holder
    name = place.sheet.submission
    mine = leases.take(console.book, item.id, (name,), holder=holder)
    other = None if mine else leases.others(console.book, item.id, holder=holder).get(name)
    places = console.places(item.id)
    folio = console.shelf.folio(name)
    return page(
        visit,
        "mark.html",
        status=409 if trouble and trouble.theirs else 422 if trouble else 200,
        item=item,
        place=place,
        reading=reading(console, place, item=item),
        decision=decision,
        choices=with_suggestions(choices(item, decision=decision), console, place, item=item),
        agreed=agreed(console, places, item=item),
        example=console.likeness.examples(item).get(name),
        base=base(item),
        sum=sum_of(item, decision=decision),
        history=ledger.history(console.book, name, item.id),
        comments=comments(places),
        progress=progress(places),
        wanted=visit.wanted,
        team=folio.team if visit.session.names_shown else "",
        held_by=other,
        trouble=trouble,
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


def progress(places: Sequence[Place]) -> Progress:
    """Counted over a stack."""
    return Progress(
        all=len(places),
        done=sum(not place.waits for place in places),
        outdated=sum(place.state == "outdated" for place in places),
    )


# ---------------------------------------------------------------- giving


def save(visit: Visit) -> Response:
    """Give the mark of the form, and go on."""
    item, place = visit.item, visit.place
    decision = _sent(visit)
    asked = regrade_requests.find(visit, visit.field("request"), place=place)
    trouble = _fault(visit, item, place, decision, asked=asked)
    if trouble is None:
        try:
            mark = _give(visit, item, place, decision, asked=asked)
        except MarkConflict as conflict:
            trouble = _conflict(conflict, item=item, decision=decision)
            place = visit.place
        except UsageError as error:
            trouble = Trouble(told=str(error))
        else:
            return _go_on(visit, item, place, mark, asked=asked)
    return _desk(visit, item, place, decision, trouble=trouble, request=asked)


def _sent(visit: Visit) -> Decision:
    return Decision(
        criteria=visit.fields("criterion"),
        adjustment=visit.field("adjustment"),
        comment=visit.field("comment").replace("\r\n", "\n").strip(),
        reason=visit.field("reason").strip(),
        points=visit.field("points"),
        none=bool(visit.field("none")),
    )


def _fault(
    visit: Visit, item: Item, place: Place, decision: Decision, *, asked: Request | None
) -> Trouble | None:
    """What is missing: nothing is given by a slip of a key."""
    told = ""
    if visit.field("answer") != place.sheet.digest:
        told = "The answer changed while it was before you. Look at it again."
    elif item.kind == "auto":
        told = _fault_of_points(item, decision)
    elif points_said(decision.adjustment) is None:
        told = f"\u201c{decision.adjustment[:20]}\u201d is no number of points."
    elif not (decision.criteria or points_said(decision.adjustment) or decision.none):
        empty = place.sheet.empty
        told = "" if empty else "Nothing is chosen. Press 0 where nothing applies, then Enter."
    if not told and asked is not None and not decision.reason:
        told = "Say why: the answer to the request is the reason that the student reads."
    return Trouble(told=told) if told else None


def _fault_of_points(item: Item, decision: Decision) -> str:
    said = points_said(decision.points)
    if said is None or not decision.points.strip() or not 0 <= said <= item.points:
        return f"Points are from 0 to {number(item.points)}."
    return "" if decision.reason else "Say why what the checks found is overridden."


def _give(
    visit: Visit, item: Item, place: Place, decision: Decision, *, asked: Request | None
) -> Mark:
    auto = item.kind == "auto"
    given = Given(
        submission=place.sheet.submission,
        item=item.id,
        answer=place.sheet.digest,
        by=visit.session.name,
        criteria=() if auto else decision.criteria,
        adjustment=Fraction(0) if auto else points_said(decision.adjustment) or Fraction(0),
        comment=decision.comment,
        reason=decision.reason,
        points=points_said(decision.points) if auto else None,
    )
    over = visit.field("over")
    mark = ledger.give(visit.console.book, given, over=int(over) if over.isdecimal() else None)
    if asked is not None:
        regrade_requests.settle(visit, asked, entry=mark.number)
    return mark


def _conflict(conflict: MarkConflict, *, item: Item, decision: Decision) -> Trouble:
    mine = points_said(decision.points) if item.kind == "auto" else sum_of(item, decision=decision)
    return Trouble(told=_told(conflict), theirs=getattr(conflict.theirs, "mark", None), mine=mine)


def _told(conflict: MarkConflict) -> str:
    """What came between, without the name of the submission."""
    if conflict.theirs is None:
        return "The mark that was here has been taken back meanwhile."
    return f"{conflict.theirs.mark.by} marked this answer meanwhile."


def _go_on(
    visit: Visit, item: Item, place: Place, mark: Mark, *, asked: Request | None
) -> Response:
    """Say what was given, remember it for undoing, and go to the next."""
    session, name = visit.session, place.sheet.submission
    session.given.append((name, item.id, mark.number))
    del session.given[:-1000]
    visit.console.renewing.changed((name,))
    session.said = f"Answer {place.number}: {points(mark.points)}."
    if asked is not None:
        return RedirectResponse("/requests", 303)
    return _next(visit, item, place.number, waiting=True)


# ---------------------------------------------------------------- going on


def step(visit: Visit) -> Response:
    """The next answer, or the one before, or the first that waits."""
    item = visit.item
    code = visit.query.get("from", "")
    number_now = visit.console.place(item.id, code).number if code else 0
    return _next(
        visit, item, number_now, waiting=not code, back=visit.query.get("way", "") == "back"
    )


def _next(
    visit: Visit, item: Item, number_now: int, *, waiting: bool, back: bool = False
) -> Response:
    """Lease the first that fits and that nobody else has, and go there."""
    wanted = visit.wanted
    asked = marking_queue.chosen(
        visit.console.places(item.id), wanted=wanted, asking=visit.asking(item.id)
    )
    order = (marking_queue.before if back else marking_queue.after)(asked, number_now)
    if waiting and wanted.show in WHOLE:
        order = tuple(place for place in order if place.waits)
    codes = {place.sheet.submission: place.sheet.code for place in order}
    chosen = leases.take(visit.console.book, item.id, codes, holder=visit.session.holder)
    if chosen is None:
        leases.let_go(visit.console.book, holder=visit.session.holder)
        return RedirectResponse(address(item.id, wanted=wanted, room="item"), 303)
    return RedirectResponse(address(item.id, codes[chosen], wanted=wanted), 303)


def address(item_id: str, code: str = "", *, wanted: Wanted, room: str = "mark") -> str:
    """Where an answer is, with what was asked to see."""
    place = "/".join(quote(part, safe="") for part in (room, item_id, code) if part)
    return f"/{place}{wanted.query}"


# ---------------------------------------------------------------- taking back


def undo(visit: Visit) -> Response:
    """Take back the mark that was given last in this browser, and go there."""
    session = visit.session
    if not session.given:
        session.said = "There is nothing to take back."
        return RedirectResponse(_back(visit), 303)
    name, item_id, entry = session.given.pop()
    return _take_back(visit, name, item_id, entry)


def take_back(visit: Visit) -> Response:
    """Take back the mark that stands."""
    place, over = visit.place, visit.field("over")
    entry = int(over) if over.isdecimal() else -1
    given = visit.session.given
    given[:] = [one for one in given if one[2] != entry]
    return _take_back(visit, place.sheet.submission, place.sheet.item, entry)


def _take_back(visit: Visit, name: str, item_id: str, entry: int) -> Response:
    session, book = visit.session, visit.console.book
    try:
        before = ledger.take_back(book, name, item_id, by=session.name, over=entry)
    except MarkConflict as conflict:
        session.said = f"Nothing was taken back. {_told(conflict)}"
    else:
        now = f"The one before, {points(before.points)}, stands again." if before else ""
        session.said = f"The mark is taken back. {now}".strip()
        visit.console.renewing.changed((name,))
    code = next((s.code for s in visit.console.shelf.stack(item_id) if s.submission == name), "")
    return RedirectResponse(address(item_id, code, wanted=visit.wanted), 303)


def _back(visit: Visit) -> str:
    """The page a form says it stands on; any other place is none."""
    told = visit.field("here")
    return told if told.startswith("/") and not told.startswith(("//", "/\\")) else "/"


# ---------------------------------------------------------------- beside


def flag(visit: Visit) -> Response:
    """Say that an answer wants another look, or no longer."""
    place = visit.place
    up = not place.flagged
    team.flag(
        visit.console.book,
        place.sheet.submission,
        place.sheet.item,
        by=visit.session.name,
        up=up,
    )
    visit.session.said = "Flagged for another look." if up else "No longer flagged."
    return RedirectResponse(address(visit.item.id, place.sheet.code, wanted=visit.wanted), 303)


def hold(visit: Visit) -> Response:
    """Say that an answer is still before somebody."""
    name = visit.place.sheet.submission
    leases.take(visit.console.book, visit.item.id, (name,), holder=visit.session.holder)
    return Response(status_code=204)


def names(visit: Visit) -> Response:
    """Show students' names, or hide them again."""
    session = visit.session
    session.names_shown = not session.names_shown
    session.said = "Names are shown." if session.names_shown else "Names are hidden."
    return RedirectResponse(_back(visit), 303)
