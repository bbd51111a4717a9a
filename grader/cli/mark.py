"""`grade mark`: people mark what a machine can't."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

import click

from grader.cli.exit_codes import DONE, PERSON


@click.command("mark")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("graded"),
    show_default=True,
    help="Folder that `grade` wrote.",
)
@click.option("--assignment", metavar="ID", help="Rubric of the folder (default: the default one).")
@click.option("--as", "marker", metavar="NAME", help="Who marks (default: your name here).")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a sheet to fill in offline; where it is there already, read what was filled in.",
)
@click.option("--item", metavar="ID", help="With --sheet: this item only.")
def mark_command(
    *,
    out: Path,
    assignment: str | None,
    marker: str | None,
    sheet: Path | None,
    item: str | None,
) -> None:
    """Mark written answers.

    A sheet has a line for each answer. In those that you leave blank nothing changes; what was
    marked by others meanwhile is listed and not overwritten.
    """
    if sheet is None:
        raise click.UsageError("say --sheet FILE; there is no other way to mark yet")
    _by_sheet(sheet, out=out, assignment=assignment, by=marker or _user(), item=item)


def _user() -> str:
    """The name of whoever is at the keyboard; '' where the computer knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _by_sheet(sheet: Path, *, out: Path, assignment: str | None, by: str, item: str | None) -> None:
    """Write the sheet or read it, by whether it is there."""
    from grader.cli.marked_folder import opened, refreshed
    from grader.cli.sheet import read, write
    from grader.report.wording import counted, printable

    with opened(out) as book:
        if not sheet.exists():
            count = write(book, sheet, item=item)
            answers = counted(count, one="answer", many="answers")
            click.echo(f"wrote {answers} to {printable(str(sheet))}; fill in points and comments,")
            click.echo("then run the same command again")
            return
        done = read(book, sheet, by=by)
        click.echo(
            f"{counted(len(done.given), one='mark', many='marks')} given, {done.same} there already"
        )
        for told in done.conflicts:
            click.echo(printable(told))
        click.echo(refreshed(book, out=out, assignment=assignment))
    sys.exit(PERSON if done.conflicts else DONE)
