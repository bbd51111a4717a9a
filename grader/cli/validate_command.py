"""`grade validate`: tests an assignment as code is tested."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.interruption import tell_interruption
from grader.cli.shared_options import FILE, jobs_option, python_option, unsandboxed_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.authoring.assignments import Assignment
    from grader.authoring.validation_run import Effort
    from grader.model import Validation
    from grader.pipeline import SessionOptions


@click.command("validate", short_help="Test assignments as code is tested.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--seeds",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="Hidden seeds that each notebook is judged under.",
)
@click.option(
    "--new-seeds", is_flag=True, help="Draw new seeds instead of the same ones each time."
)
@click.option(
    "--mutants",
    "max_mutants",
    type=click.IntRange(0),
    help="Mutants at most, evenly spread (default: all).",
)
@jobs_option("Notebooks at once")
@python_option
@unsandboxed_option("Run")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.option("--report", type=FILE, help="Also write scores and survivors to this Markdown file.")
@debug_option
def validate_command(
    *,
    ids: tuple[str, ...],
    seeds: int,
    new_seeds: bool,
    max_mutants: int | None,
    form: str,
    report: Path | None,
    **options: Any,
) -> None:
    """Test the assignments ID (default: all in rubrics/) as code is tested.

    The reference must score full automatic marks, the blank template nothing, the submissions in
    rubrics/ID/cases what they should, and the reference with a small mistake must lose points
    where the mistake belongs. Exit code 1: something of that does not hold.
    """
    from grader import settings
    from grader.authoring.assignments import load_assignments, session_options
    from grader.authoring.validation_run import Effort
    from grader.errors import UsageError
    from grader.exports.validation_json import render_validation_json
    from grader.report.mutants_page import mutants_page

    if report is not None and max_mutants is not None:
        raise UsageError("--report needs all mutants; leave --mutants out")
    loaded_settings = settings.read_settings(path=Path(), out=Path(), **options)
    effort = Effort(seeds=seeds, new_seeds=new_seeds, max_mutants=max_mutants)
    chosen = load_assignments(loaded_settings.root, ids=ids)
    session = session_options(loaded_settings)
    with tell_interruption(lambda: "Interrupted: a validation keeps nothing until it has ended."):
        results = tuple(_validate_all(chosen, effort, session=session, text=form == "text"))
    if form == "json":
        click.echo(render_validation_json(results))
    if report is not None:
        report.write_text(mutants_page(results), encoding="utf-8")
    sys.exit(DONE if all(result.passed for result in results) else NEEDS_PERSON)


def _validate_all(
    assignments: tuple[Assignment, ...], effort: Effort, *, session: SessionOptions, text: bool
) -> Iterator[Validation]:
    """Validate one assignment after the other; for text, with a bar and a table for each."""
    from rich.console import Console

    from grader.authoring.validation_run import validate_assignment
    from grader.report.progress import ProgressBar, RunWatcher
    from grader.report.validation_table import validation_report

    for assignment in assignments:
        if not text:
            watcher = RunWatcher()
            yield validate_assignment(assignment, effort=effort, options=session, watcher=watcher)
            continue
        with ProgressBar() as bar:
            result = validate_assignment(assignment, effort=effort, options=session, watcher=bar)
        console = Console(highlight=False)
        console.print(validation_report(result))
        console.print()
        yield result
