"""Reads the sheets of spreadsheets' own files, in a process that a hostile one can't leave."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

from grader.confined_readers import INSIDE, run_confined
from grader.errors import UsageError

READER = INSIDE / "workbook_reader.py"
LIBRARY = "python_calamine"
TIMEOUT_S = 30.0
"""Seconds for one workbook; ten thousand rows take a tenth of a second."""
_BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A visible sheet: its rows of text, from the first that holds anything."""

    name: str
    first: int
    """The number of the first of these rows, as the spreadsheet shows it."""
    rows: tuple[tuple[str, ...], ...]


def is_workbook(data: bytes) -> bool:
    """Return whether a file begins as a spreadsheet's own."""
    return data.startswith(_BEGINNINGS)


def read_workbook(data: bytes, *, name: str) -> tuple[Sheet, ...]:
    """Read the visible sheets of a workbook.

    Args:
        data: The file's content.
        name: The name of the file in error messages.

    Raises:
        UsageError: It can't be read, or the library that reads it is not installed.
    """
    if importlib.util.find_spec(LIBRARY) is None:
        raise UsageError(
            f"{name}: is a spreadsheet's own format; save it as CSV (UTF-8), or install what "
            "reads it: pip install 'notebook-grader[xlsx]'"
        )
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as output:
        source.write(data)
        source.seek(0)
        try:
            run_confined(READER, source=source, output=output, timeout_s=TIMEOUT_S)
            output.seek(0)
            sheets: list[dict[str, Any]] = json.loads(output.read())
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise UsageError(
                f"{name}: is not a workbook that can be read: it is damaged, has a password or is "
                "too large; save it as CSV (UTF-8)"
            ) from error
    return tuple(
        Sheet(name=sheet["name"], first=sheet["first"], rows=tuple(map(tuple, sheet["rows"])))
        for sheet in sheets
    )
