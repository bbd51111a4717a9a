"""What all requests to the console share, and what belongs to one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request

from grader.gradebook import Gradebook, ledger, team
from grader.gradebook.criterion_edits import apply_edits
from grader.gradebook.criterion_ledger import criterion_edits
from grader.gradebook.team import AnswerFlag
from grader.model import Item, Mark, Rubric
from grader.web.answer_index import AnswerIndex
from grader.web.background_publisher import BackgroundPublisher
from grader.web.class_similarity import ClassSimilarity
from grader.web.marking_queue import QueueFilter, QueueItem, Viewer
from grader.web.passwords import Throttle
from grader.web.request_guard import AccessRules, Form, RequestGuard
from grader.web.revision_cache import RevisionCache
from grader.web.sessions import Session, Sessions

Queue = tuple[QueueItem, ...]
"""All answers to an item, with their marks and flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The console of one folder that `grade` wrote."""

    book: Gradebook
    rubric: Rubric
    cache: RevisionCache
    answer_index: AnswerIndex
    similarity: ClassSimilarity
    publisher: BackgroundPublisher
    rules: AccessRules
    requests_path: Path
    """A file of regrade requests; it need not be there."""
    sessions: Sessions = field(default_factory=Sessions)
    throttle: Throttle = field(default_factory=Throttle)

    def item(self, item_id: str) -> Item:
        """Return an item of the rubric, with its criteria as they are now.

        Raises:
            HTTPException: there is no such item.
        """
        rubric_item = next((item for item in self.rubric.items if item.id == item_id), None)
        if rubric_item is None:
            raise HTTPException(404, "There is no such question.")
        return apply_edits(rubric_item, edits=criterion_edits(self.book, self.rubric.id))

    def queue(self, item_id: str) -> Queue:
        """Return the queue of one item."""
        flags = team.answer_flags(self.book, item_id)
        return self._queue(item_id, revisions=self.book.item_revisions(), flags=flags)

    def queues(self) -> Mapping[str, Queue]:
        """Return the queue of every item, without flags, for overviews."""
        revisions = self.book.item_revisions()
        return {
            item.id: self._queue(item.id, revisions=revisions, flags={})
            for item in self.rubric.items
        }

    def queue_item(self, item_id: str, code: str) -> QueueItem:
        """Return one answer of an item's queue by its anonymous code.

        Raises:
            HTTPException: there is no such answer.
        """
        for queue_item in self.queue(item_id):
            if queue_item.answer.code == code:
                return queue_item
        raise HTTPException(404, "There is no such answer.")

    def _queue(
        self, item_id: str, *, revisions: Mapping[str, str], flags: Mapping[str, AnswerFlag]
    ) -> Queue:
        marks = self._marks(item_id, mark_revision=revisions.get(item_id, ""))
        return tuple(
            QueueItem(
                answer=answer,
                number=number,
                mark=marks.get(answer.submission),
                flag=flags.get(answer.submission),
            )
            for number, answer in enumerate(self.answer_index.answers(item_id), start=1)
        )

    def _marks(self, item_id: str, *, mark_revision: str) -> Mapping[str, Mark]:
        """Return the current marks on an item, by submission; 300 take some 20 ms to load."""
        # The points of items may change when the class is graded again, so the index counts, too.
        revision = (mark_revision, self.answer_index.revision)
        return self.cache.get(
            ("marks", item_id),
            revision,
            lambda: {m.submission: m for m in ledger.current_marks(self.book, item_id).values()},
        )


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request from somebody who is signed in."""

    console: Console
    guard: RequestGuard
    session: Session
    path_params: Mapping[str, str]
    query_params: Mapping[str, str]
    form: Form
    peer: str

    @classmethod
    def from_request(cls, request: Request) -> Visit:
        """Return the visit of a request that the guard let through."""
        state = request.app.state
        state.console.answer_index.refresh()
        return cls(
            console=state.console,
            guard=state.gate,
            session=request.scope["session"],
            path_params={name: str(value) for name, value in request.path_params.items()},
            query_params=dict(request.query_params),
            form=request.scope["form"],
            peer=request.client.host if request.client else "",
        )

    def field(self, name: str) -> str:
        """Return a field of the form, '' where it is missing."""
        return next((value for key, value in self.form if key == name), "")

    def fields(self, name: str) -> tuple[str, ...]:
        """Return all fields of a name."""
        return tuple(value for key, value in self.form if key == name)

    def number_field(self, name: str) -> int | None:
        """Return a field that holds a number, None where it holds anything else."""
        text = self.field(name)
        return int(text) if text.isdecimal() else None

    @cached_property
    def item(self) -> Item:
        """The item in the address, as it was when the request arrived."""
        return self.console.item(self.path_params["item"])

    @cached_property
    def queue_item(self) -> QueueItem:
        """The answer in the address, as it was when the request arrived."""
        return self.console.queue_item(self.item.id, self.path_params["code"])

    @cached_property
    def queue_filter(self) -> QueueFilter:
        """The filter in the address or the form."""
        return QueueFilter.from_query({**self.query_params, **dict(self.form)})

    def viewer(self, item_id: str) -> Viewer:
        """Return the visitor, as filters of an item's queue need them."""
        own_sections = frozenset(
            section
            for grader_name, item, section in team.list_shares(self.console.book)
            if (grader_name, item) == (self.session.name, item_id)
        )
        return Viewer(
            name=self.session.name,
            names_shown=self.session.names_shown,
            sections=own_sections or None,
            submissions=self.console.answer_index.submissions(),
        )


def local_path(path: str) -> str:
    """Return a path that a form or an address names; '/' for one of another server."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
