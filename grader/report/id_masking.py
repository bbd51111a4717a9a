"""Mask ids except for their last two characters on pages that students see."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.model import Graded

MASK = "\u2022\u2022\u2022"
"""Stands for what is hidden, however long that is."""
VISIBLE_CHARACTERS = 2
"""Characters that stay, so that a student knows their own."""
_MIN_ID_LENGTH = 4
"""Characters of an id that is looked for in the name of a submission."""


def mask_id(student_id: str) -> str:
    """Mask all but the end of an id, or all of a short one."""
    if not student_id:
        return ""
    return MASK + (student_id[-VISIBLE_CHARACTERS:] if len(student_id) > VISIBLE_CHARACTERS else "")


def mask_ids(graded: Graded) -> Graded:
    """Mask the students' ids in a grade, and in the name of the submission."""
    name = graded.submission.name
    for student in graded.students:
        for student_id in (
            known_id
            for known_id in (student.id, *student.lms.values())
            if len(known_id) >= _MIN_ID_LENGTH
        ):
            name = mask_id(student_id).join(
                re.split(re.escape(student_id), name, flags=re.IGNORECASE)
            )
    return replace(
        graded,
        submission=replace(graded.submission, name=name),
        students=tuple(replace(student, id=mask_id(student.id)) for student in graded.students),
    )
