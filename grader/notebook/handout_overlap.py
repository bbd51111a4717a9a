"""Measures how much of the handout a notebook holds, to choose the homework among several."""

from __future__ import annotations

import re
from itertools import islice

from grader.model import Notebook

MAX_WORDS = 100_000
"""The most words of a notebook that are compared."""
PHRASE_WORDS = 3
"""The number of words of a phrase; single words stand in any text."""
_WORD = re.compile(r"\w{1,40}")


def phrases(notebook: Notebook) -> frozenset[tuple[str, ...]]:
    """Return all runs of three words, in text and code, without cells tagged `grader-only`."""
    cells = (cell.source for cell in notebook.cells if "grader-only" not in cell.tags)
    words = (match.group().lower() for source in cells for match in _WORD.finditer(source))
    compared = list(islice(words, MAX_WORDS))
    return frozenset(zip(*(compared[offset:] for offset in range(PHRASE_WORDS)), strict=False))


def measure_overlap(
    notebook_phrases: frozenset[tuple[str, ...]], *, handout: frozenset[tuple[str, ...]]
) -> float:
    """Return the share of a handout's phrases that a notebook holds, from 0 to 1."""
    return len(notebook_phrases & handout) / len(handout) if handout else 0.0
