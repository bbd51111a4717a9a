"""Runs the corpus of fidelity at a level of isolation, and plainly as Jupyter would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import tiny_course
from fidelity_corpus import BEFORE, FIDELITY_RUBRIC, OTHERS, named
from levels import Level, options

from grader import gradebook
from grader.errors import IsolationError
from grader.model import CellStatus, Graded


@dataclass(frozen=True, slots=True)
class GradedOdd:
    """What a notebook of the corpus came to at one level."""

    points: float
    waiting: float
    failing: tuple[int, ...]
    """Cells that did not run to their end."""
    read: tuple[str, ...]
    """Notes and errors of cells, as the student reads them."""


def grade_corpus(root: Path, level: Level) -> dict[str, GradedOdd]:
    """Grade the whole corpus as one class by the real command."""
    course = tiny_course.made(root)
    rubric = FIDELITY_RUBRIC.format(vectors=2, noise=2, low=0.1)
    (root / "rubrics" / "tiny.toml").write_text(rubric, encoding="utf-8")
    reference = json.dumps(tiny_course.notebook(*BEFORE, *OTHERS))
    (root / "reference" / "tiny.ipynb").write_text(reference, encoding="utf-8")
    for name, entry in named().items():
        course.hand_in(name, *entry.notebook())
    code, printed = course.grade(*options(level))
    if code > 1:
        raise IsolationError(f"level {level} cannot be forced here: {printed[-300:]}")
    with gradebook.open_gradebook(course.out / "gradebook.db") as book:
        return {graded.submission.name: _came_to(graded) for graded in book.all_graded()}


def _came_to(graded: Graded) -> GradedOdd:
    assert graded.score is not None, graded.reason
    cells = graded.record.cells
    read = [text for run in cells for text in run.notes]
    read += [f"{run.error.name}: {run.error.message}" for run in cells if run.error]
    return GradedOdd(
        points=float(graded.score.total.earned),
        waiting=float(graded.score.total.pending),
        failing=tuple(run.index for run in cells if run.status is not CellStatus.RAN),
        read=tuple(read),
    )
