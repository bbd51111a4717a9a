"""Hides ids but for their last two characters, wherever a page for students would show them."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.model import Graded

HIDDEN = "\u2022\u2022\u2022"
"""Stands for what is hidden, however long that is."""
SHOWN = 2
"""Characters that stay, so that a student knows their own."""
_SHORTEST = 4
"""Characters of an id that is looked for in the name of a submission."""


def veiled_id(mark: str) -> str:
    """An id with all but its end hidden; a short one is hidden whole."""
    if not mark:
        return ""
    return HIDDEN + (mark[-SHOWN:] if len(mark) > SHOWN else "")


def veiled(graded: Graded) -> Graded:
    """The grade with its students' ids hidden, in the name of the submission, too."""
    name = graded.submission.name
    for one in graded.students:
        for mark in (m for m in (one.id, *one.lms.values()) if len(m) >= _SHORTEST):
            name = veiled_id(mark).join(re.split(re.escape(mark), name, flags=re.IGNORECASE))
    return replace(
        graded,
        submission=replace(graded.submission, name=name),
        students=tuple(replace(one, id=veiled_id(one.id)) for one in graded.students),
    )
