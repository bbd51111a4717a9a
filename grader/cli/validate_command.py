"""`grade validate`: tests an assignment as code is tested."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import DONE, NEEDS_PERSON

if TYPE_CHECKING:
    from grader.authoring.validation_run import Assignment, Effort, ValidationWatcher
    from grader.model import Validation
    from grader.pipeline import SessionOptions


@click.command("validate")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--seeds",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="Hidden seeds that each notebook is judged under.",
)
@click.option("--new-seeds", is_flag=True, help="Draw them anew instead of the same each time.")
@click.option(
    "--mutants",
    "most",
    type=click.IntRange(0),
    help="Mutants at most, evenly spread (default: all).",
)
@click.option("-j", "--jobs", type=click.IntRange(1), help="Notebooks at once (default: cores).")
@click.option("--python", metavar="PATH", help="Interpreter that notebooks run in (default: ours).")
@click.option(
    "--allow-unsandboxed", "unsandboxed", is_flag=True, help="Run even where nothing isolates."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write scores and survivors to this Markdown file.",
)
@debug_option
def validate_command(
    *,
    ids: tuple[str, ...],
    seeds: int,
    new_seeds: bool,
    most: int | None,
    jobs: int | None,
    python: str | None,
    unsandboxed: bool,
    form: str,
    report: Path | None,
) -> None:
    """Test the assignments ID (default: all in rubrics/) as code is tested.

    The reference must score full automatic marks, the blank template nothing, the submissions in
    rubrics/ID/cases what they should, and the reference with a small mistake must lose points
    where the mistake belongs. Exit code 1: something of that does not hold.
    """
    from grader import settings
    from grader.authoring.assignments import load_assignments, make_opening
    from grader.authoring.validation_run import Effort
    from grader.errors import UsageError

    if report is not None and most is not None:
        raise UsageError("--report needs all mutants; leave --mutants out")
    loaded_settings = settings.read_settings(
        path=Path(), out=Path(), jobs=jobs, python=python, unsandboxed=unsandboxed
    )
    effort = Effort(seeds=seeds, new_seeds=new_seeds, max_mutants=most)
    chosen = load_assignments(loaded_settings.root, ids=ids)
    results = _validate_all(
        chosen, effort, opening=make_opening(loaded_settings), text=form == "text"
    )
    if form == "json":
        from grader.exports.validation_json import render_validation_json

        click.echo(render_validation_json(results))
    if report is not None:
        from grader.report.mutants_page import mutants_page

        report.write_text(mutants_page(results), encoding="utf-8")
    sys.exit(DONE if all(result.holds for result in results) else NEEDS_PERSON)


def _validate_all(
    assignments: tuple[Assignment, ...], effort: Effort, *, opening: SessionOptions, text: bool
) -> tuple[Validation, ...]:
    from rich.console import Console

    from grader.authoring.validation_run import validate_assignment
    from grader.report.progress import ProgressBar, SilentWatcher
    from grader.report.validation_table import validation_report

    results = []
    for assignment in assignments:
        if not text:
            watcher: ValidationWatcher = SilentWatcher()
            results.append(
                validate_assignment(assignment, effort=effort, opening=opening, watcher=watcher)
            )
            continue
        with ProgressBar() as bar:
            results.append(
                validate_assignment(assignment, effort=effort, opening=opening, watcher=bar)
            )
        console = Console(highlight=False)
        console.print(validation_report(results[-1]))
        console.print()
    return tuple(results)
