"""The marking queue: the answers to an item that fit a filter, and their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from grader.gradebook.team import AnswerFlag
from grader.model import Mark
from grader.report.text_format import one_line
from grader.scoring import is_given_by_criteria
from grader.web.answer_index import IndexedAnswer, IndexedSubmission

MAX_SEARCH = 200
"""Characters of a search; the rest is ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One answer of a queue, with its mark and flag."""

    answer: IndexedAnswer
    number: int
    """Its position in the whole queue, from 1."""
    mark: Mark | None
    """The current mark, on this answer or on an earlier version of it."""
    flag: AnswerFlag | None = None

    @property
    def state(self) -> str:
        """'unmarked', 'outdated' or 'marked'."""
        if self.mark is None:
            return "unmarked"
        return "marked" if self.mark.answer_digest == self.answer.digest else "outdated"

    @property
    def pending(self) -> bool:
        """Whether a person needs to mark it."""
        if self.state != "unmarked":
            return self.state == "outdated"
        return self.answer.needs_review or self.answer.earned is None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """The filter of a queue."""

    show: str = "all"
    search: str = ""
    criterion: str = ""
    """The id of a criterion; '' for answers of any."""
    met: bool = True
    """Whether that criterion is met, or not."""
    by: str = ""
    """Who graded it; '' for anybody."""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> QueueFilter:
        """Return the filter of an address; an unknown one shows all."""
        show = query.get("show", "all")
        search = one_line(query.get("search", ""))[:MAX_SEARCH]
        return cls(
            show=show if show in FILTERS else "all",
            search=search,
            criterion=one_line(query.get("has") or query.get("lacks", ""))[:MAX_SEARCH],
            met=bool(query.get("has")) or not query.get("lacks"),
            by=one_line(query.get("grader", ""))[:MAX_SEARCH],
        )

    @property
    def fields(self) -> Mapping[str, str]:
        """The filter for addresses and forms, by name, without what filters nothing."""
        fields = {
            "show": self.show if self.show != "all" else "",
            "search": self.search,
            "has" if self.met else "lacks": self.criterion,
            "grader": self.by,
        }
        return {name: value for name, value in fields.items() if value}

    @property
    def query_string(self) -> str:
        """The filter for an address: '', or with a question mark."""
        return f"?{urlencode(self.fields)}" if self.fields else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The visitor, as far as filters need to know them."""

    name: str
    names_shown: bool
    sections: frozenset[str] | None = None
    """The sections of this item that they are to mark; None without any."""
    submissions: Mapping[str, IndexedSubmission] = field(default_factory=dict)


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
    "flagged": lambda queue_item, _: queue_item.flag is not None,
    "mine": lambda queue_item, viewer: bool(queue_item.mark and queue_item.mark.by == viewer.name),
    "part": _in_own_sections,
}
"""The filters, by their words in addresses."""


def filter_queue(
    queue: Sequence[QueueItem], *, queue_filter: QueueFilter, viewer: Viewer
) -> tuple[QueueItem, ...]:
    """Return the answers that fit, in order."""
    matches = FILTERS[queue_filter.show]
    words = queue_filter.search.casefold().split()
    return tuple(
        queue_item
        for queue_item in queue
        if matches(queue_item, viewer)
        and _matches_mark(queue_item, queue_filter)
        and (not words or _matches_search(queue_item, words, viewer))
    )


def _matches_mark(queue_item: QueueItem, queue_filter: QueueFilter) -> bool:
    """Return whether the mark is by the grader and on the criterion that the filter names."""
    if not queue_filter.by and not queue_filter.criterion:
        return True
    mark = queue_item.mark
    if mark is None or queue_item.state != "marked" or (queue_filter.by not in {"", mark.by}):
        return False
    if not queue_filter.criterion:
        return True
    is_met = queue_filter.criterion in mark.criteria
    return is_given_by_criteria(mark) and is_met == queue_filter.met


def _matches_search(queue_item: QueueItem, words: Sequence[str], viewer: Viewer) -> bool:
    """Return whether all words are in the answer, its code, its comment, or a shown name."""
    parts = [
        queue_item.answer.text,
        queue_item.answer.code,
        queue_item.mark.comment if queue_item.mark else "",
    ]
    if viewer.names_shown:
        submission = viewer.submissions[queue_item.answer.submission]
        parts += [submission.name, *(f"{s.name} {s.id}" for s in submission.students)]
    text = " ".join(parts).casefold()
    return all(word in text for word in words)


def items_after(queue: Sequence[QueueItem], number: int) -> tuple[QueueItem, ...]:
    """Return the answers after a number, and then those before it."""
    later = [queue_item for queue_item in queue if queue_item.number > number]
    return (*later, *(queue_item for queue_item in queue if queue_item.number < number))


def answer_url(
    item_id: str, code: str = "", *, queue_filter: QueueFilter, prefix: str = "mark"
) -> str:
    """Return the address of an answer, with the filter."""
    path = "/".join(quote(part, safe="") for part in (prefix, item_id, code) if part)
    return f"/{path}{queue_filter.query_string}"
