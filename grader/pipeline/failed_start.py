"""Removes the output folder of a first run that fails or is stopped before it graded anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader import fault_log
from grader.errors import GraderError
from grader.folder import OutputFolder
from grader.gradebook import open_gradebook
from grader.gradebook.run_claim import claim_run

SUBFOLDERS = ("reports", "results")


@contextmanager
def remove_if_nothing_graded(out: Path) -> Iterator[None]:
    """Leave no folder behind where the block raises, unless there was one or it holds a grade.

    A mistyped option of a first run would otherwise leave a folder that looks like a graded class.
    """
    missing = [path for path in (out, *out.parents) if not path.exists()]
    is_new = bool(missing) or (out.is_dir() and not any(out.iterdir()))
    try:
        yield
    except BaseException:
        if is_new and out.is_dir() and not _holds_anything(out):
            _remove(out, folders=missing)
        raise


def _holds_anything(out: Path) -> bool:
    """Return whether there is a grade or a log, or another run is at work."""
    if (out / fault_log.LOG_NAME).exists():
        return True
    if any(any((out / name).iterdir()) for name in SUBFOLDERS if (out / name).is_dir()):
        return True
    file = out / OutputFolder.DATABASE_FILE
    if not file.exists():
        return False
    try:
        with open_gradebook(file) as book, claim_run(book):
            return bool(book.cache_keys())  # there is no mark without a grade
    except GraderError:
        return True


def _remove(out: Path, *, folders: list[Path]) -> None:
    """Remove what a run makes before it grades, and folders in which nothing else is."""
    names = (".gitignore", OutputFolder.ADDRESS_FILE, OutputFolder.DATABASE_FILE)
    for path in (*(out / name for name in names), *out.glob(f"{OutputFolder.DATABASE_FILE}-*")):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # somebody else put something there
        for folder in (*(out / name for name in SUBFOLDERS), *folders):
            folder.rmdir()
