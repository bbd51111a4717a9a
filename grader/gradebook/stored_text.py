"""Text that people typed, as every database takes it."""

from __future__ import annotations

from grader.errors import UsageError


def require_name(by: str, *, what: str) -> str:
    """Return the name of who does something.

    Raises:
        UsageError: there is none.
    """
    name = remove_unstorable(by).strip()
    if not name:
        raise UsageError(f"{what} says who gave it: name yourself")
    return name


def remove_unstorable(text: str) -> str:
    """Return the text without what no database takes: lone surrogates, and NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
