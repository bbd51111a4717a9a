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


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptCost:
    """The parameters of scrypt; a hash keeps those it was made with."""

    n: int
    r: int
    p: int

    @property
    def memory(self) -> int:
        """Bytes that a try may take: what it needs, and as much again for OpenSSL's own."""
        return 2 * 128 * self.n * self.r


MIN_COST = ScryptCost(n=2**17, r=8, p=1)
"""The minimum of OWASP's Password Storage Cheat Sheet: a try takes 128 MB and some 0.4 s."""
_SALT = 16
_SCRYPT_LOCK = Lock()


def hash_password(password: str) -> str:
    """Return a salted hash for `verify_password`: 'scrypt$N$r$p$salt$hash'."""
    salt = secrets.token_bytes(_SALT)
    cost = MIN_COST
    fields = (cost.n, cost.r, cost.p, _to_base64(salt), _to_base64(_scrypt(password, salt, cost)))
    return "$".join(("scrypt", *map(str, fields)))


def verify_password(password: str, stored_hash: str | None) -> bool:
    """Return whether it is the password.

    It takes as long without a hash, or with one of a lower cost, to hide which names exist.
    """
    if stored_hash is None or is_outdated(stored_hash):
        hash_password(password)
    if stored_hash is None:
        return False
    *_, salt, digest = stored_hash.split("$")
    candidate = _scrypt(password, base64.b64decode(salt), _read_cost(stored_hash))
    return hmac.compare_digest(candidate, base64.b64decode(digest))


def is_outdated(stored_hash: str) -> bool:
    """Return whether a hash costs less to guess than one that is made now."""
    cost = _read_cost(stored_hash)
    return cost.n * cost.r * cost.p < MIN_COST.n * MIN_COST.r * MIN_COST.p


def _read_cost(stored_hash: str) -> ScryptCost:
    _, n, r, p, _, _ = stored_hash.split("$")
    return ScryptCost(n=int(n), r=int(r), p=int(p))


def _scrypt(password: str, salt: bytes, cost: ScryptCost) -> bytes:
    with _SCRYPT_LOCK:  # memory is bounded, however many try at once
        return hashlib.scrypt(
            password.encode("utf-8", "replace"),
            salt=salt,
            n=cost.n,
            r=cost.r,
            p=cost.p,
            maxmem=cost.memory,
        )


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
