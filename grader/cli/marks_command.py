"""`grade marks`: all marks as JSON and back, and those that count for nothing now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.exit_codes import DONE, PERSON

if TYPE_CHECKING:
    from grader.gradebook.ledger import Entry
    from grader.gradebook.marks_exchange import Clash

FOLDER = click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("graded")
)


@click.group("marks")
def marks_command() -> None:
    """Take marks out of a gradebook, put them into one, and find those that count for nothing."""


@marks_command.command("export")
@FOLDER
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def export_command(*, folder: Path, to: Path | None) -> None:
    """Write all marks of FOLDER (default: graded) as JSON.

    It holds every entry, with who gave it, when, and what it replaced, those taken back included.
    """
    from grader.cli.graded_folder import opened
    from grader.errors import UsageError
    from grader.gradebook.marks_exchange import exported

    with opened(folder) as book:
        text = exported(book)
    if to is None:
        click.echo(text, nl=False)
        return
    try:
        with to.open("x", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{to}: can't be written ({error.strerror})") from error


@marks_command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@FOLDER
@click.option("--assignment", metavar="ID", help="Rubric of the folder (default: the one it has).")
def import_command(*, file: Path, folder: Path, assignment: str | None) -> None:
    """Add the marks of FILE, which `grade marks export` wrote, to FOLDER (default: graded).

    Marks that are there already are left as they are. Where both have a mark that the other
    doesn't know, nothing is taken, and both are listed.
    """
    from grader.cli.graded_folder import opened, refreshed
    from grader.errors import UsageError
    from grader.gradebook.marks_exchange import imported
    from grader.report.text_format import counted, printable

    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: can't be read ({error})") from error
    with opened(folder) as book:
        taken = imported(book, text)
        entries = counted(taken.added, one="entry", many="entries")
        click.echo(f"{entries} added, {taken.known} there already")
        for clash in taken.clashes:
            click.echo(printable(_clash(clash)))
        click.echo(refreshed(book, out=folder, assignment=assignment))
    sys.exit(PERSON if taken.clashes else DONE)


@marks_command.command("orphans")
@FOLDER
def orphans_command(*, folder: Path) -> None:
    """List the marks of FOLDER (default: graded) that count for nothing now.

    Their submission was not handed in with the last run, or its rubric has no such item any more.
    They stay in the ledger, and count again when what they were given to is back.
    """
    from grader.cli.graded_folder import opened
    from grader.gradebook import ledger
    from grader.report.text_format import printable

    with opened(folder) as book:
        entries = ledger.orphans(book)
    for entry in entries:
        click.echo(printable(f"{entry.item} of {entry.submission}: {_told(entry)}"))
    if not entries:
        click.echo("every mark counts for something")


def _clash(clash: Clash) -> str:
    if clash.criterion:
        return f"not taken: what {clash.criterion} of {clash.item} is worth was changed in both"
    ours, theirs = _told(clash.ours), _told(clash.theirs)
    return f"not taken: {clash.item} of {clash.submission}: here {ours}; in the file {theirs}"


def _told(entry: Entry | None) -> str:
    from grader.report.text_format import number, one_line

    if entry is None:
        return "taken back"
    mark = entry.mark
    comment = f' "{one_line(mark.comment)[:60]}"' if mark.comment else ""
    return f"{number(mark.points)} by {mark.by} at {mark.at}{comment}"
