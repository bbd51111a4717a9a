"""The words of the house: frozen records that pass between rooms, and nothing that acts."""

from grader.model.concluded import (
    Excerpt,
    Exhibit,
    Finding,
    Graded,
    ItemScore,
    Mark,
    Provenance,
    Score,
    Stage,
    Tally,
    Verdict,
)
from grader.model.handed_in import Answer, Cell, Notebook, Picture, SavedOutput, Student, Submission
from grader.model.plain import Array, Json, Numbers
from grader.model.running import (
    CellError,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Observation,
    Question,
    Trace,
)
from grader.model.worth import CheckSpec, Criterion, Item, Limits, Rubric

__all__ = [
    "Answer",
    "Array",
    "Cell",
    "CellError",
    "CellRun",
    "CellStatus",
    "CheckSpec",
    "Criterion",
    "Excerpt",
    "ExecutionRecord",
    "Exhibit",
    "Finding",
    "Graded",
    "Item",
    "ItemScore",
    "Json",
    "Limits",
    "Mark",
    "Notebook",
    "Numbers",
    "Observation",
    "Picture",
    "Provenance",
    "Question",
    "Rubric",
    "SavedOutput",
    "Score",
    "Stage",
    "Student",
    "Submission",
    "Tally",
    "Trace",
    "Verdict",
]
