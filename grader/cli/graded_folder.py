"""Loads the rubric of a folder that `grade` wrote, and updates its pages after marking."""

from __future__ import annotations

from pathlib import Path

from grader import checks, rubric
from grader.errors import GraderError
from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import Gradebook
from grader.model import Rubric
from grader.report.text_format import format_count


def load_rubric_for_folder(folder: Path, *, assignment: str | None) -> Rubric:
    """Return the rubric of that id, or the one that the folder's gradebook was graded by.

    Raises:
        UsageError: There is no gradebook.
        RubricError: There is no such rubric here, or it can't be read.
    """
    with OutputFolder.open_existing(folder).open_gradebook() as book:
        return load_rubric_for_gradebook(book, assignment=assignment)


def load_rubric_for_gradebook(book: Gradebook, *, assignment: str | None) -> Rubric:
    """Return the rubric of that id, or the one that the gradebook was graded by.

    Raises:
        RubricError: There is no such rubric here, or it can't be read.
    """
    assignment_id = assignment or book.main_assignment() or None
    path = rubric.find_rubric(Path.cwd(), assignment=assignment_id)
    return rubric.load_rubric(path, catalog=checks.load_checks)


def refresh_after_marking(book: Gradebook, *, out: Path, assignment: str | None) -> str:
    """Make reports, class page and CSV show the current marks; return a sentence about it."""
    try:
        loaded_rubric = load_rubric_for_gradebook(book, assignment=assignment)
    except GraderError as error:
        return f"marks are kept; pages show them after the next `grade` or `grade again` ({error})"
    stale = book.stale_submissions()
    ClassPublisher(OutputFolder(out), book=book, rubric=loaded_rubric).publish()
    reports = format_count(len(stale), singular="report")
    return f"{reports} and the class page updated"
