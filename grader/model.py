"""The words of the house: frozen records that pass between rooms, and nothing that acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Numbers = NDArray[np.float64]
else:
    Array = Numbers = Any

Json = Any
"""A value that JSON can hold."""

# ---------------------------------------------------------------- what was handed in


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """One member of a team, as the notebook names them; either word may be empty."""

    name: str
    id: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedOutput:
    """One output that was saved in the submitted file."""

    text: str
    """Streams and text/plain, concatenated; empty for pictures."""
    mimes: tuple[str, ...]
    """The media types it holds, such as image/png; empty for streams."""
    html_has_figure: bool = False
    """Whether its text/html draws a figure (an img, svg, canvas or plotting script)."""


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

    def code(self) -> tuple[Cell, ...]:
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


# ---------------------------------------------------------------- what happened when it ran


class CellStatus(StrEnum):
    """What became of a code cell."""

    RAN = "ran"
    RAISED = "raised"
    TIMED_OUT = "timed_out"
    STRUCK_OUT = "struck_out"
    NOT_REACHED = "not_reached"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellError:
    """How a cell ended badly, scrubbed of paths and addresses."""

    name: str
    message: str
    line: int | None = None
    """Line of the cell, from 1, where it was raised."""
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRun:
    """What happened to one code cell."""

    index: int
    status: CellStatus
    seconds: float = 0.0
    error: CellError | None = None
    notes: tuple[str, ...] = ()
    """What was neutralised in it: '!pip install …' and the like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """What happened to each code cell of one notebook."""

    cells: tuple[CellRun, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    """Python and packages on the notebook's side of the wall."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to ask a live notebook: plain data, answered by plain data."""

    id: str
    kind: str
    """'arrays', 'recording', 'forward' or 'function': see `grader/inside/probe.py`."""
    params: Mapping[str, Json] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What came back for one question; untrusted, shape and meaning unchecked."""

    id: str
    status: str
    """'ok'; 'raised' (their code); 'missing' (nothing to ask); 'timed_out'; 'died'; 'invalid'."""
    data: Mapping[str, Json] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    error: str = ""


# ---------------------------------------------------------------- what is worth how much


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """A check as a rubric calls it."""

    code: str
    points: Fraction
    public: bool
    """Whether students can run it before they hand in."""
    needs: tuple[str, ...]
    """Item ids or check codes without which it cannot be judged."""
    params: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A reason to give or take points on a written answer."""

    id: str
    text: str
    points: Fraction
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the rubric."""

    id: str
    title: str
    points: Fraction
    kind: str
    """'auto' or 'written'."""
    source: str
    """Who asks for it: 'handout' or 'course'."""
    prompt: str = ""
    good_answer: str = ""
    why: str = ""
    """Why a course item exists, for students."""
    checks: tuple[CheckSpec, ...] = ()
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how large a notebook may be."""

    cell_s: float = 60.0
    submission_s: float = 300.0
    question_s: float = 10.0
    memory_mb: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """An assignment: what is asked, what is worth how much, and how it is checked."""

    id: str
    title: str
    total: Fraction
    reference: Path
    """The solved notebook, graded by the same road as a student's."""
    seed: int
    """Public: what `random`, NumPy and torch are seeded with before the first cell."""
    optional_imports: tuple[str, ...]
    record: tuple[str, ...]
    """Functions whose calls are recorded where notebooks define them."""
    limits: Limits
    items: tuple[Item, ...]
    path: Path
    sha256: str

    def item(self, item_id: str) -> Item:
        """The item of that id."""
        return next(item for item in self.items if item.id == item_id)


# ---------------------------------------------------------------- what was concluded


class Verdict(StrEnum):
    """A conclusion; ERROR is ours and costs the student nothing."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    BLOCKED = "blocked"
    PENDING = "pending"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Vectors of labelled things at one moment: a row a label."""

    name: str
    vectors: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """Embeddings a report can redraw: the same labelled things at several moments."""

    title: str
    labels: tuple[str, ...]
    stages: tuple[Stage, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A check's conclusion on one submission, in the student's words."""

    item: str
    code: str
    title: str
    verdict: Verdict
    earned: Fraction
    possible: Fraction
    public: bool
    expected: str
    found: str
    hint: str = ""
    blocked_by: str = ""
    """The item or cell that failed before this could be judged."""
    cells: tuple[int, ...] = ()
    """The cells it is about."""
    exhibit: Exhibit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a person gave a written answer."""

    points: Fraction
    by: str
    at: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScore:
    """One item of one submission; earned is None while a person is still needed."""

    item: Item
    verdict: Verdict
    earned: Fraction | None
    blocked: Fraction
    findings: tuple[Finding, ...] = ()
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Points kept apart: nothing pending is ever counted as lost."""

    auto: Fraction
    marked: Fraction
    pending: Fraction
    blocked: Fraction
    possible: Fraction

    @property
    def earned(self) -> Fraction:
        """Automatic and marked points so far."""
        return self.auto + self.marked

    @property
    def final(self) -> Fraction | None:
        """The sum, or None while anything is pending."""
        return self.earned if self.pending == 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Points for the items of one submission."""

    total: Tally
    by_source: Mapping[str, Tally]
    items: tuple[ItemScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A piece of the student's own code, and the cell it stands in."""

    cell: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a grade was made from, so that it can be made again; no path and no secret."""

    notebook: str
    rubric: str
    reference: str
    grader: str
    versions: Mapping[str, str]
    """Python and packages of the notebook's process."""
    time: str
    seed_commitment: str
    """SHA-256 over the assignment's secret seed, never the seed."""
    isolation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One submission, graded as far as a machine can."""

    submission: Submission
    students: tuple[Student, ...]
    reason: str | None
    """Why it could not be graded, or None."""
    score: Score | None
    record: ExecutionRecord
    answers: Mapping[str, Answer] = field(default_factory=dict)
    code: Mapping[str, tuple[Excerpt, ...]] = field(default_factory=dict)
    """The student's own code for each item."""
    flags: tuple[str, ...] = ()
    """What asks for a person, for staff only."""
    notes: tuple[str, ...] = ()
    """What the team should know that costs nothing."""
    provenance: Provenance | None = None

    @property
    def status(self) -> str:
        """'graded', 'needs_marks' or 'ungradable'."""
        if self.score is None:
            return "ungradable"
        return "graded" if self.score.total.final is not None else "needs_marks"
