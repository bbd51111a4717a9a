"""What can be seen in a notebook before it is known whether it is the one to grade."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from grader.errors import NotebookError
from grader.notebook import find_students, measure_overlap, phrases, read_notebook
from grader.submissions import NotebookPreview

MAX_CACHED = 64
"""Notebooks whose reading is kept: those of one folder are looked at more than once."""


def make_preview(reference: Path) -> NotebookPreview:
    """Tell notebooks by a solved one, which is read only if there is something to tell."""

    @lru_cache(maxsize=1)
    def handout_phrases() -> frozenset[tuple[str, ...]]:
        return phrases(read_notebook(reference))

    @lru_cache(maxsize=MAX_CACHED)
    def preview(path: Path) -> tuple[tuple[float, int] | None, frozenset[str]]:
        try:
            notebook = read_notebook(path)
        except NotebookError:
            return None, frozenset()
        notebook_phrases = phrases(notebook)
        names = (
            word
            for student in find_students(notebook)
            for word in (student.id, student.name)
            if word
        )
        overlap = (
            measure_overlap(notebook_phrases, handout=handout_phrases()),
            len(notebook_phrases),
        )
        return overlap, frozenset(word.casefold() for word in names)

    return NotebookPreview(
        handout_overlap=lambda path: preview(path)[0], named_students=lambda path: preview(path)[1]
    )
