"""Lists: all items with how far they are, the answers to one, and what waits elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from starlette.responses import RedirectResponse, Response

from grader.errors import UsageError
from grader.gradebook import calibration, leases, ledger, team
from grader.gradebook.leases import Holder
from grader.model import Criterion, Item
from grader.report.text_format import counted, one_line
from grader.web import marking_queue, regrade_requests
from grader.web.console import Visit
from grader.web.marking import Progress, progress
from grader.web.marking_form import points_said
from grader.web.marking_queue import FILTERS, Place
from grader.web.page_rendering import page
from grader.web.regrade_requests import Request

SNIPPET = 150
"""Letters of an answer in a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """One item of the overview."""

    item: Item
    progress: Progress
    mine: bool
    """Whether it, or a section of it, is theirs to mark."""
    trial: int
    """How many answers all mark on trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One answer of a list."""

    place: Place
    snippet: str
    held_by: Holder | None
    team: str
    """Its students, '' where names are hidden."""


def overview(visit: Visit) -> Response:
    """All items, and what waits beside them."""
    console = visit.console
    everything = console.all_places()
    mine = {item for marker, item, _ in team.shared(console.book) if marker == visit.session.name}
    lines = tuple(
        ItemLine(
            item=item,
            progress=progress(everything[item.id]),
            mine=item.id in mine,
            trial=len(calibration.chosen(console.book, item.id)),
        )
        for item in console.rubric.items
    )
    written = tuple(line for line in lines if line.item.kind == "written")
    asked, fault = _requests(visit)
    return page(
        visit,
        "overview.html",
        written=written,
        auto=tuple(line for line in lines if line.item.kind != "written"),
        left=sum(line.progress.left for line in written),
        asks=sum(
            place.waits
            for line in lines
            if line.item.kind != "written"
            for place in everything[line.item.id]
        ),
        requests=asked,
        fault=fault,
        students=len(console.shelf.folios()),
    )


def _requests(visit: Visit) -> tuple[tuple[Request, ...], str]:
    """The requests, or why there are none."""
    try:
        return regrade_requests.requests(visit.console), ""
    except UsageError as error:
        return (), str(error)


def item_list(visit: Visit) -> Response:
    """All answers to an item that fit what was asked for."""
    item, console, wanted = visit.item, visit.console, visit.wanted
    asking = visit.asking(item.id)
    places = console.places(item.id)
    held = leases.others(console.book, item.id, holder=visit.session.holder)
    return page(
        visit,
        "item_list.html",
        item=item,
        wanted=wanted,
        progress=progress(places),
        filters=_filters(places, wanted=wanted, asking=asking),
        lines=tuple(
            Line(
                place=place,
                snippet=_snippet(place.sheet.text),
                held_by=held.get(place.sheet.submission),
                team=asking.folios[place.sheet.submission].team if asking.names_shown else "",
            )
            for place in marking_queue.chosen(places, wanted=wanted, asking=asking)
        ),
    )


def _snippet(text: str) -> str:
    line = one_line(text[: 2 * SNIPPET])
    return line if len(line) <= SNIPPET else f"{line[:SNIPPET].rstrip()} \u2026"


FILTER_NAMES: Mapping[str, str] = {
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
class Filter:
    """A filter as a list offers it."""

    word: str
    name: str
    count: int
    on: bool


def _filters(
    places: Sequence[Place], *, wanted: marking_queue.Wanted, asking: marking_queue.Asking
) -> tuple[Filter, ...]:
    """Those that find something, and the one that is on."""
    made = (
        Filter(
            word=word,
            name=FILTER_NAMES[word],
            count=sum(fits(place, asking) for place in places),
            on=word == wanted.show,
        )
        for word, fits in FILTERS.items()
    )
    return tuple(one for one in made if one.count or one.on or one.word == "all")


# ---------------------------------------------------------------- what waits elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """An automatic item that asks for a person."""

    item: Item
    place: Place


def waiting(visit: Visit) -> Response:
    """Automatic items that checks could not judge: blocked, or an error of ours."""
    everything = visit.console.all_places()
    items = {item.id: item for item in visit.console.rubric.items}
    asks = tuple(
        Asks(item=items[name], place=place)
        for name, places in everything.items()
        for place in places
        if place.sheet.asks
    )
    return page(
        visit,
        "waiting.html",
        open=tuple(one for one in asks if one.place.waits),
        done=tuple(one for one in asks if not one.place.waits),
    )


def requests(visit: Visit) -> Response:
    """Requests for another look."""
    asked, fault = _requests(visit)
    return page(
        visit,
        "requests.html",
        open=tuple(one for one in asked if one.answered is None and not one.problem),
        lost=tuple(one for one in asked if one.answered is None and one.problem),
        done=tuple(one for one in asked if one.answered is not None),
        fault=fault,
        file=visit.console.requests.name,
    )


# ---------------------------------------------------------------- what criteria are worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a criterion is worth, and how many have it."""

    criterion: Criterion
    rubric_says: Fraction
    have: int


def weighing(visit: Visit) -> Response:
    """What the criteria of an item are worth, to be changed."""
    return _weighing(visit)


def _weighing(
    visit: Visit, *, trouble: str = "", sent: Mapping[str, str] | None = None
) -> Response:
    item = visit.item
    says = {c.id: c.points for c in visit.console.rubric.item(item.id).criteria}
    entries = ledger.current(visit.console.book, item.id).values()
    return page(
        visit,
        "weighing.html",
        status=422 if trouble else 200,
        item=item,
        trouble=trouble,
        sent=sent or {},
        worths=tuple(
            Worth(
                criterion=criterion,
                rubric_says=says[criterion.id],
                have=sum(criterion.id in entry.mark.criteria for entry in entries),
            )
            for criterion in item.criteria
        ),
    )


def weigh(visit: Visit) -> Response:
    """Change what criteria are worth: all who have them are scored anew."""
    item, console = visit.item, visit.console
    sent = {c.id: visit.field(f"points-{c.id}") for c in item.criteria}
    said = {name: points_said(text) if text.strip() else None for name, text in sent.items()}
    if None in said.values():
        return _weighing(visit, trouble="Points are numbers, such as 1.5 or -1.", sent=sent)
    changed = [c for c in item.criteria if said[c.id] != c.points]
    for criterion in changed:
        points = said[criterion.id] or Fraction(0)
        ledger.weigh(
            console.book, console.rubric.id, item.id, criterion.id, points, by=visit.session.name
        )
    console.renewing.all_changed()
    many = counted(len(changed), one="criterion is", many="criteria are")
    visit.session.said = f"{many} worth something else now; all marks are added up anew."
    return RedirectResponse(f"/item/{item.id}", 303)
