"""Sessions: a browser that came with the token, or with a name and its password."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from grader.gradebook.leases import LeaseHolder

TIMEOUT_S = 12 * 3600.0
"""Without a visit."""
MAX_SESSIONS = 500
_TOKEN_BYTES = 32


@dataclass(slots=True, kw_only=True)
class Session:
    """One browser of one person; what it holds is gone when the server ends."""

    id: str
    csrf: str
    name: str
    owner: bool
    """Whether they may say who marks what."""
    last_seen: float
    lease_id: str
    """What it holds leases by: a secret of a cookie stands in no store."""
    names_shown: bool = False
    """Whether students' names are shown; they are not at first."""
    recent_marks: list[tuple[str, str, int]] = field(default_factory=list)
    """Submission, item and number of the marks given here, the last one last."""
    message: str = ""
    """What the next page says first."""

    @property
    def holder(self) -> LeaseHolder:
        """As it holds leases."""
        return LeaseHolder(id=self.lease_id, name=self.name)

    def take_message(self) -> str:
        """What is to be said, once."""
        message, self.message = self.message, ""
        return message


class Sessions:
    """Everyone who is in.

    Args:
        clock: seconds from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_id: dict[str, Session] = {}
        self._lock = Lock()
        self.token = secrets.token_urlsafe(_TOKEN_BYTES)
        """What the printed link is let in by."""

    def accepts_token(self, token: str) -> bool:
        """Whether that is the token; compared in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode("ascii"))

    def start(self, name: str, *, owner: bool) -> Session:
        """A new session; where there are too many, the one that was away longest ends."""
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
        """The session of a cookie."""
        with self._lock:
            session = self._by_id.get(cookie)
            now = self._clock()
            if session is None or now - session.last_seen > TIMEOUT_S:
                self._by_id.pop(cookie, None)
                return None
            session.last_seen = now
            return session

    def end(self, session: Session) -> None:
        """End it."""
        with self._lock:
            self._by_id.pop(session.id, None)

    def end_all_of(self, name: str) -> None:
        """End all sessions of a name."""
        with self._lock:
            for key in [key for key, session in self._by_id.items() if session.name == name]:
                del self._by_id[key]
