"""What one student or team handed in, before it is known which notebook of it is graded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from grader.model import Student
from grader.submissions.file_listing import File, Listing

Overlap = tuple[float, int]
"""How much of the handout a notebook holds (0 to 1), and how many words that are not in it."""


def _no_overlap(_path: Path) -> Overlap | None:
    return 0.0, 0


def _no_students(_path: Path) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookPreview:
    """What can be seen in a notebook; another room knows how to read them."""

    handout_overlap: Callable[[Path], Overlap | None] = _no_overlap
    """None for a file that can't be read."""
    named_students: Callable[[Path], frozenset[str]] = _no_students
    """The students it names: ids, or names where there are none."""


def name_different_students(teams: Iterable[frozenset[str]]) -> bool:
    """Whether two notebooks name students, and not one the same."""
    named = [team for team in teams if team]
    return any(not first & second for first, second in combinations(named, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutContext:
    """What a layout may need to know beside what lies there."""

    preview: NotebookPreview = field(default_factory=NotebookPreview)
    assignment: str = ""
    """The assignment's id: a folder may hold several assignments."""
    layout: str | None = None
    """The layout there is, by name; None to recognize it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that one student or team handed in."""

    key: str
    """What tells it from every other; its safe name is made from it."""
    files: Mapping[str, File]
    """By path below what they handed in, as they know it."""
    display_path: str
    """Where it lies below what was given; of no use where a notebook is found in it."""
    preferred_name: str
    """The name it would have if nobody else had it."""
    students: tuple[Student, ...] = ()
    submitted_at: str = ""
    late: bool | None = None
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionLayout:
    """One way in which courses lay out what was handed in."""

    name: str
    """What `--layout` calls it."""
    description: str
    """What it is, for the person at the keyboard."""
    fits: Callable[[Listing], bool]
    """Whether a place is laid out like that."""
    partly_fits: Callable[[Listing], bool]
    """Whether anything there is of that layout: enough for who insists on it."""
    bundles: Callable[[Listing, LayoutContext], Iterator[Bundle]]
