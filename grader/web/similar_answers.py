"""Answers that are alike: marked in one go where they say the same, side by side where copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.errors import MarkConflict
from grader.gradebook import Given, ledger
from grader.gradebook.mark_points import base
from grader.model import Item
from grader.report.text_format import counted
from grader.similarity import Group, Pair
from grader.similarity.sentences import Span
from grader.web.console import Visit
from grader.web.marking_form import Decision, choices, comments, points_said, sum_of
from grader.web.marking_queue import Place
from grader.web.page_rendering import page


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """A group of answers, with what people said of each."""

    code: str
    """Of the answer that is most like all others."""
    places: tuple[Place, ...]
    closeness: float
    empty: bool

    @property
    def waiting(self) -> tuple[Place, ...]:
        """Those that nobody marked."""
        return tuple(place for place in self.places if place.state == "unmarked")


def groups(visit: Visit) -> Response:
    """All groups of an item in which more than one answer waits."""
    item = visit.item
    crowds = tuple(_crowds(visit, item))
    return page(
        visit,
        "groups.html",
        item=item,
        crowds=tuple(crowd for crowd in crowds if len(crowd.places) > 1),
        alone=sum(len(crowd.places) == 1 for crowd in crowds),
    )


def _crowds(visit: Visit, item: Item) -> Iterator[Crowd]:
    places = {place.sheet.submission: place for place in visit.console.places(item.id)}
    for group in visit.console.likeness.groups(item):
        members = tuple(places[name] for name in group.names if name in places)
        if members:
            yield _crowd(group, members)


def _crowd(group: Group, members: tuple[Place, ...]) -> Crowd:
    empty = group.empty and all(place.sheet.empty for place in members)
    return Crowd(code=members[0].sheet.code, places=members, closeness=group.closeness, empty=empty)


def group(visit: Visit) -> Response:
    """One group: every answer in full, and one form for those that wait."""
    return _group(visit, Decision())


def _group(visit: Visit, decision: Decision, *, trouble: str = "") -> Response:
    item = visit.item
    crowd = _asked(visit, item)
    return page(
        visit,
        "group.html",
        status=422 if trouble else 200,
        item=item,
        crowd=crowd,
        decision=decision,
        choices=choices(item, decision=decision),
        base=base(item),
        sum=sum_of(item, decision=decision),
        comments=comments(visit.console.places(item.id)),
        trouble=trouble,
    )


def _asked(visit: Visit, item: Item) -> Crowd:
    code = visit.path["code"]
    found = (crowd for crowd in _crowds(visit, item) if crowd.code == code)
    crowd = next(found, None)
    if crowd is None:
        raise HTTPException(404, "These answers are no group any more.")
    return crowd


def give(visit: Visit) -> Response:
    """Give all that are ticked and wait the same mark; whatever came between stays."""
    item = visit.item
    crowd = _asked(visit, item)
    decision = Decision(
        criteria=visit.fields("criterion"),
        adjustment=visit.field("adjustment"),
        comment=visit.field("comment").replace("\r\n", "\n").strip(),
        none=bool(visit.field("none")),
    )
    beside = points_said(decision.adjustment)
    ticked = dict(part.partition(" ")[::2] for part in visit.fields("member"))
    members = [place for place in crowd.waiting if place.sheet.code in ticked]
    if beside is None:
        return _group(visit, decision, trouble="Free points are a number.")
    if not (decision.criteria or beside or decision.none):
        return _group(visit, decision, trouble="Nothing is chosen.")
    if not members:
        return _group(visit, decision, trouble="No answer is ticked that waits.")
    same = [place for place in members if ticked[place.sheet.code] == place.sheet.digest]
    done = _give(visit, item, same, decision)
    left = len(members) - done
    visit.session.said = f"{counted(done, one='answer', many='answers')} marked alike." + (
        f" {left} changed meanwhile and wait." if left else ""
    )
    return RedirectResponse(f"/groups/{item.id}", 303)


def _give(visit: Visit, item: Item, members: Sequence[Place], decision: Decision) -> int:
    """How many were given; the last ones can be undone one by one."""
    done = []
    for place in members:
        given = Given(
            submission=place.sheet.submission,
            item=item.id,
            answer=place.sheet.digest,
            by=visit.session.name,
            criteria=decision.criteria,
            adjustment=points_said(decision.adjustment) or base(item) * 0,
            comment=decision.comment,
        )
        try:
            mark = ledger.give(visit.console.book, given, over=None)
        except MarkConflict:
            continue
        visit.session.given.append((given.submission, item.id, mark.number))
        done.append(given.submission)
    visit.console.renewing.changed(done)
    return len(done)


# ---------------------------------------------------------------- nearly the same words


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of an answer, and whether it stands in the other, too."""

    text: str
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Two answers in nearly the same words, cut where they are the same."""

    one: Place
    other: Place
    share: float
    words: int
    one_pieces: tuple[Piece, ...]
    other_pieces: tuple[Piece, ...]
    teams: tuple[str, str]
    """Whose they are, '' where names are hidden."""


def pairs(visit: Visit) -> Response:
    """Pairs across teams, the passages side by side."""
    item = visit.item
    places = {place.sheet.submission: place for place in visit.console.places(item.id)}
    found = visit.console.likeness.pairs(item)
    twins = tuple(_twins(visit, pair, places[pair.one], places[pair.other]) for pair in found)
    return page(visit, "pairs.html", item=item, twins=twins)


def _twins(visit: Visit, pair: Pair, one: Place, other: Place) -> Twins:
    shelf, shown = visit.console.shelf, visit.session.names_shown
    teams = (shelf.folio(pair.one).team, shelf.folio(pair.other).team) if shown else ("", "")
    return Twins(
        one=one,
        other=other,
        share=pair.share,
        words=pair.words,
        one_pieces=tuple(_cut(_said(one), [passage.one for passage in pair.passages])),
        other_pieces=tuple(_cut(_said(other), [passage.other for passage in pair.passages])),
        teams=teams,
    )


def _said(place: Place) -> str:
    """What was compared: an answer, or code."""
    return place.sheet.text or place.sheet.source


def _cut(text: str, spans: Sequence[Span]) -> Iterator[Piece]:
    at = 0
    for span in sorted(spans, key=lambda span: span.begin):
        begin = max(span.begin, at)
        if begin > at:
            yield Piece(text=text[at:begin], same=False)
        if span.end > begin:
            yield Piece(text=text[begin : span.end], same=True)
        at = max(at, span.end)
    if at < len(text):
        yield Piece(text=text[at:], same=False)
