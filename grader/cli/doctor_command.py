"""`grade doctor`: which isolation levels work here, and which packages notebooks will miss."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli.exit_codes import CANNOT_RUN, DONE
from grader.cli.shared_options import python_option
from grader.cli.terminal_messages import print_message


@click.command("doctor", short_help="Show isolation levels and missing packages.")
@click.argument("path", type=click.Path(path_type=Path, exists=True), required=False)
@python_option
def doctor_command(*, path: Path | None, python: str | None) -> None:
    """Say which isolation levels work here, and which packages notebooks will miss.

    Every level of isolation is tried by a program that does what it can to break out. The notebooks
    in PATH, a folder or one file, are read and not run: what they import and won't find is counted.
    """
    from grader import sandbox, settings
    from grader.pipeline.preflight import survey_lines
    from grader.sandbox.advice import isolation_advice

    interpreter = settings.find_interpreter(python)
    environment = sandbox.survey_interpreter(interpreter)
    levels = list(sandbox.examine_levels(environment))
    lines = survey_lines(path, installed=environment.modules, python=interpreter)
    advice = isolation_advice(levels, cores=settings.count_usable_cores())
    print_message("\n".join([advice, "", *lines]), err=False)
    sys.exit(DONE if any(result.isolation for _, result in levels) else CANNOT_RUN)
