"""The layouts of downloads, and the bundles of files that they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from grader.model import Student
from grader.submissions.file_listing import File, Listing

Overlap = tuple[float, int]
"""The part of the handout that a notebook holds, from 0 to 1, and all its phrases, counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookPreview:
    """Functions that look into notebooks, given by a room that can read them."""

    handout_overlap: Callable[[Path], Overlap | None] = lambda _: (0.0, 0)
    """Return None for a file that can't be read."""
    named_students: Callable[[Path], frozenset[str]] = lambda _: frozenset()
    """Return the students it names: ids, or names where there are none."""


def name_different_students(teams: Iterable[frozenset[str]]) -> bool:
    """Tell whether two notebooks name students, and none in common."""
    named = [team for team in teams if team]
    return any(not first & second for first, second in combinations(named, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutContext:
    """What a layout may need to know beside the files."""

    preview: NotebookPreview = field(default_factory=NotebookPreview)
    assignment: str = ""
    """The assignment's id: a folder may hold several assignments."""
    layout: str | None = None
    """The layout's name; None to recognize it."""
    notebooks: Mapping[str, NotebookPreview] = field(default_factory=dict)
    """What looks into files for each notebook of an assignment of several, by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All files that one student or team submitted."""

    key: str
    """Distinguishes it from every other; its safe name is made from it."""
    files: Mapping[str, File]
    """By path as the student knows it."""
    display_path: str
    """Its path below the given folder, for messages where no notebook is found in it."""
    preferred_name: str
    """The submission's name unless another has it, too."""
    students: tuple[Student, ...] = ()
    submitted_at: str = ""
    """In ISO 8601; without an offset where the system does not give one."""
    late: bool | None = None
    remarks: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionLayout:
    """One way in which courses arrange submissions."""

    name: str
    """Its name for `--layout`."""
    description: str
    """Its description for the person at the keyboard."""
    matches: Callable[[Listing], bool]
    """Tell whether a folder is arranged like this."""
    partly_matches: Callable[[Listing], bool]
    """Tell whether anything there is, which is enough where a person names the layout."""
    bundles: Callable[[Listing, LayoutContext], Iterator[Bundle]]
