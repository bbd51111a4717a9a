"""What all requests share, and what one request brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request

from grader.gradebook import Gradebook, ledger, team
from grader.gradebook.ledger import Entry
from grader.gradebook.mark_points import weighed
from grader.model import Item, Rubric
from grader.web.answer_index import Sheet, Shelf
from grader.web.background_publisher import Renewing
from grader.web.current_marks import Standing
from grader.web.marking_queue import Asking, Place, Wanted
from grader.web.passwords import Throttle
from grader.web.request_guard import Form, Gate, Rules
from grader.web.sessions import Session, Sessions
from grader.web.similarity_cache import Likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The console of one folder that `grade` wrote."""

    book: Gradebook
    rubric: Rubric
    shelf: Shelf
    standing: Standing
    likeness: Likeness
    renewing: Renewing
    rules: Rules
    requests: Path
    """A file of requests for another look; it need not be there."""
    sessions: Sessions = field(default_factory=Sessions)
    throttle: Throttle = field(default_factory=Throttle)

    def item(self, item_id: str) -> Item:
        """An item of the rubric, its criteria at what they are worth now.

        Raises:
            HTTPException: there is none.
        """
        found = next((item for item in self.rubric.items if item.id == item_id), None)
        if found is None:
            raise HTTPException(404, "There is no such item.")
        return weighed(found, weights=ledger.weights(self.book, self.rubric.id))

    def places(self, item_id: str) -> tuple[Place, ...]:
        """All answers to an item, with what people said of them."""
        entries = self.standing.marks(item_id, shelf=self.shelf.filled)
        flagged = team.flagged(self.book, item_id)
        return _placed(self.shelf.stack(item_id), entries=entries, flagged=flagged)

    def all_places(self) -> Mapping[str, tuple[Place, ...]]:
        """The same of every item, for overviews."""
        stacks = {item.id: self.shelf.stack(item.id) for item in self.rubric.items}
        entries = self.standing.all_marks(list(stacks), shelf=self.shelf.filled)
        return {
            name: _placed(stack, entries=entries[name], flagged=frozenset())
            for name, stack in stacks.items()
        }

    def place(self, item_id: str, code: str) -> Place:
        """One answer, by what stands for it.

        Raises:
            HTTPException: there is none.
        """
        stack = self.shelf.stack(item_id)
        number = next((n for n, sheet in enumerate(stack) if sheet.code == code), None)
        if number is None:
            raise HTTPException(404, "There is no such answer.")
        sheet = stack[number]
        return Place(
            sheet=sheet,
            number=number + 1,
            entry=self.entry(sheet.submission, item_id),
            flagged=sheet.submission in team.flagged(self.book, item_id),
        )

    def entry(self, submission: str, item_id: str) -> Entry | None:
        """The mark that stands, if there is one."""
        return self.standing.marks(item_id, shelf=self.shelf.filled).get(submission)


def _placed(
    stack: tuple[Sheet, ...],
    *,
    entries: Mapping[str, Entry],
    flagged: frozenset[str],
) -> tuple[Place, ...]:
    return tuple(
        Place(
            sheet=sheet,
            number=number,
            entry=entries.get(sheet.submission),
            flagged=sheet.submission in flagged,
        )
        for number, sheet in enumerate(stack, start=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of somebody who is in."""

    console: Console
    gate: Gate
    session: Session
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Form
    peer: str

    @classmethod
    def of(cls, request: Request) -> Visit:
        """What the gate let through."""
        state = request.app.state
        state.console.shelf.look()
        return cls(
            console=state.console,
            gate=state.gate,
            session=request.scope["session"],
            path={name: str(value) for name, value in request.path_params.items()},
            query=dict(request.query_params),
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
        return self.console.item(self.path["item"])

    @property
    def place(self) -> Place:
        """The answer that the address names."""
        return self.console.place(self.path["item"], self.path["code"])

    @property
    def wanted(self) -> Wanted:
        """What they asked to see."""
        return Wanted.of({**self.query, **dict(self.form)})

    def asking(self, item_id: str) -> Asking:
        """Who they are, for filters."""
        mine = frozenset(
            section
            for marker, item, section in team.shared(self.console.book)
            if (marker, item) == (self.session.name, item_id)
        )
        return Asking(
            name=self.session.name,
            names_shown=self.session.names_shown,
            sections=mine or None,
            folios=self.console.shelf.folios(),
        )
