"""What was handed in: submissions, notebooks, cells, answers, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """One member of a team, as a notebook, a folder or a roster names them; words may be empty."""

    name: str
    id: str
    email: str = ""
    section: str = ""
    lms: Mapping[str, str] = field(default_factory=dict)
    """Ids in learning management systems, by the system: 'canvas', 'moodle', 'gradescope' …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A file that was handed in."""

    name: str
    """The safe, unique name that reports and rows go by."""
    path: Path
    shown: str
    """The path below the folder that was given, as the instructor knows it."""
    attachments: tuple[Path, ...] = ()
    """Files of the same name handed in beside it, such as a PDF."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """What is there when it runs, by the path below the notebook's folder: 'data.csv'."""
    students: tuple[Student, ...] = ()
    """Whose it is, as the folder or its metadata says."""
    at: str = ""
    """When it was handed in, in ISO 8601; without an offset it is the assignment's time zone."""
    late: bool | None = None
    """Whether the learning management system calls it late; None where it says nothing."""
    problem: str = ""
    """Why there is no notebook to grade: the submission is a row that says so."""
    remarks: tuple[str, ...] = ()
    """What was chosen or noticed while it was found, in words for staff."""
    doubts: tuple[str, ...] = ()
    """The same where a person should look whether it was right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedOutput:
    """One output that was saved in the submitted file."""

    text: str
    """Streams and text/plain, concatenated; empty for pictures."""
    mimes: tuple[str, ...]
    """The media types it holds, such as image/png; empty for streams."""
    html_has_figure: bool = False
    """Whether its text/html draws a figure (an img, svg, canvas or plotting script)."""
    error: str = ""
    """The error that was saved in its place: 'NameError: name 'x' is not defined'."""


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
    """The number that the file gives its last run, as in `In [7]`; None where it has none."""
    ids: tuple[str, ...] = ()
    """Ids that programs keep when a notebook is copied: 'id:…', 'colab:…', 'nbgrader:…'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture a student attached: a scan of a handwritten answer, say."""

    mime: str
    base64: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """A notebook as it was read; nothing of it has run."""

    cells: tuple[Cell, ...]
    sha256: str
    notes: tuple[str, ...] = ()
    """What had to be mended to read it, in words for the report."""

    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a student wrote to one written item."""

    item: str
    text: str
    """Markdown; empty when nothing was found."""
    cells: tuple[int, ...] = ()
    images: tuple[Picture, ...] = ()
    confidence: float = 1.0
    """From 0 to 1: how sure it is that this is the answer, and all of it."""
    doubt: str = ""
    """Why that is not sure, as a clause; empty where it is."""
    located_by_person: bool = False
    """Whether a person has told which cells it is in."""
