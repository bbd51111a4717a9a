"""Opens a submitted file: an ordinary one, and never more of it than the limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from grader.errors import NotebookError

MAX_BYTES = 200 * 1024 * 1024
"""Larger files are refused: read whole, they would take the memory of the machine."""
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A pipe that nobody writes to is opened without waiting, and then refused."""


def read_submitted_file(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        NotebookError: It is not there, no ordinary file, too large, or may not be read.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NotebookError("There is no such file, or it is not an ordinary file.")
            data = stream.read(MAX_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotebookError("There is no such file, or it is not an ordinary file.") from error
    except OSError as error:
        raise NotebookError(f"The file could not be opened: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise NotebookError(
            f"The file is larger than {MAX_BYTES // 2**20} MB, the most that is read. "
            "Clear the large outputs and hand it in again."
        )
    return data
