"""What can be seen in a notebook before it is known whether it is the one to grade."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from grader.errors import NotebookError
from grader.notebook import measure_overlap, phrases, read, students
from grader.submissions import Look

KEPT = 64
"""Notebooks whose reading is kept: those of one folder are looked at more than once."""


def look_by(reference: Path) -> Look:
    """Tell notebooks by a solved one, which is read only if there is something to tell."""

    @lru_cache(maxsize=1)
    def handout() -> frozenset[tuple[str, ...]]:
        return phrases(read(reference))

    @lru_cache(maxsize=KEPT)
    def seen(path: Path) -> tuple[tuple[float, int] | None, frozenset[str]]:
        try:
            notebook = read(path)
        except NotebookError:
            return None, frozenset()
        some = phrases(notebook)
        names = (word for who in students(notebook) for word in (who.id, who.name) if word)
        alike = (measure_overlap(some, handout=handout()), len(some))
        return alike, frozenset(word.casefold() for word in names)

    return Look(alike=lambda path: seen(path)[0], whose=lambda path: seen(path)[1])
