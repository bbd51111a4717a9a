"""What collecting submissions needs from the pipeline: previews of notebooks, and room to unpack.

Archives are unpacked below the output folder for the time of a run. That folder is private, on a
disk with space, and hidden from every notebook; the system's folder for temporary files may not be.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from grader.errors import NotebookError, UsageError
from grader.folder import OutputFolder
from grader.notebook import find_students, measure_overlap, phrases, read_notebook
from grader.submissions import NotebookPreview

MAX_CACHED = 64
"""Previews that are cached: notebooks of one folder are looked at more than once."""
PREFIX = ".unpacked-"
ABANDONED_AFTER_S = 60.0
"""Seconds after which a folder without a lock counts as left behind by a killed run."""


def make_preview(
    reference: Path, *, prompts: Mapping[str, str] = MappingProxyType({})
) -> NotebookPreview:
    """Return a preview that compares notebooks with a solved one, which is read when needed.

    Args:
        reference: The solved notebook.
        prompts: Item ids to prompts; names stand above the first.
    """

    @lru_cache(maxsize=1)
    def handout_phrases() -> frozenset[tuple[str, ...]]:
        return phrases(read_notebook(reference))

    @lru_cache(maxsize=MAX_CACHED)
    def preview(path: Path) -> tuple[tuple[float, int] | None, frozenset[str]]:
        try:
            notebook = read_notebook(path)
        except NotebookError:
            return None, frozenset()
        notebook_phrases = phrases(notebook)
        names = (
            word
            for student in find_students(notebook, prompts=prompts)
            for word in (student.id, student.name)
            if word
        )
        overlap = (
            measure_overlap(notebook_phrases, handout=handout_phrases()),
            len(notebook_phrases),
        )
        return overlap, frozenset(word.casefold() for word in names)

    return NotebookPreview(
        handout_overlap=lambda path: preview(path)[0], named_students=lambda path: preview(path)[1]
    )


def join_previews(previews: Iterable[NotebookPreview]) -> NotebookPreview:
    """Return a preview that compares notebooks with each solved one, and tells the most alike."""
    each = tuple(previews)

    def nearest(path: Path) -> NotebookPreview:
        return max(each, key=lambda preview: preview.handout_overlap(path) or (0.0, 0))

    return NotebookPreview(
        handout_overlap=lambda path: nearest(path).handout_overlap(path),
        named_students=lambda path: nearest(path).named_students(path),
    )


@contextmanager
def temporary_unpack_folder(out: Path) -> Iterator[Callable[[], Path]]:
    """Yield a function that creates the folder; it is removed after the block."""
    with ExitStack() as cleanup:

        def make_folder() -> Path:
            OutputFolder(out)
            _remove_abandoned(out)
            try:
                folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=out))
            except OSError as error:
                raise UsageError(f"{out}: cannot be written ({error.strerror})") from error
            cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
            lock_fd = os.open(folder, os.O_RDONLY)
            cleanup.callback(os.close, lock_fd)
            fcntl.flock(lock_fd, fcntl.LOCK_EX)
            return folder

        yield make_folder


def _remove_abandoned(out: Path) -> None:
    """Remove the folders of runs that were killed: no process holds their locks."""
    for folder in out.glob(f"{PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime < ABANDONED_AFTER_S:
                continue
            lock_fd = os.open(folder, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(lock_fd)
