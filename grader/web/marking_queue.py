"""A stack of answers as somebody asked for it: filtered, searched, and which comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from grader.gradebook.ledger import LedgerEntry
from grader.report.text_format import one_line
from grader.web.answer_index import IndexedAnswer, IndexedSubmission

MAX_SEARCH = 200
"""Letters of a search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One answer of a stack, with what people said of it."""

    answer: IndexedAnswer
    number: int
    """Its place in the whole stack, from 1."""
    entry: LedgerEntry | None
    flagged: bool

    @property
    def state(self) -> str:
        """'unmarked', 'outdated' or 'marked'."""
        if self.entry is None:
            return "unmarked"
        return "marked" if self.entry.answer_digest == self.answer.digest else "outdated"

    @property
    def pending(self) -> bool:
        """Whether a person is needed."""
        if self.state != "unmarked":
            return self.state == "outdated"
        return self.answer.needs_review or self.answer.earned is None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """What somebody asked to see."""

    show: str = "all"
    search: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> QueueFilter:
        """From an address; what is no filter shows all."""
        show = query.get("show", "all")
        search = one_line(query.get("search", ""))[:MAX_SEARCH]
        return cls(show=show if show in FILTERS else "all", search=search)

    @property
    def query_string(self) -> str:
        """For an address, '' or with its question mark."""
        fields = {"show": self.show if self.show != "all" else "", "search": self.search}
        encoded = urlencode({name: value for name, value in fields.items() if value})
        return f"?{encoded}" if encoded else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks, and what they may know."""

    name: str
    names_shown: bool
    sections: frozenset[str] | None = None
    """The sections of this item that are theirs; None where nothing was given to them."""
    submissions: Mapping[str, IndexedSubmission] = field(default_factory=dict)


def _marked_by_viewer(queue_item: QueueItem, viewer: Viewer) -> bool:
    return queue_item.entry is not None and queue_item.entry.mark.by == viewer.name


def _in_own_sections(queue_item: QueueItem, viewer: Viewer) -> bool:
    if viewer.sections is None or "" in viewer.sections:
        return viewer.sections is not None
    return bool(viewer.sections & viewer.submissions[queue_item.answer.submission].sections)


FILTERS: Mapping[str, Callable[[QueueItem, Viewer], bool]] = {
    "all": lambda _item, _viewer: True,
    "waiting": lambda queue_item, _: queue_item.pending,
    "marked": lambda queue_item, _: queue_item.state == "marked",
    "outdated": lambda queue_item, _: queue_item.state == "outdated",
    "empty": lambda queue_item, _: queue_item.answer.empty,
    "flagged": lambda queue_item, _: queue_item.flagged,
    "mine": _marked_by_viewer,
    "part": _in_own_sections,
}
"""What can be asked for, by its word in addresses."""


def filter_queue(
    queue: Sequence[QueueItem], *, queue_filter: QueueFilter, viewer: Viewer
) -> tuple[QueueItem, ...]:
    """The places that were asked for, in order."""
    matches = FILTERS[queue_filter.show]
    words = queue_filter.search.casefold().split()
    return tuple(
        queue_item
        for queue_item in queue
        if matches(queue_item, viewer) and (not words or _matches_search(queue_item, words, viewer))
    )


def _matches_search(queue_item: QueueItem, words: Sequence[str], viewer: Viewer) -> bool:
    """Whether all words are in the answer, its code, its comment, or a name that may be known."""
    parts = [
        queue_item.answer.text,
        queue_item.answer.code,
        queue_item.entry.mark.comment if queue_item.entry else "",
    ]
    if viewer.names_shown:
        submission = viewer.submissions[queue_item.answer.submission]
        parts += [submission.name, *(f"{s.name} {s.id}" for s in submission.students)]
    text = " ".join(parts).casefold()
    return all(word in text for word in words)


def items_after(queue: Sequence[QueueItem], number: int) -> tuple[QueueItem, ...]:
    """The places after that number, and then those before it: the last is the one before."""
    later = [queue_item for queue_item in queue if queue_item.number > number]
    return (*later, *(queue_item for queue_item in queue if queue_item.number < number))


def items_before(queue: Sequence[QueueItem], number: int) -> tuple[QueueItem, ...]:
    """The same, backwards."""
    return tuple(reversed(items_after(queue, number)))
