"""`grade run`: from a folder of notebooks to a folder of reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.people_options import people_files, people_options

if TYPE_CHECKING:
    from grader.settings import Settings


@click.command("run")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--assignment", metavar="ID", help="Rubric to grade by (default: the default one).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("graded"),
    show_default=True,
    help="Folder to write to.",
)
@click.option("-j", "--jobs", type=click.IntRange(1), help="Notebooks at once (default: cores).")
@click.option("--force", is_flag=True, help="Grade what did not change, too.")
@click.option(
    "--new-seed", is_flag=True, help="Draw other inputs to ask notebooks with, and grade all anew."
)
@click.option("--python", metavar="PATH", help="Interpreter that notebooks run in (default: ours).")
@click.option(
    "--isolation",
    type=click.Choice(["full", "namespaces", "reduced", "none"]),
    help="Insist on a level of isolation (default: the best there is; see `grade doctor`).",
)
@click.option(
    "--allow-unsandboxed", "unsandboxed", is_flag=True, help="Grade even where nothing isolates."
)
@click.option(
    "--limit", "limits", metavar="NAME=VALUE", multiple=True, help="Replace a limit of the rubric."
)
@click.option(
    "--parts",
    type=click.Path(path_type=Path),
    help="CSV that tells in which cells items are answered (see `grade parts`).",
)
@people_options
@click.option("--layout", metavar="NAME", help="Insist on a layout (default: recognize it).")
@click.option("--store", metavar="URL", help="Gradebook: postgresql://HOST/DATABASE, not a file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@debug_option
def run_command(
    *,
    path: Path,
    assignment: str | None,
    out: Path,
    jobs: int | None,
    force: bool,
    new_seed: bool,
    python: str | None,
    isolation: str | None,
    unsandboxed: bool,
    limits: tuple[str, ...],
    parts: Path | None,
    layout: str | None,
    store: str | None,
    as_json: bool,
    quiet: bool,
    **people: Any,
) -> None:
    """Grade PATH: a folder or zip of submissions in any layout, or one notebook.

    Finds the rubric in rubrics/*.toml and writes reports, index.html, gradebook.csv and
    results/*.json to the output folder. What did not change since the last run is kept.
    """
    # Imported here so that --help answers at once.
    from grader import fault_log, settings

    fault_log.log_faults_in(out)

    loaded_settings = settings.read_settings(
        path=path,
        out=out,
        assignment=assignment,
        jobs=jobs,
        python=python,
        force=force,
        new_seed=new_seed,
        isolation=isolation,
        unsandboxed=unsandboxed,
        store=store,
        limits=limits,
        parts=parts,
        people=people_files(people),
        layout=layout,
    )
    _run_and_report(loaded_settings, as_json=as_json, quiet=quiet)


def _run_and_report(settings: Settings, *, as_json: bool, quiet: bool) -> None:
    from grader.pipeline.run import run_grading
    from grader.report.progress import ProgressBar, SilentWatcher

    if as_json or quiet:
        outcome = run_grading(settings, watcher=SilentWatcher())
    else:
        with ProgressBar() as bar:
            outcome = run_grading(settings, watcher=bar)
        bar.print_summary(
            outcome.results(),
            rubric=outcome.rubric,
            out=outcome.out,
            missing=len(outcome.missing),
        )
    if as_json:
        from grader.exports import class_to_json

        click.echo(class_to_json(outcome.results(), rubric=outcome.rubric, missing=outcome.missing))
    sys.exit(NEEDS_PERSON if outcome.needs_person else DONE)
