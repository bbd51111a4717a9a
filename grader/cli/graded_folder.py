"""Opens the gradebook of a folder that `grade` wrote, and makes its pages current after marking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader import checks, gradebook, rubric
from grader.errors import GraderError
from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import Gradebook
from grader.model import Rubric
from grader.report.text_format import format_count


@contextmanager
def open_folder_gradebook(out: Path) -> Iterator[Gradebook]:
    """The gradebook of a folder.

    Raises:
        UsageError: there is none.
    """
    if not OutputFolder.is_output_folder(out):
        raise gradebook.missing_gradebook(out)
    with gradebook.open_gradebook(OutputFolder(out).store) as book:
        yield book


def load_rubric_for_gradebook(book: Gradebook, *, assignment: str | None) -> Rubric:
    """The rubric that a book was graded by, or the one that is asked for.

    Raises:
        RubricError: there is none here, or it is not as it must be.
    """
    rubric_path = rubric.find_rubric(
        Path.cwd(), assignment=assignment or book.main_assignment() or None
    )
    return rubric.load_rubric(rubric_path, catalog=checks.load_checks)


def refresh_after_marking(book: Gradebook, *, out: Path, assignment: str | None) -> str:
    """Make reports, class page and CSV show the marks there are; a sentence on what was done."""
    try:
        loaded_rubric = load_rubric_for_gradebook(book, assignment=assignment)
    except GraderError as error:
        return f"marks are kept; pages show them after the next `grade` or `grade again` ({error})"
    stale = book.stale_submissions()
    ClassPublisher(OutputFolder(out), book=book, rubric=loaded_rubric).publish()
    return f"{format_count(len(stale), singular='report', plural='reports')} and the class page made anew"
