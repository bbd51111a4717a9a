"""Every error that the grader raises on purpose, as one tree; each class names who can act.

GraderError
    ArchiveError
    CourseTestFault
    CriteriaConflict
    DownloadRefused
    IsolationError
    KernelError
    MarkConflict
    NotebookError
    RecorderFault
    ReferenceFault
    RequestRefused
    RubricError
    Stopped
    Undrawable
    UsageError
        FieldError
    WireError
        ChannelBroken
            ChannelClosed
            ChannelTimeout
        FrameRefused

`DownloadRefused`, `FieldError`, `RequestRefused`, `Stopped` and `Undrawable` are defined where
they are raised.
"""

from __future__ import annotations

from typing import Any


class GraderError(Exception):
    """The root of the tree: every error that was raised on purpose."""


class ArchiveError(GraderError):
    """A submitted archive can't be opened safely; the submission gets a row with the reason."""


class IsolationError(GraderError):
    """No isolation of the required level works here; the message says what would help."""


class UsageError(GraderError):
    """The person at the keyboard can fix it: a path, an option, the environment."""


class MarkConflict(GraderError):
    """Another mark was given meanwhile: nothing was written, and a person chooses."""

    def __init__(self, message: str, *, proposed: Any, current: Any) -> None:
        super().__init__(message)
        self.proposed = proposed
        """What would have been written: a `NewMark`, or None for taking back."""
        self.current = current
        """The mark that is current now, or None."""


class CriteriaConflict(GraderError):
    """Somebody else changed criteria of the item meanwhile: nothing was written."""


class RubricError(GraderError):
    """Course staff can fix it: the message names file, key and the nearest valid word."""


class NotebookError(GraderError):
    """The submitted file can't be read as a notebook; it gets a row with the reason."""


class ReferenceFault(GraderError):
    """The reference did not answer as it must: a finding with the verdict ERROR, free of cost."""


class RecorderFault(GraderError):
    """The recorder failed while a notebook ran: a finding with the verdict ERROR, free of cost."""


class CourseTestFault(GraderError):
    """A test of the course failed by itself: a finding with the verdict ERROR, free of cost."""


class KernelError(GraderError):
    """The notebook's process can't be started or reached; it gets a row with the reason."""


class WireError(GraderError):
    """What came from a notebook's process is not what `wire` allows."""


class FrameRefused(WireError):
    """The contents of one frame are not allowed; the channel is in step, and others can follow."""


class ChannelBroken(WireError):
    """The stream of frames can't be followed any more; nothing further is read from it."""


class ChannelClosed(ChannelBroken):
    """The process at the other end is gone."""


class ChannelTimeout(ChannelBroken):
    """The process at the other end was silent, or did not read, for too long."""
