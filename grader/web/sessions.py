"""Sessions: a browser that came with the token, or with a name and its password."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from grader.gradebook.leases import Holder

LASTS_S = 12 * 3600.0
"""Without a visit."""
MOST = 500
_BYTES = 32


@dataclass(slots=True, kw_only=True)
class Session:
    """One browser of one person; what it holds is gone when the server ends."""

    id: str
    csrf: str
    name: str
    owner: bool
    """Whether they may say who marks what."""
    seen: float
    browser: str
    """What it holds leases by: a secret of a cookie stands in no store."""
    names_shown: bool = False
    """Whether students' names are shown; they are not at first."""
    given: list[tuple[str, str, int]] = field(default_factory=list)
    """Submission, item and number of the marks given here, the last one last."""
    said: str = ""
    """What the next page says first."""

    @property
    def holder(self) -> Holder:
        """As it holds leases."""
        return Holder(id=self.browser, name=self.name)

    def hear(self) -> str:
        """What is to be said, once."""
        said, self.said = self.said, ""
        return said


class Sessions:
    """Everyone who is in.

    Args:
        clock: seconds from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in: dict[str, Session] = {}
        self._turn = Lock()
        self.token = secrets.token_urlsafe(_BYTES)
        """What the printed link is let in by."""

    def lets_in(self, token: str) -> bool:
        """Whether that is the token; compared in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode("ascii"))

    def enter(self, name: str, *, owner: bool) -> Session:
        """A new session; where there are too many, the one that was away longest ends."""
        session = Session(
            id=secrets.token_urlsafe(_BYTES),
            csrf=secrets.token_urlsafe(_BYTES),
            name=name,
            owner=owner,
            seen=self._clock(),
            browser=secrets.token_hex(8),
        )
        with self._turn:
            if len(self._in) >= MOST:
                self._in.pop(min(self._in, key=lambda key: self._in[key].seen))
            self._in[session.id] = session
        return session

    def of(self, cookie: str) -> Session | None:
        """The session of a cookie."""
        with self._turn:
            found = self._in.get(cookie)
            now = self._clock()
            if found is None or now - found.seen > LASTS_S:
                self._in.pop(cookie, None)
                return None
            found.seen = now
            return found

    def leave(self, session: Session) -> None:
        """End it."""
        with self._turn:
            self._in.pop(session.id, None)

    def put_out(self, name: str) -> None:
        """End all sessions of a name."""
        with self._turn:
            for key in [key for key, one in self._in.items() if one.name == name]:
                del self._in[key]
