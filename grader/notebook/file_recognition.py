"""Recognizes files that are no attempt at the assignment: other notebooks, the handout itself.

Of 64 real notebooks of other courses none held more than 10 % of a handout's lines, mostly
imports and calls that any training loop has; of 140 submissions none held less than 75 %.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from grader.model import Answer, Item, Notebook
from grader.notebook.handout import foreign_code, handout_lines
from grader.notebook.markdown_words import visible_lines
from grader.notebook.prompt_search import find_anchors, stream_words
from grader.notebook.student_code import assigning_cells

_MIN_HANDOUT = 20
"""The fewest lines of a handout by which a notebook can be told from it."""
_MIN_SHARE = 0.25
_MIN_NAMES = 3
"""As many of the names that checks look for are no accident."""
_MIN_BLANKS = 3
_BLANK = re.compile(r"=(?:None|\.{3}|pass)?$")
"""Matches the end of a line of code, without spaces and comment, that is still to be filled."""


def looks_foreign(
    notebook: Notebook, *, items: Sequence[Item], handout: frozenset[str], names: Collection[str]
) -> bool:
    """Return whether a notebook has none of the questions and next to none of the code.

    Args:
        notebook: The submitted notebook.
        items: All items, with their prompts.
        handout: The lines that `handout_lines` returns for the reference.
        names: The names in the student's code that checks are about.
    """
    prompts = {item.id: item.prompt for item in items if item.prompt}
    if len(handout) < _MIN_HANDOUT or not prompts:
        return False
    if len(handout_lines(notebook) & handout) >= _MIN_SHARE * len(handout):
        return False
    if sum(bool(assigning_cells(notebook, name)) for name in names) >= _MIN_NAMES:
        return False
    text_cells = (cell for cell in notebook.cells if cell.kind != "code")
    lines = [line for cell in text_cells for line in visible_lines(cell.source)]
    return not find_anchors(stream_words(lines), prompts=prompts)


def count_open_blanks(
    notebook: Notebook, *, answers: Mapping[str, Answer], handout: frozenset[str]
) -> int:
    """Return how many blanks of an untouched handout are open; 0 where it is none.

    It is untouched where nothing is answered, and all code is the handout's but for the blanks.
    """
    if any(answer.text or answer.images for answer in answers.values()):
        return 0
    lines = foreign_code(notebook, handout=handout)
    return len(lines) if len(lines) >= _MIN_BLANKS and all(map(_BLANK.search, lines)) else 0
