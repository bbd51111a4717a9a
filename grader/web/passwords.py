"""Passwords: stored as salted scrypt hashes, and guessed only slowly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

MIN_PASSWORD_LENGTH = 10
"""Characters that a password needs."""
_N, _R, _P = 2**14, 8, 1
"""A try takes 16 MB and some 50 ms."""
_SALT = 16
_SCRYPT_LOCK = Lock()


def hash_password(password: str) -> str:
    """Return a salted hash for `verify_password`: 'scrypt$N$r$p$salt$hash'."""
    salt = secrets.token_bytes(_SALT)
    fields = (_N, _R, _P, _to_base64(salt), _to_base64(_scrypt(password, salt, n=_N, r=_R, p=_P)))
    return "$".join(("scrypt", *map(str, fields)))


def verify_password(password: str, stored_hash: str | None) -> bool:
    """Return whether it is the password; as slow without a hash, to hide which names exist."""
    if stored_hash is None:
        hash_password(password)
        return False
    _, n, r, p, salt, digest = stored_hash.split("$")
    candidate = _scrypt(password, base64.b64decode(salt), n=int(n), r=int(r), p=int(p))
    return hmac.compare_digest(candidate, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, *, n: int, r: int, p: int) -> bytes:
    with _SCRYPT_LOCK:  # memory is bounded, however many try at once
        return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=n, r=r, p=p)


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@dataclass(slots=True)
class _FailedTries:
    count: int = 0
    locked_until: float = 0.0


class Throttle:
    """Makes people wait who guess: after a few failures, twice as long each time.

    Args:
        clock: seconds from any start.
    """

    FREE_FAILURES = 5
    """Failures before anybody waits."""
    MAX_WAIT_S = 300.0
    MAX_KEYS = 10_000
    """Names and addresses that are remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[str, _FailedTries] = {}
        self._lock = Lock()

    def wait_s(self, *keys: str) -> float:
        """Return how long to wait before the next try, in seconds."""
        now = self._clock()
        with self._lock:
            ends = [self._tries[key].locked_until for key in keys if key in self._tries]
            return max((end - now for end in ends if end > now), default=0.0)

    def record_failure(self, *keys: str) -> None:
        """Count a failed try."""
        with self._lock:
            for key in keys:
                if key not in self._tries and len(self._tries) >= self.MAX_KEYS:
                    self._tries.pop(next(iter(self._tries)))
                tries = self._tries.setdefault(key, _FailedTries())
                tries.count += 1
                if tries.count >= self.FREE_FAILURES:
                    wait = min(2.0 ** (tries.count - self.FREE_FAILURES), self.MAX_WAIT_S)
                    tries.locked_until = self._clock() + wait

    def record_success(self, *keys: str) -> None:
        """Forget failed tries after a success."""
        with self._lock:
            for key in keys:
                self._tries.pop(key, None)
