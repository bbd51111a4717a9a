"""`grade forget`: deletes one student from everything in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grader.privacy import Plan


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
    from grader.cli.rubric_of import rubric_of
    from grader.privacy import forget, plan
    from grader.report.text_format import counted

    rubric = rubric_of(folder, assignment=assignment)
    found = plan(folder, mark=student)
    _tell(found)
    if not yes:
        click.confirm("This can't be undone. Do it?", abort=True)
    done = forget(folder, mark=student, rubric=rubric, what=found)
    click.echo(
        f"{counted(done.deleted, one='submission', many='submissions')} deleted, "
        f"{counted(done.changed, one='other', many='others')} changed, "
        f"{counted(done.removed, one='file', many='files')} removed"
    )
    click.echo(
        "Not reached: what was handed in, tables such as the roster outside of this folder, copies "
        "of this folder elsewhere, the learning management system. Delete there, too, before you "
        "grade again."
    )


def _tell(plan: Plan) -> None:
    """What is going to happen."""
    from grader.people import spoken
    from grader.report.text_format import one_line, printable

    def line(what: str, words: Iterable[object]) -> None:
        told = ", ".join(str(word) for word in words)
        if told:
            click.echo(printable(one_line(f"{what}: {told}")))

    line("to be forgotten", [spoken(plan.student)])
    line("deleted, as nobody else's", plan.alone)
    line("kept for the others of the team", plan.shared)
    line("keeps a name that tells who it was, until the file is renamed", plan.named_like)
    line("gradebooks", plan.books)
    line("removed whole, to be made again", plan.files)
    line("can't be looked into; see for yourself", plan.unread)
