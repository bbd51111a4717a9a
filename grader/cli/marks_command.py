"""`grade marks`: all marks as JSON and back, and those that count for nothing now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.shared_options import FILE, assignment_option, folder_argument

if TYPE_CHECKING:
    from grader.gradebook.marks_exchange import ImportConflict
    from grader.model import Mark


@click.group("marks", short_help="Export, import and check the marks that people gave.")
def marks_command() -> None:
    """Export the marks of a gradebook, import them into another, and find orphaned ones."""


@marks_command.command("export")
@folder_argument
@click.option("--to", type=FILE, help="File to write.")
def marks_export_command(*, folder: Path, to: Path | None) -> None:
    """Write all marks of FOLDER (default: graded) as JSON.

    It holds every entry, with who gave it, when, and what it replaced, those taken back included.
    """
    from grader.errors import UsageError
    from grader.folder import OutputFolder
    from grader.gradebook.marks_exchange import export_marks

    with OutputFolder.open_existing(folder).open_gradebook() as book:
        text = export_marks(book)
    if to is None:
        click.echo(text, nl=False)
        return
    try:
        with to.open("x", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{to}: can't be written ({error.strerror})") from error


@marks_command.command("import")
@click.argument("file", type=FILE)
@folder_argument
@assignment_option("Rubric of the folder (default: the one it has).")
def marks_import_command(*, file: Path, folder: Path, assignment: str | None) -> None:
    """Add the marks of FILE, which `grade marks export` wrote, to FOLDER (default: graded).

    Marks that are there already are left as they are. Where both have a mark that the other
    doesn't know, nothing is taken, and both are listed.
    """
    from grader.cli.graded_folder import refresh_after_marking
    from grader.errors import UsageError
    from grader.folder import OutputFolder
    from grader.gradebook.marks_exchange import import_marks
    from grader.report.text_format import format_count, printable

    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: can't be read ({error})") from error
    with OutputFolder.open_existing(folder).open_gradebook() as book:
        import_result = import_marks(book, text)
        entries = format_count(import_result.added, singular="entry", plural="entries")
        click.echo(f"{entries} added, {import_result.already_known} there already")
        for conflict in import_result.conflicts:
            click.echo(printable(_conflict_message(conflict)))
        click.echo(refresh_after_marking(book, out=folder, assignment=assignment))
    sys.exit(NEEDS_PERSON if import_result.conflicts else DONE)


@marks_command.command("orphans")
@folder_argument
def marks_orphans_command(*, folder: Path) -> None:
    """List the orphaned marks of FOLDER (default: graded), which do not count now.

    Their submission was not in the last run, or the rubric no longer has their item.
    They stay in the ledger, and count again when what they were given to is back.
    """
    from grader.folder import OutputFolder
    from grader.gradebook import ledger
    from grader.report.text_format import printable

    with OutputFolder.open_existing(folder).open_gradebook() as book:
        orphans = ledger.orphaned_marks(book)
    for mark in orphans:
        click.echo(printable(f"{mark.item} of {mark.submission}: {_mark_text(mark)}"))
    if not orphans:
        click.echo("no orphaned marks")


def _conflict_message(conflict: ImportConflict) -> str:
    item = conflict.item
    if conflict.criterion:
        return f"not taken: the rubric item {conflict.criterion} of {item} was changed in both"
    texts = f"here {_mark_text(conflict.in_gradebook)}; in the file {_mark_text(conflict.in_file)}"
    return f"not taken: {item} of {conflict.submission}: {texts}"


def _mark_text(mark: Mark | None) -> str:
    from grader.report.text_format import format_number, one_line

    if mark is None:
        return "taken back"
    comment = f' "{one_line(mark.comment)[:60]}"' if mark.comment else ""
    return f"{format_number(mark.points)} by {mark.by} at {mark.at}{comment}"
