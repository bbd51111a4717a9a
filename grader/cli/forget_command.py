"""`grade forget`: deletes one student from everything in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared_options import assignment_option, folder_argument

if TYPE_CHECKING:
    from grader.privacy import ForgetPlan


@click.command("forget", short_help="Delete one student everywhere.")
@click.argument("identifier", metavar="STUDENT")
@folder_argument
@assignment_option("Rubric FOLDER was graded by (default: the one that its gradebook names).")
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
def forget_command(*, identifier: str, folder: Path, assignment: str | None, yes: bool) -> None:
    """Delete STUDENT (an ID, e-mail address or unique name) from FOLDER (default: graded).

    Submissions by this student alone are deleted, with report, result, trace and marks. In those
    of a team the others keep their grade, and the name and ids of this student are taken out. Any
    other file in FOLDER that names the student is deleted. Shows the plan and asks first.
    """
    from grader.cli.graded_folder import load_rubric_for_folder
    from grader.privacy import forget_student, plan_forgetting
    from grader.report.text_format import format_count

    rubric = load_rubric_for_folder(folder, assignment=assignment)
    plan = plan_forgetting(folder, identifier=identifier)
    _print_plan(plan)
    if not yes:
        click.confirm("This can't be undone. Do it?", abort=True)
    result = forget_student(folder, identifier=identifier, rubric=rubric, forget_plan=plan)
    deleted = format_count(result.deleted_submissions, singular="submission")
    changed = format_count(result.changed_submissions, singular="other")
    removed = format_count(result.removed_files, singular="file")
    click.echo(f"{deleted} deleted, {changed} changed, {removed} removed")
    click.echo(
        "Not reached: the submitted files, tables such as the roster outside of this folder, "
        "copies of this folder elsewhere, the learning management system. Delete there, too, "
        "before you grade again."
    )


def _print_plan(plan: ForgetPlan) -> None:
    """Print what is going to happen."""
    from grader.people import name_and_id
    from grader.report.text_format import one_line, printable

    for label, entries in (
        ("to be forgotten", [name_and_id(plan.student)]),
        ("deleted (this student's alone)", plan.own_submissions),
        ("kept for the others of the team", plan.team_submissions),
        (
            "names that still identify the student, until the files are renamed",
            plan.identifying_names,
        ),
        ("gradebooks", plan.gradebooks),
        ("files that will be deleted (make exports again with `grade export`)", plan.files),
        ("can't be searched; check by hand", plan.unreadable),
    ):
        if text := ", ".join(map(str, entries)):
            click.echo(printable(one_line(f"{label}: {text}")))
