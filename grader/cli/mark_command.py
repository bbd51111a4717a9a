"""`grade mark`: people mark what a machine can't."""

from __future__ import annotations

import contextlib
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.shared_options import FILE, GRADED, assignment_option, out_option

if TYPE_CHECKING:
    from grader.gradebook import Gradebook
    from grader.web.server import ServerOptions


@click.command("mark", short_help="Grade written answers in your browser or offline.")
@out_option("Folder that `grade` wrote.", default=GRADED)
@assignment_option("Rubric of the folder (default: the default one).")
@click.option("--as", "marker", metavar="NAME", help="Grader's name (default: your user name).")
@click.option(
    "--sheet",
    type=FILE,
    help="Write a sheet to fill in offline; where it is there already, read what was filled in.",
)
@click.option("--item", metavar="ID", help="With --sheet: this question only.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page (default: 8642).")
@click.option("--no-browser", is_flag=True, help="Print the link and open nothing.")
@click.option("--host", metavar="ADDRESS", help="Share the page at this address; see --password.")
@click.option(
    "--name",
    "names",
    metavar="HOST",
    multiple=True,
    help="Another name by which this computer is reached.",
)
@click.option("--password", is_flag=True, help="Set a password to sign in with.")
@click.option("--certificate", type=FILE, help="TLS certificate.")
@click.option("--key", type=FILE, help="Private key of the certificate.")
@debug_option
def mark_command(
    *,
    out: Path,
    assignment: str | None,
    marker: str | None,
    sheet: Path | None,
    item: str | None,
    no_browser: bool,
    password: bool,
    **server_options: Any,
) -> None:
    """Grade written answers, in your browser or on an offline sheet.

    Prints a link to a page on this computer that nobody else can open, and serves it until Ctrl-C.
    Each grade is saved at once. To share the page, --host needs --password.

    A sheet has a line for each answer. In those that you leave blank nothing changes; what was
    graded by others meanwhile is listed and not overwritten.
    """
    from grader import fault_log

    fault_log.log_faults_in(out)
    by = (marker or _user_name()).strip()
    if sheet is not None:
        _exchange_sheet(sheet, out=out, assignment=assignment, by=by, item=item)
        return
    if (server_options["certificate"] is None) != (server_options["key"] is None):
        raise click.UsageError("--certificate and --key go together")
    from grader.web.server import ServerOptions

    service = ServerOptions(name=by or "staff", browser=not no_browser, **server_options)
    _serve_console(service, out=out, assignment=assignment, password=password)


def _serve_console(
    service: ServerOptions, *, out: Path, assignment: str | None, password: bool
) -> None:
    """Serve the console until it is interrupted."""
    from grader.cli.graded_folder import load_rubric_for_gradebook
    from grader.folder import OutputFolder
    from grader.gradebook import team
    from grader.web.server import serve

    with OutputFolder.open_existing(out).open_gradebook() as book:
        rubric = load_rubric_for_gradebook(book, assignment=assignment)
        if password:
            _set_password(book, service.name)
        if service.host is not None and team.password_hash_for(book, service.name) is None:
            raise click.UsageError(
                "--host needs --password: anybody who can reach the page could grade"
            )
        click.echo(f"Loading the answers of {rubric.title}, to grade as {service.name} …")
        with contextlib.suppress(KeyboardInterrupt):
            serve(
                OutputFolder(out), book=book, rubric=rubric, service=service, print_line=_print_link
            )


def _print_link(link: str) -> None:
    click.echo(link)
    click.echo("Ctrl-C ends it; every grade is kept.")


def _set_password(book: Gradebook, name: str) -> None:
    """Ask for a password; without a terminal, read the first line of standard input."""
    from grader.gradebook import team
    from grader.web.passwords import MIN_PASSWORD_LENGTH, hash_password

    if sys.stdin.isatty():
        password = click.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < MIN_PASSWORD_LENGTH:
        raise click.UsageError(f"a password needs at least {MIN_PASSWORD_LENGTH} characters")
    team.register_grader(book, name, secret=hash_password(password))


def _user_name() -> str:
    """Return the name of the user of this computer; '' if it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _exchange_sheet(
    sheet: Path, *, out: Path, assignment: str | None, by: str, item: str | None
) -> None:
    """Write the sheet, or read it where it is there already."""
    from grader.cli.graded_folder import refresh_after_marking
    from grader.cli.offline_sheet import import_sheet, write_sheet
    from grader.folder import OutputFolder
    from grader.report.text_format import format_count, printable

    with OutputFolder.open_existing(out).open_gradebook() as book:
        if not sheet.exists():
            count = write_sheet(book, sheet, item=item)
            answers = format_count(count, singular="answer")
            click.echo(f"wrote {answers} to {printable(str(sheet))}; fill in points and comments,")
            click.echo("then run the same command again")
            return
        sheet_read = import_sheet(book, sheet, by=by)
        marks = format_count(len(sheet_read.marked), singular="mark")
        click.echo(f"{marks} given, {sheet_read.unchanged} there already")
        for conflict in sheet_read.conflicts:
            click.echo(printable(conflict))
        click.echo(refresh_after_marking(book, out=out, assignment=assignment))
    sys.exit(NEEDS_PERSON if sheet_read.conflicts else DONE)
