"""The command `grade` inside this process: no interpreter starts, and nothing is imported again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader import cli


def run_command(
    *words: str, folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Call `grade WORDS` with FOLDER as its working directory.

    A traceback that would end the program ends the test instead.

    Args:
        words: What stands behind `grade`.
        folder: The working directory while it runs.
        environment: Variables in addition to those of this process.

    Returns:
        Exit code, standard output, standard error.
    """
    variables = {"COLUMNS": "200", **(environment or {})}
    with (
        pytest.MonkeyPatch.context() as patch,
        CliRunner().isolation(env=variables) as (output, errors, _),
    ):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["grade", *words])
        code = _exit_code()
        return code, output.getvalue().decode(), errors.getvalue().decode()


def _exit_code() -> int:
    try:
        cli.main()
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    return os.EX_OK
