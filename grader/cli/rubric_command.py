"""`grade rubric`: what graders changed in rubric items, back to the rubric's file."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.shared_options import assignment_option, folder_argument

_COLORS = {"+": "green", "-": "red", "@": "cyan"}


@click.group("rubric", short_help="Write changed rubric items back to the rubric.")
def rubric_command() -> None:
    """Write what was changed in rubric items while grading back to the rubric."""


@rubric_command.command("export")
@folder_argument
@assignment_option("Rubric to write (default: the one that the folder has).")
@click.option("--dry-run", is_flag=True, help="Show the changes and write nothing.")
def rubric_export_command(*, folder: Path, assignment: str | None, dry_run: bool) -> None:
    """Write the rubric items of FOLDER (default: graded) as they are now to `rubrics/ID.toml`.

    Comments, order and all else of the file stay. Prints what changes in it. Nobody's score
    changes: what the file says then is what counted before.
    """
    from grader import checks, rubric
    from grader.authoring.criteria_export import export_criteria
    from grader.folder import OutputFolder
    from grader.report.text_format import format_count, printable

    with OutputFolder.open_existing(folder).open_gradebook() as book:
        assignment_id = assignment or book.main_assignment() or None
        path = rubric.find_rubric(Path(), assignment=assignment_id)
        export = export_criteria(book, path, catalog=checks.load_checks, write=not dry_run)
    for line in export.diff:
        click.secho(printable(line), fg=_COLORS.get(line[:1]))
    if not export.diff:
        click.echo(f"{path} has all rubric items as they are now.")
        return
    subject = format_count(export.count, singular="rubric item") if export.count else "a new order"
    click.echo(f"{path}: {subject} {'to write' if dry_run else 'written'}.")
