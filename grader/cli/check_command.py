"""`grade check`: what a student asks before handing in, and what a course's CI asks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.exit_codes import DONE, PERSON, USAGE
from grader.errors import GraderError

if TYPE_CHECKING:
    from grader.selfcheck.outcome import Outcome


@click.command("check")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="NOTEBOOK...",
    type=click.Path(path_type=Path, dir_okay=False),
)
@click.option(
    "--rubric",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Public rubric to check by (default: the *.rubric.json beside the notebook).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github", "junit", "json"]),
    default="text",
    show_default=True,
    help="How to tell.",
)
def check_command(*, paths: tuple[Path, ...], rubric: Path | None, form: str) -> None:
    r"""Run NOTEBOOK and check it by the assignment's public checks, before handing in.

    It runs on this computer, in a fresh kernel, as it will when it is graded. Nothing leaves this
    computer, and the result is not the grade.

    \b
    Exit codes:
      0    no public check lost a point
      1    one did
      2    it could not be run, or a check could not be judged
      130  interrupted
    """
    outcomes = [_outcome(path, rubric=rubric) for path in paths]
    TELL[form](outcomes)
    if any(outcome.checked is None for outcome in outcomes):
        sys.exit(USAGE)
    checked = [outcome.checked for outcome in outcomes if outcome.checked is not None]
    if any(one.lost for one in checked):
        sys.exit(PERSON)
    sys.exit(USAGE if any(one.unjudged for one in checked) else DONE)


def _outcome(path: Path, *, rubric: Path | None) -> Outcome:
    from grader.selfcheck.file_check import check_file
    from grader.selfcheck.outcome import Outcome
    from grader.selfcheck.public_rubric import find, load

    try:
        place = rubric or find((path.resolve().parent, Path.cwd()))
        return Outcome(path=path, checked=check_file(path, public=load(place)))
    except GraderError as error:
        return Outcome(path=path, reason=str(error))


def _text(outcomes: Sequence[Outcome]) -> None:
    from rich.console import Console

    from grader.report.text_format import printable
    from grader.selfcheck.check_output import shown

    console = Console(highlight=False, soft_wrap=True)
    for place, outcome in enumerate(outcomes):
        if place:
            console.print()
        if outcome.checked is None:
            click.echo(printable(f"grade: {outcome.path}: {outcome.reason}"), err=True)
        else:
            console.print(shown(outcome.checked, path=outcome.path, width=console.width))


def _github(outcomes: Sequence[Outcome]) -> None:
    from grader import settings
    from grader.selfcheck.github_output import commands, summary

    click.echo(commands(outcomes), nl=False)
    place = settings.step_summary()
    if place is not None:
        with place.open("a", encoding="utf-8") as file:
            file.write(summary(outcomes))


def _junit(outcomes: Sequence[Outcome]) -> None:
    from grader.selfcheck.junit_output import report

    click.echo(report(outcomes), nl=False)


def _json(outcomes: Sequence[Outcome]) -> None:
    from grader.selfcheck.check_json import document

    click.echo(document(outcomes), nl=False)


TELL: Mapping[str, Callable[[Sequence[Outcome]], None]] = {
    "text": _text,
    "github": _github,
    "junit": _junit,
    "json": _json,
}
"""How to tell, by the format's name."""
