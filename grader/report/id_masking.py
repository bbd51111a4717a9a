"""Mask ids except for their last two characters on pages that students see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from grader.model import Graded, Submission

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
    """Mask the students' ids in a grade, and in the names of the submission and its files."""
    known_ids = [
        known_id
        for student in graded.students
        for known_id in (student.id, *student.lms.values())
        if len(known_id) >= _MIN_ID_LENGTH
    ]
    return replace(
        graded,
        submission=_mask_names(graded.submission, known_ids),
        students=tuple(replace(student, id=mask_id(student.id)) for student in graded.students),
    )


def _mask_names(submission: Submission, known_ids: Sequence[str]) -> Submission:
    name, display_path = submission.name, submission.display_path
    for known_id in known_ids:
        pattern = re.compile(re.escape(known_id), re.IGNORECASE)
        name = mask_id(known_id).join(pattern.split(name))
        display_path = mask_id(known_id).join(pattern.split(display_path))
    return replace(
        submission,
        name=name,
        display_path=display_path,
        parts={key: _mask_names(part, known_ids) for key, part in submission.parts.items()},
    )
