"""Every error the grader raises on purpose, as a tree; each says who can act.

GraderError
    ArchiveError
    IsolationError
    KernelError
    MarkConflict
    NotebookError
    ReferenceFault
    RubricError
    UsageError
    WireError
"""

from __future__ import annotations

from typing import Any


class GraderError(Exception):
    """The root: whatever is caught by this was raised on purpose, with a sentence for a person."""


class ArchiveError(GraderError):
    """An archive that was handed in cannot be opened safely; it becomes a row that says why."""


class IsolationError(GraderError):
    """Nothing here keeps notebooks from this computer; the message says what would."""


class UsageError(GraderError):
    """The person at the keyboard can mend it: a path, a flag, the environment."""


class MarkConflict(GraderError):
    """Another mark came between: nothing was written; whoever marks decides between the two."""

    def __init__(self, message: str, *, proposed: Any, current: Any) -> None:
        super().__init__(message)
        self.proposed = proposed
        """What would have been written: a `Given`, or None for taking back."""
        self.current = current
        """What is current now: an `Entry` of the ledger, or None."""


class RubricError(GraderError):
    """Course staff can mend it: the message names file, key and the nearest valid word."""


class NotebookError(GraderError):
    """The submitted file cannot be read as a notebook; it becomes a row that says why."""


class ReferenceFault(GraderError):
    """The reference did not answer as it must: a finding with the verdict ERROR, free of cost."""


class KernelError(GraderError):
    """The notebook's process could not be started or reached; it becomes a row that says why."""


class WireError(GraderError):
    """What came through the wall is not what `wire` allows; it becomes an observation's status."""
