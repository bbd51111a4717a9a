"""Reads a submitted file: only an ordinary one, and only up to the limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from grader.errors import NotebookError

MAX_BYTES = 200 * 1024 * 1024
"""The largest file that is read; larger ones could take all of the memory."""
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags with which a named pipe opens without waiting, so that it can be refused."""


def read_submitted_file(path: Path) -> bytes:
    """Return the file's bytes.

    Raises:
        NotebookError: It is missing, no ordinary file, too large, or not readable.
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
            "Clear the large outputs and submit it again."
        )
    return data
