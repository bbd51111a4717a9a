"""Passwords: kept as salted scrypt hashes, and tried only so often."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

SHORTEST = 10
"""Letters of a password."""
_N, _R, _P = 2**14, 8, 1
"""16 MB and some 50 ms a try."""
_SALT = 16
_ONE_AT_A_TIME = Lock()


def hashed(password: str) -> str:
    """A salted hash that `fits` can compare with: 'scrypt$N$r$p$salt$hash'."""
    salt = secrets.token_bytes(_SALT)
    words = (_N, _R, _P, _text(salt), _text(_scrypt(password, salt, n=_N, r=_R, p=_P)))
    return "$".join(("scrypt", *map(str, words)))


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password; takes as long where nobody is known by the name."""
    if kept is None:
        hashed(password)
        return False
    _, n, r, p, salt, digest = kept.split("$")
    tried = _scrypt(password, base64.b64decode(salt), n=int(n), r=int(r), p=int(p))
    return hmac.compare_digest(tried, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, *, n: int, r: int, p: int) -> bytes:
    with _ONE_AT_A_TIME:  # memory is bounded, however many try at once
        return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=n, r=r, p=p)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@dataclass(slots=True)
class _Tries:
    failed: int = 0
    until: float = 0.0


class Throttle:
    """Makes whoever guesses wait: after a few failures, twice as long each time.

    Args:
        clock: seconds from any start.
    """

    FREE = 5
    """Failures before anybody waits."""
    LONGEST_S = 300.0
    MOST = 10_000
    """Names and addresses remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[str, _Tries] = {}
        self._turn = Lock()

    def wait_s(self, *who: str) -> float:
        """How long they must wait before the next try; 0 for not at all."""
        now = self._clock()
        with self._turn:
            ends = [self._tries[one].until for one in who if one in self._tries]
            return max((end - now for end in ends if end > now), default=0.0)

    def failed(self, *who: str) -> None:
        """A try failed."""
        with self._turn:
            for one in who:
                if one not in self._tries and len(self._tries) >= self.MOST:
                    self._tries.pop(next(iter(self._tries)))
                tries = self._tries.setdefault(one, _Tries())
                tries.failed += 1
                if tries.failed >= self.FREE:
                    wait = min(2.0 ** (tries.failed - self.FREE), self.LONGEST_S)
                    tries.until = self._clock() + wait

    def succeeded(self, *who: str) -> None:
        """A try succeeded: they start anew."""
        with self._turn:
            for one in who:
                self._tries.pop(one, None)
