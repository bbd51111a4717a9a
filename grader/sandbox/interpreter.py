"""Ask the interpreter that notebooks run in what it is and has, in one short process."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.sandbox.launch import sandbox_environment

SURVEY_PROGRAM = Path(__file__).resolve().parent.parent / "inside" / "interpreter_survey.py"
SURVEY_SECONDS = 60.0
"""Seconds an interpreter has to say what it is."""
OLDEST_PYTHON = (3, 11)
"""The oldest Python that the inside runs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An interpreter and its packages."""

    python: str
    """Its path, as the person wrote it."""
    fingerprint: str
    """A digest of its version, its system and everything that is installed for it."""
    executable: str = ""
    """Its path, as it reports: `python` may be a script that starts it."""
    folders: tuple[str, ...] = ()
    """Folders that it and its packages live in."""
    modules: frozenset[str] = frozenset()
    """Names of the top-level modules that it has."""


def survey_interpreter(python: str) -> Environment:
    """Run the survey program in an interpreter.

    Raises:
        UsageError: it can't be started, is too old, or lacks what notebooks are run with.
    """
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        try:
            output = subprocess.run(  # noqa: S603 (the interpreter we were given, our own file)
                [python, "-Wignore", str(SURVEY_PROGRAM)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=folder,
                env=sandbox_environment(Path(folder)),
                timeout=SURVEY_SECONDS,
                check=True,
            ).stdout
            facts = json.loads(output)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it does not answer as one"
            raise UsageError(
                f"{python} cannot be used as a Python interpreter: {reason}."
            ) from error
    return _check_facts(python, facts)


def _check_facts(python: str, facts: dict[str, Any]) -> Environment:
    version, missing = str(facts["python"]), facts["missing"]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_PYTHON:
        raise UsageError(f"{python} is Python {version}; notebooks need 3.11 or newer.")
    if isinstance(missing, list) and missing:
        names = " ".join(map(str, missing))
        raise UsageError(
            f"{python} lacks {', '.join(map(str, missing))}, which notebooks are run with: "
            f"{python} -m pip install {names}"
        )
    executable, folders = facts.pop("executable"), facts.pop("folders")
    modules = frozenset(map(str, facts.pop("modules")))  # its distributions tell a change of them
    return Environment(
        python=python,
        executable=str(executable or python),
        folders=tuple(map(str, folders)),
        modules=modules,
        fingerprint=hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest(),
    )
