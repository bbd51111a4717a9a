"""A fault of the grader itself, kept as data so that someone can mend it."""

from __future__ import annotations

import traceback as tracebacks
from dataclasses import dataclass

MAX_TRACEBACK_CHARS = 20_000
"""Characters kept of a traceback, from its end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception of the grader's own: where it was caught, what it says, and its traceback."""

    where: str
    error: str
    traceback: str

    @classmethod
    def caught(cls, where: str, error: BaseException) -> Fault:
        """Return the record of an exception that was caught."""
        text = "".join(tracebacks.format_exception(error))
        return cls(where, f"{type(error).__name__}: {error}", text[-MAX_TRACEBACK_CHARS:])
