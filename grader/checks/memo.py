"""Keeps what was worked out once for the checks that ask for it next."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Answers by what they were worked out from; it lives as long as the record that holds it.

    Checks know nothing of each other, and half of them ask the same of the same evidence: which
    input is which, which module was trained. Two threads may work the same out at the same time;
    both then get the same answer.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    def get_or_compute(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The answer under this key, worked out if nobody has asked yet."""
        try:
            value: T = self._known[key]
        except KeyError:
            value = self._known[key] = compute()
        return value

    def __reduce__(self) -> tuple[type[Memo], tuple[()]]:
        """A copy in another process starts empty: working out again is cheaper than sending."""
        return (Memo, ())
