"""Where archives are unpacked to: below the output folder, for as long as a run takes.

The output folder is private, on a disk with space, and hidden from every notebook: a folder for
temporary files need be none of these.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from grader.errors import UsageError
from grader.folder import OutputFolder

PREFIX = ".unpacked-"
ABANDONED_AFTER_S = 60.0
"""Seconds after which a folder that nobody holds was left behind by a run that was killed."""


@contextmanager
def temporary_unpack_folder(out: Path) -> Iterator[Callable[[], Path]]:
    """A function that makes the folder when there is something to unpack; gone after the block."""
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
    """Remove what runs that were killed left behind: nobody holds it any more."""
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
