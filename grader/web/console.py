"""What all requests share, and what one request brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request

from grader.gradebook import Gradebook, ledger, team
from grader.gradebook.ledger import LedgerEntry
from grader.gradebook.mark_points import apply_weights
from grader.model import Item, Rubric
from grader.web.answer_index import AnswerIndex, IndexedAnswer
from grader.web.background_publisher import BackgroundPublisher
from grader.web.current_marks import CurrentMarks
from grader.web.marking_queue import QueueFilter, QueueItem, Viewer
from grader.web.passwords import Throttle
from grader.web.request_guard import AccessRules, Form, RequestGuard
from grader.web.sessions import Session, Sessions
from grader.web.similarity_cache import SimilarityCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The console of one folder that `grade` wrote."""

    book: Gradebook
    rubric: Rubric
    answer_index: AnswerIndex
    current_marks: CurrentMarks
    similarity: SimilarityCache
    publisher: BackgroundPublisher
    rules: AccessRules
    requests_path: Path
    """A file of requests for another look; it need not be there."""
    sessions: Sessions = field(default_factory=Sessions)
    throttle: Throttle = field(default_factory=Throttle)

    def item(self, item_id: str) -> Item:
        """An item of the rubric, its criteria at what they are worth now.

        Raises:
            HTTPException: there is none.
        """
        rubric_item = next((item for item in self.rubric.items if item.id == item_id), None)
        if rubric_item is None:
            raise HTTPException(404, "There is no such item.")
        return apply_weights(rubric_item, weights=ledger.weights(self.book, self.rubric.id))

    def queue(self, item_id: str) -> tuple[QueueItem, ...]:
        """All answers to an item, with what people said of them."""
        entries = self.current_marks.marks(item_id, index_version=self.answer_index.version)
        flagged = team.flagged_submissions(self.book, item_id)
        return _queue_items(self.answer_index.answers(item_id), entries=entries, flagged=flagged)

    def queues(self) -> Mapping[str, tuple[QueueItem, ...]]:
        """The same of every item, for overviews."""
        answers_by_item = {
            item.id: self.answer_index.answers(item.id) for item in self.rubric.items
        }
        entries = self.current_marks.all_marks(
            list(answers_by_item), index_version=self.answer_index.version
        )
        return {
            name: _queue_items(answers, entries=entries[name], flagged=frozenset())
            for name, answers in answers_by_item.items()
        }

    def queue_item(self, item_id: str, code: str) -> QueueItem:
        """One answer, by what stands for it.

        Raises:
            HTTPException: there is none.
        """
        answers = self.answer_index.answers(item_id)
        index = next((n for n, answer in enumerate(answers) if answer.code == code), None)
        if index is None:
            raise HTTPException(404, "There is no such answer.")
        answer = answers[index]
        return QueueItem(
            answer=answer,
            number=index + 1,
            entry=self.entry(answer.submission, item_id),
            flagged=answer.submission in team.flagged_submissions(self.book, item_id),
        )

    def entry(self, submission: str, item_id: str) -> LedgerEntry | None:
        """The mark that stands, if there is one."""
        return self.current_marks.marks(item_id, index_version=self.answer_index.version).get(
            submission
        )


def _queue_items(
    answers: tuple[IndexedAnswer, ...],
    *,
    entries: Mapping[str, LedgerEntry],
    flagged: frozenset[str],
) -> tuple[QueueItem, ...]:
    return tuple(
        QueueItem(
            answer=answer,
            number=number,
            entry=entries.get(answer.submission),
            flagged=answer.submission in flagged,
        )
        for number, answer in enumerate(answers, start=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of somebody who is in."""

    console: Console
    guard: RequestGuard
    session: Session
    path_params: Mapping[str, str]
    query_params: Mapping[str, str]
    form: Form
    peer: str

    @classmethod
    def from_request(cls, request: Request) -> Visit:
        """What the gate let through."""
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
        """A field of the form, '' where it is missing."""
        return next((value for key, value in self.form if key == name), "")

    def fields(self, name: str) -> tuple[str, ...]:
        """All fields of that name."""
        return tuple(value for key, value in self.form if key == name)

    @property
    def item(self) -> Item:
        """The item that the address names."""
        return self.console.item(self.path_params["item"])

    @property
    def queue_item(self) -> QueueItem:
        """The answer that the address names."""
        return self.console.queue_item(self.path_params["item"], self.path_params["code"])

    @property
    def queue_filter(self) -> QueueFilter:
        """What they asked to see."""
        return QueueFilter.from_query({**self.query_params, **dict(self.form)})

    def viewer(self, item_id: str) -> Viewer:
        """Who they are, for filters."""
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
