"""`grade forget`: deletes one student from everything in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grader.privacy import ForgetPlan


@click.command("forget")
@click.argument("student", metavar="ID")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("graded"))
@click.option("--assignment", metavar="ID", help="Rubric it was graded by (default: as it says).")
@click.option("--yes", is_flag=True, help="Don't ask.")
def forget_command(*, student: str, folder: Path, assignment: str | None, yes: bool) -> None:
    """Delete the student of that ID or e-mail address from FOLDER (default: graded).

    Submissions of theirs alone go, with report, result, trace and marks. In those of a team the
    others keep their grade, and the name and ids of this student are taken out. So they are of
    roster, extensions, backups and whatever else lies in the folder. Says first what it will do.
    """
    from grader.cli.rubric_of import load_rubric_for_folder
    from grader.privacy import forget_student, plan_forgetting
    from grader.report.text_format import format_count

    rubric = load_rubric_for_folder(folder, assignment=assignment)
    erasure_plan = plan_forgetting(folder, identifier=student)
    _print_plan(erasure_plan)
    if not yes:
        click.confirm("This can't be undone. Do it?", abort=True)
    erased = forget_student(folder, identifier=student, rubric=rubric, forget_plan=erasure_plan)
    click.echo(
        f"{format_count(erased.deleted_submissions, singular='submission', plural='submissions')} deleted, "
        f"{format_count(erased.changed_submissions, singular='other', plural='others')} changed, "
        f"{format_count(erased.removed_files, singular='file', plural='files')} removed"
    )
    click.echo(
        "Not reached: what was handed in, tables such as the roster outside of this folder, copies "
        "of this folder elsewhere, the learning management system. Delete there, too, before you "
        "grade again."
    )


def _print_plan(plan: ForgetPlan) -> None:
    """What is going to happen."""
    from grader.people import name_and_id
    from grader.report.text_format import one_line, printable

    def print_line(label: str, words: Iterable[object]) -> None:
        text = ", ".join(str(word) for word in words)
        if text:
            click.echo(printable(one_line(f"{label}: {text}")))

    print_line("to be forgotten", [name_and_id(plan.student)])
    print_line("deleted, as nobody else's", plan.own_submissions)
    print_line("kept for the others of the team", plan.team_submissions)
    print_line(
        "keeps a name that tells who it was, until the file is renamed", plan.identifying_names
    )
    print_line("gradebooks", plan.gradebooks)
    print_line("removed whole, to be made again", plan.files)
    print_line("can't be looked into; see for yourself", plan.unreadable)
