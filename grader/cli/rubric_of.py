"""Finds the rubric that a folder was graded by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.model import Rubric


def rubric_of(folder: Path, *, assignment: str | None) -> Rubric:
    """The rubric of that id, else the one that the folder's gradebook names.

    Raises:
        UsageError: there is no gradebook.
        RubricError: the rubric is not there, or not as it must be.
    """
    from grader import checks, rubric
    from grader.cli.graded_folder import opened

    with opened(folder) as book:
        of = assignment or book.assignment() or None
    return rubric.load(rubric.find(Path.cwd(), assignment=of), catalogue=checks.catalogue())
