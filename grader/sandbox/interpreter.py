"""What the interpreter that notebooks run in is and has: asked of it, in one short process."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.sandbox.launch import variables

SURVEY = Path(__file__).resolve().parent.parent / "inside" / "interpreter_survey.py"
PATIENCE = 60.0
"""Seconds an interpreter has to say what it is."""
OLDEST = (3, 11)
"""The oldest Python that the inside runs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter and its packages."""

    python: str
    """Its path, as it was given."""
    fingerprint: str
    """A digest of its version, its system and all that is installed for it."""
    executable: str = ""
    """Its path, as it tells: what was given may be a script that starts it."""
    folders: tuple[str, ...] = ()
    """Where it and its packages live."""


def survey(python: str) -> Environment:
    """Ask an interpreter what it is.

    Raises:
        UsageError: it can't be started, is too old, or lacks what notebooks are run with.
    """
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        try:
            told = subprocess.run(  # noqa: S603 (the interpreter we were given, our own file)
                [python, "-Wignore", str(SURVEY)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=folder,
                env=variables(Path(folder)),
                timeout=PATIENCE,
                check=True,
            ).stdout
            found = json.loads(told)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it does not answer as one"
            raise UsageError(f"{python} cannot be used as a Python interpreter: {why}.") from error
    return _checked(python, found)


def _checked(python: str, found: dict[str, Any]) -> Environment:
    version, missing = str(found["python"]), found["missing"]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise UsageError(f"{python} is Python {version}; notebooks need 3.11 or newer.")
    if isinstance(missing, list) and missing:
        names = " ".join(map(str, missing))
        raise UsageError(
            f"{python} lacks {', '.join(map(str, missing))}, which notebooks are run with: "
            f"{python} -m pip install {names}"
        )
    executable, folders = found.pop("executable"), found.pop("folders")
    return Environment(
        python=python,
        executable=str(executable or python),
        folders=tuple(map(str, folders)),
        fingerprint=hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest(),
    )
