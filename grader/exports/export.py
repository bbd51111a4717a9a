"""The inputs and the result of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.model import Graded, Rubric, Student


@dataclass(frozen=True, slots=True, kw_only=True)
class Grades:
    """The graded class that every format is made from."""

    rubric: Rubric
    results: Iterable[Graded]
    """Each submission once, in order."""
    render_report: Callable[[Graded], str]
    """The report of a submission."""
    list_missing: Callable[[], Sequence[Student]] = tuple
    """Who of the roster handed in nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that was downloaded from a learning management system."""

    name: str
    """Without its folder."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Options of a person; each format reads those that its command offers."""

    into: Download | None = None
    """The file to fill."""
    column: str = ""
    """The header of the column to fill; '' to find it."""
    comments: str = ""
    """The header of the column for comments; '' to leave comments alone."""
    so_far: bool = False
    """Whether students whose marks are pending get what they have up to now."""
    lms: str = "plain"
    """What names of feedback files are for: 'canvas', 'moodle' or 'plain'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStudent:
    """A student in a list, with the reason."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The files of an export, and what the person should know about them."""

    files: Mapping[str, bytes]
    """By name; formats of one file have one."""
    summary: str
    """What was written, as a sentence."""
    pending: tuple[ListedStudent, ...] = ()
    """Who has no final number yet."""
    left_out: tuple[ListedStudent, ...] = ()
    """Who was left out or left alone, and asks for a person."""
    notes: tuple[str, ...] = ()
    """What else whoever uploads it should know."""
