"""`grade again`: judges what was run before."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.people_options import people_files, people_options


@click.command("again")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("graded"))
@click.option("--assignment", metavar="ID", help="Rubric to judge by (default: the default one).")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Processes (default: cores).")
@people_options
@click.option(
    "--parts",
    type=click.Path(path_type=Path),
    help="CSV that tells in which cells items are answered (see `grade parts`).",
)
@debug_option
def again_command(
    *, folder: Path, assignment: str | None, jobs: int | None, parts: Path | None, **people: Any
) -> None:
    """Judge again what is in FOLDER (default: graded), after a rubric or a check changed.

    Runs no notebook: findings, scores and pages are made anew from what each run left behind.
    Prints the scores that moved, before and after.
    """
    from rich.console import Console

    from grader import fault_log, settings
    from grader.pipeline.rejudging import rejudge_class
    from grader.report.progress import note_line
    from grader.report.score_changes import changes_report

    fault_log.log_faults_in(folder)
    console = Console(highlight=False)
    loaded_settings = settings.read_settings(
        path=Path(),
        out=folder,
        assignment=assignment,
        jobs=jobs,
        parts=parts,
        people=people_files(people),
    )
    outcome = rejudge_class(loaded_settings, notify=lambda note: console.print(note_line(note)))
    rejudged = outcome.rejudged
    console.print(
        changes_report(rejudged.changes, count=rejudged.count, needs_rerun=rejudged.needs_rerun)
    )
    sys.exit(NEEDS_PERSON if outcome.needs_person else DONE)
