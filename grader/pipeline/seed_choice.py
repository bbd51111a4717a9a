"""Which secret seed a run asks with; one in a file, where it stood once, moves to the gradebook."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook import Gradebook, seeds

FILE = ".seed"
"""Where the seed of a folder stood before the gradebook kept it."""


def seed(book: Gradebook, assignment: str, *, folder: Path, another: bool) -> bytes:
    """The seed of an assignment, drawn where it has none; `another` draws one in its place."""
    if another:
        found = seeds.another(book, assignment)
    else:
        found = seeds.first(book, assignment, offered=_from_file(folder / FILE))
    # Only now: until the book has it, the file is all there is.
    (folder / FILE).unlink(missing_ok=True)
    return found


def seed_again(book: Gradebook, assignment: str, *, folder: Path) -> bytes:
    """The seed that notebooks were asked with.

    Raises:
        UsageError: nothing in this folder was graded by that assignment.
    """
    if seeds.kept(book, assignment) is None and _from_file(folder / FILE) is None:
        raise UsageError(f"{folder}: nothing there was graded by the assignment {assignment!r}")
    return seed(book, assignment, folder=folder, another=False)


def _from_file(place: Path) -> bytes | None:
    """The seed in a file, if there is one."""
    with suppress(OSError, ValueError):
        told = bytes.fromhex(place.read_text(encoding="ascii"))
        return told if len(told) == seeds.BYTES else None
    return None
