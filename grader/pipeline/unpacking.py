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
from grader.folder import Folder

PREFIX = ".unpacked-"
OLD = 60.0
"""Seconds after which a folder that nobody holds was left behind by a run that was killed."""


@contextmanager
def unpacking(out: Path) -> Iterator[Callable[[], Path]]:
    """A function that makes the folder when there is something to unpack; gone after the block."""
    with ExitStack() as ending:

        def make() -> Path:
            Folder(out)
            _sweep(out)
            try:
                place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=out))
            except OSError as error:
                raise UsageError(f"{out}: cannot be written ({error.strerror})") from error
            ending.callback(shutil.rmtree, place, ignore_errors=True)
            held = os.open(place, os.O_RDONLY)
            ending.callback(os.close, held)
            fcntl.flock(held, fcntl.LOCK_EX)
            return place

        yield make


def _sweep(out: Path) -> None:
    """Remove what runs that were killed left behind: nobody holds it any more."""
    for place in out.glob(f"{PREFIX}*"):
        try:
            if time.time() - place.stat().st_mtime < OLD:
                continue
            held = os.open(place, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(held)
