"""Defines the inputs and the result of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.model import Graded, Rubric, Student


@dataclass(frozen=True, slots=True, kw_only=True)
class Grades:
    """The graded class that every format is made from."""

    rubric: Rubric
    results: Iterable[Graded]
    """Each submission once, in order."""
    render_report: Callable[[Graded], str]
    """Returns the HTML report of a submission."""
    list_missing: Callable[[], Sequence[Student]] = tuple
    """Returns the students on the roster who submitted nothing."""
    list_code: Callable[[str], Sequence[str]] = lambda _: ()
    """Returns the code cells of a submission, by its name."""
    list_given_code: Callable[[], Sequence[str]] = tuple
    """Returns the code cells of the handout; none where that can't be told from solutions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that was downloaded from a learning management system."""

    name: str
    """The file name, without its folder."""
    data: bytes


def read_download(path: Path) -> Download:
    """Read a downloaded file.

    Raises:
        UsageError: It can't be read.
    """
    try:
        return Download(name=path.name, data=path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """The options of a command; each format reads those that its command offers."""

    into: Download | None = None
    """The file to fill."""
    column: str = ""
    """The header of the column to fill; '' to find it."""
    comments: str = ""
    """The header of the column for comments; '' to leave comments alone."""
    so_far: bool = False
    """Whether students whose marks are pending get their points so far."""
    lms: str = "plain"
    """The system that feedback files are named for: 'canvas', 'moodle' or 'plain'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStudent:
    """A student, and the reason why they are listed."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The files of an export, and a report for the person who uploads them."""

    files: Mapping[str, bytes]
    """Contents by file name."""
    summary: str
    """What was written, as a sentence."""
    pending: tuple[ListedStudent, ...] = ()
    """Students who have no final number yet."""
    left_out: tuple[ListedStudent, ...] = ()
    """Students whose cells were not filled, so that a person must look at them."""
    notes: tuple[str, ...] = ()
    """Further sentences for that person."""
