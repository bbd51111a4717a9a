"""Defines submissions: students, files, notebooks, cells and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """One member of a team, as a notebook, a folder or a roster names them; fields may be empty."""

    name: str
    """First name first."""
    id: str
    """The university's."""
    email: str = ""
    section: str = ""
    lms: Mapping[str, str] = field(default_factory=dict)
    """Ids in learning management systems, by system: 'canvas', 'moodle', 'gradescope' …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A notebook that was submitted, with the files beside it."""

    name: str
    """The safe, unique name of its reports and rows."""
    path: Path
    display_path: str
    """The path below the folder of submissions."""
    attachments: tuple[Path, ...] = ()
    """Files of the same name submitted beside it, such as a PDF."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Files beside it when it runs, by path below its folder, such as 'data.csv'."""
    students: tuple[Student, ...] = ()
    """The students that the folder or its metadata names."""
    submitted_at: str = ""
    """When it was submitted, in ISO 8601; without an offset in the assignment's time zone."""
    late: bool | None = None
    """Whether the learning management system calls it late; None where it doesn't say."""
    problem: str = ""
    """Why there is no notebook to grade; '' if there is one."""
    remarks: tuple[str, ...] = ()
    """Sentences for staff about choices that were made while it was collected."""
    concerns: tuple[str, ...] = ()
    """Sentences about choices that a person should verify."""
    parts: Mapping[str, Submission] = field(default_factory=dict)
    """Of an assignment of several notebooks, those that were handed in, by the notebook's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedOutput:
    """One output that was saved in the submitted file."""

    text: str
    """Streams, text/plain, or what a reader sees in its place; empty for pictures."""
    mimes: tuple[str, ...]
    """The media types it holds, such as image/png; empty for streams."""
    html_has_figure: bool = False
    """Whether its HTML or Markdown draws a figure (an img, svg, canvas or plotting script)."""
    error: str = ""
    """The saved error: 'NameError: name 'x' is not defined'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the submitted notebook; index counts all cells from 0."""

    index: int
    kind: str
    """'code', 'markdown' or 'raw'."""
    source: str
    tags: tuple[str, ...] = ()
    outputs: tuple[SavedOutput, ...] = ()
    images: tuple[Picture, ...] = ()
    """Pictures attached to a markdown cell (png, jpeg or gif only)."""
    count: int | None = None
    """The saved execution count, as in `In [7]`, or None."""
    ids: tuple[str, ...] = ()
    """Ids that programs keep when a notebook is copied: 'id:…', 'colab:…', 'nbgrader:…'; 'otter:…'
    of each question of otter's that is checked after the cell."""
    is_locked: bool = False
    """Whether nbgrader's metadata say that nobody is to change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture a student attached: a scan of a handwritten answer, say."""

    mime: str
    base64: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookPart:
    """One of several notebooks whose cells were joined."""

    id: str
    """The notebook's id in the rubric."""
    file: str
    """The name of its file."""
    first: int
    """Index of its first cell among all."""
    count: int
    """Number of its cells."""
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """A notebook as it was read, before it runs."""

    cells: tuple[Cell, ...]
    sha256: str
    notes: tuple[str, ...] = ()
    """Sentences for the report about repairs that reading it took."""
    parts: tuple[NotebookPart, ...] = ()
    """Where the cells of several notebooks are joined, those notebooks, in order."""
    without_figures: bool = False
    """Whether figures that code drew were left out, since no answer was code when it was read."""

    def code_cells(self) -> tuple[Cell, ...]:
        """Return the code cells in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A cell of the student's, or a part of it, shown beside an item."""

    cell: int
    source: str
    how: str = ""
    """How code was matched to the item; empty if by names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A student's answer to one written item."""

    item: str
    text: str
    """Markdown; empty where there is no answer."""
    cells: tuple[int, ...] = ()
    images: tuple[Picture, ...] = ()
    confidence: float = 1.0
    """From 0 to 1: how certain it is that this is the whole answer."""
    concern: str = ""
    """Why that is uncertain, as a clause; empty where it is certain."""
    located_by_person: bool = False
    """Whether a person located its cells."""
    unclaimed: tuple[Excerpt, ...] = ()
    """Where no answer was found, text of the notebook that was taken for none."""
    unanswered: str = ""
    """Why there is certainly no answer, as a clause, so that it earns 0 before anybody marks it."""

    @property
    def is_missing(self) -> bool:
        """Whether nothing written or drawn was found."""
        return not self.text.strip() and not self.images
