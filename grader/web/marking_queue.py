"""A stack of answers as somebody asked for it: filtered, searched, and which comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from grader.gradebook.ledger import Entry
from grader.report.text_format import one_line
from grader.web.answer_index import Folio, Sheet

LONGEST = 200
"""Letters of a search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One answer of a stack, with what people said of it."""

    sheet: Sheet
    number: int
    """Its place in the whole stack, from 1."""
    entry: Entry | None
    flagged: bool

    @property
    def state(self) -> str:
        """'unmarked', 'outdated' or 'marked'."""
        if self.entry is None:
            return "unmarked"
        return "marked" if self.entry.answer == self.sheet.digest else "outdated"

    @property
    def waits(self) -> bool:
        """Whether a person is needed."""
        if self.state != "unmarked":
            return self.state == "outdated"
        return self.sheet.asks or self.sheet.earned is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asked to see."""

    show: str = "all"
    search: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """From an address; what is no filter shows all."""
        show = query.get("show", "all")
        search = one_line(query.get("search", ""))[:LONGEST]
        return cls(show=show if show in FILTERS else "all", search=search)

    @property
    def query(self) -> str:
        """For an address, '' or with its question mark."""
        told = {"show": self.show if self.show != "all" else "", "search": self.search}
        words = urlencode({name: value for name, value in told.items() if value})
        return f"?{words}" if words else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks, and what they may know."""

    name: str
    names_shown: bool
    sections: frozenset[str] | None = None
    """The sections of this item that are theirs; None where nothing was given to them."""
    folios: Mapping[str, Folio] = field(default_factory=dict)


def _mine(place: Place, asking: Asking) -> bool:
    return place.entry is not None and place.entry.mark.by == asking.name


def _part(place: Place, asking: Asking) -> bool:
    if asking.sections is None or "" in asking.sections:
        return asking.sections is not None
    return bool(asking.sections & asking.folios[place.sheet.submission].sections)


FILTERS: Mapping[str, Callable[[Place, Asking], bool]] = {
    "all": lambda _place, _asking: True,
    "waiting": lambda place, _: place.waits,
    "marked": lambda place, _: place.state == "marked",
    "outdated": lambda place, _: place.state == "outdated",
    "empty": lambda place, _: place.sheet.empty,
    "flagged": lambda place, _: place.flagged,
    "mine": _mine,
    "part": _part,
}
"""What can be asked for, by its word in addresses."""


def chosen(places: Sequence[Place], *, wanted: Wanted, asking: Asking) -> tuple[Place, ...]:
    """The places that were asked for, in order."""
    fits = FILTERS[wanted.show]
    words = wanted.search.casefold().split()
    return tuple(
        place
        for place in places
        if fits(place, asking) and (not words or _found(place, words, asking))
    )


def _found(place: Place, words: Sequence[str], asking: Asking) -> bool:
    """Whether all words are in the answer, its code, its comment, or a name that may be known."""
    parts = [place.sheet.text, place.sheet.code, place.entry.mark.comment if place.entry else ""]
    if asking.names_shown:
        folio = asking.folios[place.sheet.submission]
        parts += [folio.name, *(f"{s.name} {s.id}" for s in folio.students)]
    text = " ".join(parts).casefold()
    return all(word in text for word in words)


def after(places: Sequence[Place], number: int) -> tuple[Place, ...]:
    """The places after that number, and then those before it: the last is the one before."""
    later = [place for place in places if place.number > number]
    return (*later, *(place for place in places if place.number < number))


def before(places: Sequence[Place], number: int) -> tuple[Place, ...]:
    """The same, backwards."""
    return tuple(reversed(after(places, number)))
