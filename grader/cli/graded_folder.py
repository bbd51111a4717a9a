"""Opens the gradebook of a folder that `grade` wrote, and makes its pages current after marking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader import checks, gradebook, rubric
from grader.errors import GraderError, UsageError
from grader.folder import Folder, catch_up, refresh_class
from grader.gradebook import Gradebook
from grader.model import Rubric
from grader.report.text_format import counted


@contextmanager
def opened(out: Path) -> Iterator[Gradebook]:
    """The gradebook of a folder.

    Raises:
        UsageError: there is none.
    """
    if not Folder.is_one(out):
        raise UsageError(f"{out}: no gradebook there; `grade PATH` makes one")
    with gradebook.opened(Folder(out).store) as book:
        yield book


def rubric_of(book: Gradebook, *, assignment: str | None) -> Rubric:
    """The rubric that a book was graded by, or the one that is asked for.

    Raises:
        RubricError: there is none here, or it is not as it must be.
    """
    found = rubric.find(Path.cwd(), assignment=assignment or book.assignment() or None)
    return rubric.load(found, catalogue=checks.catalogue())


def refreshed(book: Gradebook, *, out: Path, assignment: str | None) -> str:
    """Make reports, class page and CSV show the marks there are; a sentence on what was done."""
    try:
        loaded = rubric_of(book, assignment=assignment)
    except GraderError as error:
        return f"marks are kept; pages show them after the next `grade` or `grade again` ({error})"
    folder = Folder(out)
    names = catch_up(folder, book, loaded)
    refresh_class(folder, book, loaded)
    return f"{counted(len(names), one='report', many='reports')} and the class page made anew"
