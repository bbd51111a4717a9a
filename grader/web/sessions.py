"""Sessions: browsers that signed in with the token, or with a name and its password."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

from grader.gradebook.leases import LeaseHolder
from grader.model import Mark

TIMEOUT_S = 12 * 3600.0
"""A session ends after so long without a request."""
MAX_SESSIONS = 500
MAX_STEPS = 1000
"""Steps of a session that can be undone."""
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingStep:
    """The marks that one form gave, which are undone as a whole."""

    marks: tuple[Mark, ...]
    label: str
    """What they were given to, such as 'answer 3 of Q1.1'."""
    path: str
    """The page where they can be given again."""


@dataclass(slots=True, kw_only=True)
class Session:
    """One browser of one person, until the server stops."""

    id: str
    csrf: str
    name: str
    owner: bool
    """Whether they may assign work and admit graders."""
    last_seen: float
    lease_id: str
    """Names the browser in leases, so that no secret of a cookie is stored."""
    names_shown: bool = False
    """Whether students' names are shown."""
    steps: list[GradingStep] = field(default_factory=list)
    """What was given here and can be undone, the last one last."""
    message: str = ""
    """A sentence for the next page."""

    @property
    def holder(self) -> LeaseHolder:
        """The browser as leases know it."""
        return LeaseHolder(id=self.lease_id, name=self.name)

    def remember_step(self, step: GradingStep) -> None:
        """Remember marks that were given here, to undo them."""
        self.steps.append(step)
        del self.steps[:-MAX_STEPS]

    def forget_mark(self, number: int) -> None:
        """Forget a mark that was taken back on its own page."""
        kept = (
            replace(step, marks=tuple(mark for mark in step.marks if mark.number != number))
            for step in self.steps
        )
        self.steps[:] = [step for step in kept if step.marks]

    def take_message(self) -> str:
        """Return the message, once."""
        message, self.message = self.message, ""
        return message


class Sessions:
    """All sessions of the console.

    Args:
        clock: seconds from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_id: dict[str, Session] = {}
        self._lock = Lock()
        self.token = secrets.token_urlsafe(_TOKEN_BYTES)
        """Signs in the person who opens the printed link."""

    def accepts_token(self, token: str) -> bool:
        """Return whether that is the token; compared in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode("ascii"))

    def start(self, name: str, *, owner: bool) -> Session:
        """Start a session; where there are too many, end the one that was idle longest."""
        session = Session(
            id=secrets.token_urlsafe(_TOKEN_BYTES),
            csrf=secrets.token_urlsafe(_TOKEN_BYTES),
            name=name,
            owner=owner,
            last_seen=self._clock(),
            lease_id=secrets.token_hex(8),
        )
        with self._lock:
            if len(self._by_id) >= MAX_SESSIONS:
                self._by_id.pop(min(self._by_id, key=lambda key: self._by_id[key].last_seen))
            self._by_id[session.id] = session
        return session

    def for_cookie(self, cookie: str) -> Session | None:
        """Return the session of a cookie, and note that it is in use."""
        with self._lock:
            session = self._by_id.get(cookie)
            now = self._clock()
            if session is None or now - session.last_seen > TIMEOUT_S:
                self._by_id.pop(cookie, None)
                return None
            session.last_seen = now
            return session

    def end(self, session: Session) -> None:
        """End a session."""
        with self._lock:
            self._by_id.pop(session.id, None)

    def end_all_of(self, name: str, *, but: Session | None = None) -> None:
        """End all sessions of a name, but perhaps one."""
        with self._lock:
            for key, session in list(self._by_id.items()):
                if session.name == name and session is not but:
                    del self._by_id[key]
