"""`grade doctor`: how well notebooks are kept from this computer."""

from __future__ import annotations

import sys

import click

from grader.cli.exit_codes import DONE, USAGE
from grader.cli.shared_options import python_option


@click.command("doctor")
@python_option
def doctor_command(*, python: str | None) -> None:
    """Say how well notebooks are kept from this computer, and how to do better.

    Every level of isolation is tried by a program that does what it can to break out.
    """
    from grader import sandbox, settings
    from grader.sandbox.advice import isolation_advice

    environment = sandbox.survey_interpreter(settings.find_interpreter(python))
    levels = list(sandbox.examine_levels(environment))
    click.echo(isolation_advice(levels, cores=settings.count_usable_cores()))
    sys.exit(DONE if any(verdict.isolation for _, verdict in levels) else USAGE)
