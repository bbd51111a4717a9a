"""A fault of the grader itself, kept as data so that somebody can report and mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from traceback import format_exception

MAX_TRACEBACK = 20_000
"""Characters kept of a traceback, from its end, where the cause is."""
MAX_ERROR = 500
_SECRETS = (
    # Addresses with a user and a password: postgresql://name:word@host/…
    (re.compile(r"\b(\w+://)[^\s/@'\"]+@"), r"\1…@"),
    (
        re.compile(r"(?i)\b(\w*(?:seed|password|passwd|secret|token)\w*['\"]?\s*[=:]\s*)\S+"),
        r"\1…",
    ),
    # Bytes and long hexadecimal numbers: a seed, a key, a digest of a password.
    (re.compile(r"\bb(['\"])(?:(?!\1)[^\\]|\\.){12,}\1"), "b'…'"),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), "…"),
)
"""Patterns of secrets in error messages, and what replaces them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An exception that the grader caught so that everything else goes on; for staff only."""

    where: str
    """The action that failed, such as 'grading team-3'."""
    error: str
    """The exception's type and message."""
    traceback: str
    is_told: bool = False
    """Whether a finding tells its cause, so that who has no log needs no traceback."""

    @classmethod
    def caught(cls, where: str, error: BaseException, *, is_told: bool = False) -> Fault:
        """Keep an exception with its traceback, bounded and without secrets."""
        # Bounded again afterwards, so that no secret is cut in two before it is recognized.
        text = "".join(format_exception(error))[-10 * MAX_TRACEBACK :]
        message = f"{type(error).__name__}: {error}"[: 10 * MAX_ERROR]
        return cls(
            where=where,
            error=_hide_secrets(message)[:MAX_ERROR],
            traceback=_hide_secrets(text)[-MAX_TRACEBACK:],
            is_told=is_told,
        )


def _hide_secrets(text: str) -> str:
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text
