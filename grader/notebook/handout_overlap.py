"""How much of one notebook stands in another: which of several is the homework."""

from __future__ import annotations

import re
from itertools import islice

from grader.model import Notebook

MAX_WORDS = 100_000
"""Words of a notebook that are looked at."""
PHRASE_WORDS = 3
"""Words in a row that are compared: single ones stand in any text."""
_WORD = re.compile(r"\w{1,40}")


def phrases(notebook: Notebook) -> frozenset[tuple[str, ...]]:
    """All runs of three words, in text and code; a cell that only graders see is left out."""
    cells = (cell.source for cell in notebook.cells if "grader-only" not in cell.tags)
    words = (match.group().lower() for source in cells for match in _WORD.finditer(source))
    compared = list(islice(words, MAX_WORDS))
    return frozenset(zip(*(compared[offset:] for offset in range(PHRASE_WORDS)), strict=False))


def measure_overlap(
    notebook_phrases: frozenset[tuple[str, ...]], *, handout: frozenset[tuple[str, ...]]
) -> float:
    """The part of a handout that stands in a notebook, from 0 to 1."""
    return len(notebook_phrases & handout) / len(handout) if handout else 0.0
