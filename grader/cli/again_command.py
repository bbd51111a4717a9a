"""`grade again`: judges what was run before."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.interruption import tell_interruption
from grader.cli.shared_options import (
    assignment_option,
    folder_argument,
    jobs_option,
    parts_option,
    people_options,
    take_people_files,
)

INTERRUPTED = (
    "Interrupted: new scores are kept as far as it came. Run the same command again for the others."
)


@click.command("again", short_help="Re-score what was run, after a rubric or a check changed.")
@folder_argument
@assignment_option("Assignment to re-score (default: the default one).")
@jobs_option("Processes")
@people_options
@parts_option
@debug_option
def again_command(*, folder: Path, **options: Any) -> None:
    """Re-score what is in FOLDER (default: graded), after a rubric or a check changed.

    Runs no notebook: findings, scores and pages are computed again from what each run left behind.
    Prints the scores that changed, before and after.
    """
    from rich.console import Console

    from grader import fault_log, settings
    from grader.pipeline.rejudging import rejudge_class
    from grader.report.progress import note_line
    from grader.report.score_changes import changes_report

    fault_log.log_faults_in(folder)
    console = Console(highlight=False)
    people = take_people_files(options)
    loaded_settings = settings.read_settings(path=Path(), out=folder, people=people, **options)
    with tell_interruption(lambda: INTERRUPTED):
        rejudged, needs_person = rejudge_class(
            loaded_settings, notify=lambda note: console.print(note_line(note))
        )
    console.print(
        changes_report(
            rejudged.changes,
            count=rejudged.count,
            needs_rerun=rejudged.needs_rerun,
            unanswered=rejudged.unanswered,
        )
    )
    sys.exit(NEEDS_PERSON if needs_person else DONE)
