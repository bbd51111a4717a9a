"""Defines the results of running a notebook: its cells' outcomes, questions and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from grader.model.faults import Fault
from grader.model.json_types import Array, Json
from grader.model.submission import Notebook


class CellStatus(StrEnum):
    """The outcome of a code cell."""

    RAN = "ran"
    RAISED = "raised"
    TIMED_OUT = "timed_out"
    STRUCK_OUT = "struck_out"
    NOT_REACHED = "not_reached"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellError:
    """The error of a cell, without paths and addresses."""

    name: str
    message: str
    line: int | None = None
    """Line of the cell where it was raised, from 1; None where that is unknown."""
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRun:
    """The run of one code cell."""

    index: int
    status: CellStatus
    seconds: float = 0.0
    error: CellError | None = None
    notes: tuple[str, ...] = ()
    """Lines that were not run, such as '!pip install …'."""
    shown: str = ""
    """Text output, without the middle of a long one; not in a grade."""
    media: tuple[str, ...] = ()
    """The media types of its other outputs, such as 'image/png'; not in a grade."""
    number: int = 0
    """What Jupyter shows as `In [number]` after all cells ran in order, in a grade; 0 if empty."""
    first_line: str = ""
    """The first line of its code that is not blank, in a grade."""
    notebook: str = ""
    """In a grade of several notebooks, the one that it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """The isolation of a notebook from the computer it ran on."""

    level: str
    """'full', 'namespaces', 'reduced' or 'none'."""
    description: str
    """The level as a sentence, with the means used."""


NOT_RUN = Isolation(level="none", description="nothing was run")


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingModule:
    """A module that a notebook imports, and that was not there when it ran."""

    name: str
    known: bool = False
    """Whether it is a package's or Python's own: our lack; else a file or a typing error."""
    package: str = ""
    """What to install for it; '' where nothing brings it."""
    broken: bool = False
    """Whether it is installed and can't be imported."""
    fetched: bool = False
    """Whether nobody knows it, and the notebook fetches it from the network."""
    imported: bool = True
    """Whether the notebook's own code imports it; else a library did."""
    used: bool = False
    """Whether more of it was needed than its import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """The runs of all code cells of one notebook."""

    cells: tuple[CellRun, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    """Python and packages on the notebook's side of the wall."""
    notes: tuple[str, ...] = ()
    isolation: Isolation = NOT_RUN
    heard: bool = False
    """Whether outputs of its cells were kept: records of earlier versions have none."""
    missing: tuple[MissingModule, ...] = ()
    """Modules that were not there; what needs them is blocked, by our lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to a live notebook: plain data, answered by plain data."""

    id: str
    kind: str
    """'arrays', 'recording', 'forward' or 'function': see `grader/inside/questions.py`."""
    params: Mapping[str, Json] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The answer to one question; untrusted, its shape and meaning unchecked."""

    id: str
    status: str
    """The outcome of asking:

    'ok'; 'raised': the student's code raised; 'missing': the notebook has nothing of that kind;
    'timed_out' and 'died': the process that was asked did not answer; 'invalid': the answer was
    refused, see `data["refused"]`; 'not_asked': the batch ended before the question's turn.
    """
    data: Mapping[str, Json] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All results of a run: enough to judge it again without a kernel."""

    notebook: Notebook
    record: ExecutionRecord
    observations: Mapping[str, Observation]
    expected: Mapping[str, Observation]
    """The reference's answers to counter-questions."""
    faults: tuple[Fault, ...] = ()
    """Exceptions in the grader while this was judged; for staff only."""
