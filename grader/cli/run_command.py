"""`grade run`: grades a folder of notebooks into a folder of reports."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.interruption import tell_interruption
from grader.cli.shared_options import (
    FOLDER,
    GRADED,
    assignment_option,
    jobs_option,
    out_option,
    parts_option,
    people_options,
    python_option,
    take_people_files,
    unsandboxed_option,
)

if TYPE_CHECKING:
    from grader.pipeline.run import GradingEngine
    from grader.report.progress import RunWatcher


@click.command("run", short_help="Grade a folder or zip of submissions, or one notebook.")
@click.argument("path", type=click.Path(path_type=Path))
@assignment_option("Assignment to grade (default: the default one).")
@out_option("Folder to write to.", default=GRADED)
@jobs_option("Notebooks at once")
@click.option("--force", is_flag=True, help="Regrade everything.")
@click.option("--new-seed", is_flag=True, help="Draw new hidden inputs and regrade everything.")
@python_option
@click.option(
    "--isolation",
    "isolation_level",
    type=click.Choice(["full", "namespaces", "reduced", "none"]),
    help="Insist on a level of isolation (default: the best there is; see `grade doctor`). "
    "`none` needs --allow-unsandboxed, too.",
)
@unsandboxed_option("Grade")
@click.option(
    "--limit", "limits", metavar="NAME=VALUE", multiple=True, help="Replace a limit of the rubric."
)
@parts_option
@people_options
@click.option("--layout", metavar="NAME", help="Insist on a layout (default: recognize it).")
@click.option("--store", metavar="URL", help="Gradebook: postgresql://HOST/DATABASE, not a file.")
@click.option(
    "--on",
    metavar="WORKERS",
    help="Grade on workers: local:N, tls://HOST:PORT, or a .json file (docs/scaling.md).",
)
@click.option("--tls", type=FOLDER, help="Folder of keys that workers have, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@click.option("--all", "show_all", is_flag=True, help="Show the score of each submission.")
@click.option("-q", "--quiet", is_flag=True, help="Print only errors, and what --json prints.")
@debug_option
def run_command(
    *,
    path: Path,
    out: Path,
    as_json: bool,
    quiet: bool,
    show_all: bool,
    on: str | None,
    tls: Path | None,
    **options: Any,
) -> None:
    """Grade PATH: a folder or zip of submissions in any layout, or one notebook.

    Finds the rubric in rubrics/*.toml and writes reports, index.html, gradebook.csv and
    results/*.json to the output folder. What did not change since the last run keeps its grade.
    """
    # Imported here so that --help answers at once.
    from grader import fault_log, settings
    from grader.exports import class_to_json
    from grader.pipeline.run import run_grading
    from grader.report.missing_modules import missing_lines
    from grader.report.progress import ProgressBar, RunWatcher
    from grader.report.run_summary import run_summary

    fault_log.log_faults_in(out)
    people = take_people_files(options)
    loaded_settings = settings.read_settings(path=path, out=out, people=people, **options)
    bar = ProgressBar()
    watcher = RunWatcher() if as_json or quiet else bar
    engine = choose_engine(on, tls=tls, watcher=watcher)
    with (
        tell_interruption(lambda: describe_interruption(watcher, out=out)),
        bar if watcher is bar else nullcontext(),
    ):
        outcome = run_grading(loaded_settings, watcher=watcher, engine=engine)
    if not (as_json or quiet):
        summary = run_summary(
            outcome.results(),
            rubric=outcome.rubric,
            out=outcome.folder.path,
            missing=len(outcome.view.missing_students),
            module_lines=missing_lines(
                outcome.view.missing_modules, pip=f"{loaded_settings.python} -m pip"
            ),
            show_all=show_all,
        )
        bar.console.print(summary)
    if as_json:
        missing = outcome.view.missing_students
        click.echo(class_to_json(outcome.results(), rubric=outcome.rubric, missing=missing))
    sys.exit(NEEDS_PERSON if outcome.view.needs_person else DONE)


def choose_engine(on: str | None, *, tls: Path | None, watcher: RunWatcher) -> GradingEngine:
    """Return what grades: this process, or workers.

    Raises:
        UsageError: there is no such place for workers.
    """
    from grader.pipeline.workers import grade_all

    if on is None:
        return grade_all
    from grader.cluster.addresses import parse_meeting
    from grader.cluster.head import ClusterEngine

    return ClusterEngine(meeting=parse_meeting(on), tls=tls, show_load=watcher.show_load)


def describe_interruption(watcher: RunWatcher, *, out: Path) -> str:
    """Return how much is graded and where it is kept, and how to go on."""
    from grader.report.text_format import format_count

    again = "Run the same command again to"
    if not out.exists():
        return f"Interrupted before anything was graded; no file is left behind. {again} begin."
    if not watcher.total:
        return f"Interrupted before the run began; {out} is as it was. {again} begin."
    total = format_count(watcher.total, singular="submission")
    return (
        f"Interrupted after {watcher.graded} of {total}; what is graded is kept in {out}.\n"
        f"{again} grade the rest."
    )
