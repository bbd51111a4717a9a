"""Remembers what checks computed from the same evidence, so that each result is computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Memo:
    """Results by key, for as long as the record that holds them.

    Two threads may compute the same result at the same time.
    """

    __slots__ = ("_results",)

    def __init__(self) -> None:
        self._results: dict[Hashable, Any] = {}

    def get_or_compute(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result under a key, computed on the first call."""
        try:
            value: T = self._results[key]
        except KeyError:
            value = self._results[key] = compute()
        return value

    def __reduce__(self) -> tuple[type[Memo], tuple[()]]:
        """Copy or pickle it as an empty memo: computing is cheaper than sending."""
        return (Memo, ())


class HasMemo(Protocol):
    """A record that remembers results."""

    @property
    def memo(self) -> Memo: ...


Owner = TypeVar("Owner", bound=HasMemo)


def memoized(compute: Callable[Concatenate[Owner, P], T]) -> Callable[Concatenate[Owner, P], T]:
    """Decorate a function so that the memo of its first argument keeps its results.

    The other arguments must be hashable. Copies made by `dataclasses.replace` share the memo, so a
    result computed from evidence must not depend on its findings or on the reference's answers.
    """

    @wraps(compute)
    def recall(owner: Owner, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (compute, args, tuple(sorted(kwargs.items())))
        return owner.memo.get_or_compute(key, lambda: compute(owner, *args, **kwargs))

    return recall
