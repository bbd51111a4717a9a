"""Turns a 7z archive that anyone may have made into a tar, in a process that it can't leave."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

from grader.confined_readers import INSIDE, run_confined
from grader.errors import ArchiveError

READER = INSIDE / "seven_zip_reader.py"
LIBRARY = "py7zr"
TIMEOUT_S = 120.0
MAX_UNPACKED_BYTES = 256 * 2**20
"""Bytes of all files together: each is in memory until it is whole."""
_MESSAGES = {3: "it is encrypted", 4: "it holds more than is opened"}
"""What exit codes of the reader say."""


def write_as_tar(archive: Path, *, target: Path, max_files: int, max_bytes: int) -> None:
    """Write the files of a 7z archive as a tar.

    Raises:
        ArchiveError: It can't be read, is too large, or the library is not installed.
    """
    if importlib.util.find_spec(LIBRARY) is None:
        raise ArchiveError(
            "what reads .7z is not installed: pip install 'notebook-grader[archives]'"
        )
    limits = [str(max_files), str(min(max_bytes, MAX_UNPACKED_BYTES))]
    try:
        with archive.open("rb") as source, target.open("wb") as output:
            run_confined(READER, *limits, source=source, output=output, timeout_s=TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        message = _MESSAGES.get(error.returncode, "it is broken or no 7z archive")
        raise ArchiveError(message) from error
    except subprocess.TimeoutExpired as error:
        raise ArchiveError("it takes too long to unpack") from error
