"""The one cache of the console: keeps what is computed for as long as its revision is the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar, cast

Computed = TypeVar("Computed")


@dataclass(slots=True)
class _Entry:
    lock: Lock = field(default_factory=Lock)
    revision: Hashable = field(default_factory=object)
    """What the value was computed from; at first an object that equals no revision."""
    value: Any = None


class RevisionCache:
    """The last value of each key, with the revision it was computed from; threads may share it."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, _Entry] = {}
        self._lock = Lock()

    def get(self, key: Hashable, revision: Hashable, compute: Callable[[], Computed]) -> Computed:
        """Return the value of a key, computed again only where its revision is another.

        Args:
            key: the name of the value, such as ("marks", "Q1.1").
            revision: identifies what the value is computed from; equal revisions, equal values.
            compute: computes the value. Threads that need the same key wait for one of them.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
        with entry.lock:
            if entry.revision != revision:
                entry.value = compute()
                entry.revision = revision
            return cast("Computed", entry.value)
