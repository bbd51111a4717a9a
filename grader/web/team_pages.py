"""The team: who marks what, how far each is, and who may come in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.gradebook import team
from grader.report.text_format import one_line
from grader.web.console import Visit
from grader.web.marking_queue import Asking, Place, Wanted, chosen
from grader.web.page_rendering import page
from grader.web.passwords import SHORTEST, hashed

LONGEST = 60
"""Letters of a marker's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """An item, or a section of one, that is somebody's to mark; counted in answers."""

    item: str
    title: str
    section: str
    all: int
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who marks."""

    name: str
    registered: bool
    given: int
    """How many marks of theirs stand."""
    shares: tuple[Share, ...]


def show(visit: Visit) -> Response:
    """Who marks what."""
    return _page(visit)


def _page(visit: Visit, *, trouble: str = "") -> Response:
    console = visit.console
    everything = console.all_places()
    given = Counter(
        place.entry.mark.by
        for places in everything.values()
        for place in places
        if place.entry is not None
    )
    shares = team.shared(console.book)
    registered = team.registered(console.book)
    names = sorted({*given, *registered, visit.session.name, *(name for name, _, _ in shares)})
    folios = console.shelf.folios()
    return page(
        visit,
        "team.html",
        status=422 if trouble else 200,
        trouble=trouble,
        members=tuple(
            Member(
                name=name,
                registered=name in registered,
                given=given[name],
                shares=tuple(
                    _share(visit, item, section, everything.get(item, ()))
                    for marker, item, section in shares
                    if marker == name
                ),
            )
            for name in names
        ),
        items=tuple(item for item in console.rubric.items if item.kind == "written"),
        sections=sorted({section for folio in folios.values() for section in folio.sections}),
        shortest=SHORTEST,
    )


def _share(visit: Visit, item_id: str, section: str, places: Sequence[Place]) -> Share:
    asking = Asking(
        name="",
        names_shown=False,
        sections=frozenset({section}),
        folios=visit.console.shelf.folios(),
    )
    theirs = chosen(places, wanted=Wanted(show="part"), asking=asking)
    items = {item.id: item for item in visit.console.rubric.items}
    return Share(
        item=item_id,
        title=items[item_id].title if item_id in items else "no longer asked",
        section=section,
        all=len(theirs),
        done=sum(not place.waits for place in theirs),
    )


def _owner(visit: Visit) -> None:
    if not visit.session.owner:
        raise HTTPException(403, "Only who started the console says who marks what.")


def share(visit: Visit) -> Response:
    """Give an item, or a section of one, to somebody."""
    _owner(visit)
    name, item = one_line(visit.field("name"))[:LONGEST], visit.field("item")
    if not name or not any(item == one.id for one in visit.console.rubric.items):
        return _page(visit, trouble="Choose who, and which item.")
    section = one_line(visit.field("section"))
    team.share(visit.console.book, name, item, section=section)
    visit.session.said = f"{name} marks {item}{f', section {section}' if section else ''}."
    return RedirectResponse("/team", 303)


def unshare(visit: Visit) -> Response:
    """Take it from them."""
    _owner(visit)
    words = visit.field("name"), visit.field("item")
    team.unshare(visit.console.book, *words, section=visit.field("section"))
    return RedirectResponse("/team", 303)


def admit(visit: Visit) -> Response:
    """Let somebody come in by name and password, or give them another password."""
    _owner(visit)
    name, password = one_line(visit.field("name"))[:LONGEST], visit.field("password")
    if not name or len(password) < SHORTEST:
        return _page(visit, trouble=f"A name, and a password of {SHORTEST} letters or more.")
    team.register(visit.console.book, name, secret=hashed(password))
    visit.console.sessions.put_out(name)
    visit.session.said = f"{name} can sign in with that password."
    return RedirectResponse("/team", 303)


def dismiss(visit: Visit) -> Response:
    """Let somebody come in no longer; marks they gave stay."""
    _owner(visit)
    name = visit.field("name")
    if name == visit.session.name:
        return _page(visit, trouble="You can't take yourself off the team.")
    team.dismiss(visit.console.book, name)
    visit.console.sessions.put_out(name)
    visit.session.said = f"{name} can no longer sign in. Marks they gave stay."
    return RedirectResponse("/team", 303)
