"""`grade forget`: deletes one student from everything in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared_options import assignment_option, folder_argument

if TYPE_CHECKING:
    from grader.privacy import ForgetPlan


@click.command("forget")
@click.argument("student", metavar="ID")
@folder_argument
@assignment_option("Rubric it was graded by (default: as it says).")
@click.option("--yes", is_flag=True, help="Don't ask.")
def forget_command(*, student: str, folder: Path, assignment: str | None, yes: bool) -> None:
    """Delete the student of that ID or e-mail address from FOLDER (default: graded).

    Submissions of theirs alone go, with report, result, trace and marks. In those of a team the
    others keep their grade, and the name and ids of this student are taken out. So they are of
    roster, extensions, backups and whatever else lies in the folder. Says first what it will do.
    """
    from grader.cli.graded_folder import load_rubric_for_folder
    from grader.privacy import forget_student, plan_forgetting
    from grader.report.text_format import format_count

    rubric = load_rubric_for_folder(folder, assignment=assignment)
    plan = plan_forgetting(folder, identifier=student)
    _print_plan(plan)
    if not yes:
        click.confirm("This can't be undone. Do it?", abort=True)
    erased = forget_student(folder, identifier=student, rubric=rubric, forget_plan=plan)
    deleted = format_count(erased.deleted_submissions, singular="submission")
    changed = format_count(erased.changed_submissions, singular="other")
    removed = format_count(erased.removed_files, singular="file")
    click.echo(f"{deleted} deleted, {changed} changed, {removed} removed")
    click.echo(
        "Not reached: what was handed in, tables such as the roster outside of this folder, copies "
        "of this folder elsewhere, the learning management system. Delete there, too, before you "
        "grade again."
    )


def _print_plan(plan: ForgetPlan) -> None:
    """Print what is going to happen."""
    from grader.people import name_and_id
    from grader.report.text_format import one_line, printable

    for label, entries in (
        ("to be forgotten", [name_and_id(plan.student)]),
        ("deleted, as nobody else's", plan.own_submissions),
        ("kept for the others of the team", plan.team_submissions),
        ("keeps a name that tells who it was, until the file is renamed", plan.identifying_names),
        ("gradebooks", plan.gradebooks),
        ("removed whole, to be made again", plan.files),
        ("can't be looked into; see for yourself", plan.unreadable),
    ):
        if text := ", ".join(map(str, entries)):
            click.echo(printable(one_line(f"{label}: {text}")))
