"""What happened when it ran, what was asked of it, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from grader.model.faults import Fault
from grader.model.json_types import Array, Json
from grader.model.submission import Notebook


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
    """What was neutralized in it: '!pip install …' and the like."""
    shown: str = ""
    """What it printed and showed as text, the middle of a long one left out; not in a grade."""
    media: tuple[str, ...] = ()
    """The media type of each thing it showed that is no text: 'image/png'; not in a grade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What kept a notebook from the computer it ran on."""

    level: str
    """'full', 'namespaces', 'reduced' or 'none'."""
    description: str
    """The same as a sentence, with what it was made of."""


NOT_RUN = Isolation(level="none", description="nothing was run")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """What happened to each code cell of one notebook."""

    cells: tuple[CellRun, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    """Python and packages on the notebook's side of the wall."""
    notes: tuple[str, ...] = ()
    isolation: Isolation = NOT_RUN
    heard: bool = False
    """Whether what its cells showed was kept: records of earlier versions have nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to ask a live notebook: plain data, answered by plain data."""

    id: str
    kind: str
    """'arrays', 'recording', 'forward' or 'function': see `grader/inside/questions.py`."""
    params: Mapping[str, Json] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What came back for one question; untrusted, shape and meaning unchecked."""

    id: str
    status: str
    """How it went:

    'ok'; 'raised': the student's code raised; 'missing': the notebook has nothing of the kind;
    'timed_out' and 'died': the process that was asked did not answer; 'invalid': the answer was
    refused, see `data["refused"]`; 'not_asked': the asking had ended before, or was never begun.
    """
    data: Mapping[str, Json] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All that a run left behind: enough to judge it again without a kernel."""

    notebook: Notebook
    record: ExecutionRecord
    observations: Mapping[str, Observation]
    expected: Mapping[str, Observation]
    """The reference's answers to counter-questions."""
    faults: tuple[Fault, ...] = ()
    """Exceptions of the grader's own while this was judged; for staff only."""
