"""Which secret seed a run asks with; one in a file, where it stood once, moves to the gradebook."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook import Gradebook, course_records

SEED_FILE = ".seed"
"""Where the seed of a folder stood before the gradebook kept it."""


def choose_seed(book: Gradebook, assignment: str, *, folder: Path, draw_new: bool) -> bytes:
    """The seed of an assignment, drawn where it has none; `another` draws one in its place."""
    if draw_new:
        chosen = course_records.replace_seed(book, assignment)
    else:
        offered = _read_seed_file(folder / SEED_FILE)
        chosen = course_records.ensure_seed(book, assignment, offered=offered)
    # Only now: until the book has it, the file is all there is.
    (folder / SEED_FILE).unlink(missing_ok=True)
    return chosen


def require_seed(book: Gradebook, assignment: str, *, folder: Path) -> bytes:
    """The seed that notebooks were asked with.

    Raises:
        UsageError: nothing in this folder was graded by that assignment.
    """
    stored = course_records.load_seed(book, assignment)
    if stored is None and _read_seed_file(folder / SEED_FILE) is None:
        raise UsageError(f"{folder}: nothing there was graded by the assignment {assignment!r}")
    return choose_seed(book, assignment, folder=folder, draw_new=False)


def _read_seed_file(path: Path) -> bytes | None:
    """The seed in a file, if there is one."""
    with suppress(OSError, ValueError):
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
        return secret if len(secret) == course_records.SEED_BYTES else None
    return None
