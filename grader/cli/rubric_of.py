"""Finds the rubric that a folder was graded by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.model import Rubric


def load_rubric_for_folder(folder: Path, *, assignment: str | None) -> Rubric:
    """The rubric of that id, else the one that the folder's gradebook names.

    Raises:
        UsageError: there is no gradebook.
        RubricError: the rubric is not there, or not as it must be.
    """
    from grader import checks, rubric
    from grader.cli.graded_folder import open_folder_gradebook

    with open_folder_gradebook(folder) as book:
        assignment_id = assignment or book.main_assignment() or None
    return rubric.load_rubric(
        rubric.find_rubric(Path.cwd(), assignment=assignment_id), catalog=checks.load_checks
    )
