"""The exit codes of every command."""

from __future__ import annotations

DONE = 0
"""Done; marks may be pending."""
NEEDS_PERSON = 1
"""Done, but something needs a person: a submission, a conflict, a failed check, a fault of ours."""
CANNOT_RUN = 2
"""Not done: the usage, the rubric or this computer does not allow it."""
INTERRUPTED = 130
"""Ended by Ctrl-C."""
