"""What the interpreter that notebooks run in is and has: asked of it, in one short process."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.sandbox.room import environment

SURVEY = Path(__file__).resolve().parent.parent / "inside" / "survey.py"
PATIENCE = 60.0
"""Seconds an interpreter has to say what it is."""
OLDEST = (3, 11)
"""The oldest Python that the inside runs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter and its packages."""

    python: str
    """Its path."""
    fingerprint: str
    """A digest of its version, its system and all that is installed for it."""


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
                env=environment(Path(folder)),
                timeout=PATIENCE,
                check=True,
            ).stdout
            found = json.loads(told)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it does not answer as one"
            raise UsageError(f"{python} cannot be used as a Python interpreter: {why}.") from error
    return _checked(python, found, told)


def _checked(python: str, found: dict[str, object], told: bytes) -> Environment:
    version, missing = str(found["python"]), found["missing"]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise UsageError(f"{python} is Python {version}; notebooks need 3.11 or newer.")
    if isinstance(missing, list) and missing:
        names = " ".join(map(str, missing))
        raise UsageError(
            f"{python} lacks {', '.join(map(str, missing))}, which notebooks are run with: "
            f"{python} -m pip install {names}"
        )
    return Environment(python=python, fingerprint=hashlib.sha256(told).hexdigest())
