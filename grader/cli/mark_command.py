"""`grade mark`: people mark what a machine can't."""

from __future__ import annotations

import contextlib
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import DONE, NEEDS_PERSON

if TYPE_CHECKING:
    from grader.gradebook import Gradebook
    from grader.web.server import ServerOptions


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
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page (default: 8642).")
@click.option("--no-browser", is_flag=True, help="Print the link and open nothing.")
@click.option("--host", metavar="ADDRESS", help="Share the page at this address; see --password.")
@click.option("--name", "names", metavar="HOST", multiple=True, help="Another name of this host.")
@click.option("--password", is_flag=True, help="Ask for a password of yours to sign in with.")
@click.option("--certificate", type=click.Path(path_type=Path, dir_okay=False), help="For TLS.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="Its private key.")
@debug_option
def mark_command(
    *,
    out: Path,
    assignment: str | None,
    marker: str | None,
    sheet: Path | None,
    item: str | None,
    port: int | None,
    no_browser: bool,
    host: str | None,
    names: tuple[str, ...],
    password: bool,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Mark written answers, in your browser or on an offline sheet.

    Prints a link to a page on this computer that nobody else can open, and serves it until Ctrl-C.
    Each mark is kept at once. To share the page, --host needs --password.

    A sheet has a line for each answer. In those that you leave blank nothing changes; what was
    marked by others meanwhile is listed and not overwritten.
    """
    from grader import fault_log

    fault_log.log_faults_in(out)
    by = (marker or _user_name()).strip()
    if sheet is not None:
        _exchange_sheet(sheet, out=out, assignment=assignment, by=by, item=item)
        return
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key go together")
    from grader.web.server import ServerOptions

    service = ServerOptions(
        name=by or "staff",
        port=port,
        host=host,
        names=names,
        browser=not no_browser,
        certificate=certificate,
        key=key,
    )
    _serve_console(service, out=out, assignment=assignment, password=password)


def _serve_console(
    service: ServerOptions, *, out: Path, assignment: str | None, password: bool
) -> None:
    """Serve the console until it is interrupted."""
    from grader.cli.graded_folder import load_rubric_for_gradebook, open_folder_gradebook
    from grader.folder import OutputFolder
    from grader.web.server import serve

    with open_folder_gradebook(out) as book:
        rubric = load_rubric_for_gradebook(book, assignment=assignment)
        if password:
            _set_password(book, service.name)
        if service.host is not None:
            _refuse_without_password(book, service.name)
        click.echo(f"Marking {rubric.title} as {service.name}. Ctrl-C ends it; marks are kept.")
        with contextlib.suppress(KeyboardInterrupt):
            serve(
                OutputFolder(out), book=book, rubric=rubric, service=service, print_line=click.echo
            )


def _set_password(book: Gradebook, name: str) -> None:
    """Ask for a password; where nobody is at the keyboard, it is the first line that comes in."""
    from grader.gradebook import team
    from grader.web.passwords import MIN_PASSWORD_LENGTH, hash_password

    if sys.stdin.isatty():
        password = click.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < MIN_PASSWORD_LENGTH:
        raise click.UsageError(f"a password has {MIN_PASSWORD_LENGTH} letters or more")
    team.register_grader(book, name, secret=hash_password(password))


def _refuse_without_password(book: Gradebook, name: str) -> None:
    from grader.gradebook import team

    if team.password_hash_for(book, name) is None:
        raise click.UsageError("--host needs --password: whoever can reach the page could mark")


def _user_name() -> str:
    """The name of whoever is at the keyboard; '' where the computer knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _exchange_sheet(
    sheet: Path, *, out: Path, assignment: str | None, by: str, item: str | None
) -> None:
    """Write the sheet or read it, by whether it is there."""
    from grader.cli.graded_folder import open_folder_gradebook, refresh_after_marking
    from grader.cli.offline_sheet import import_sheet, write_sheet
    from grader.report.text_format import format_count, printable

    with open_folder_gradebook(out) as book:
        if not sheet.exists():
            count = write_sheet(book, sheet, item=item)
            answers = format_count(count, singular="answer", plural="answers")
            click.echo(f"wrote {answers} to {printable(str(sheet))}; fill in points and comments,")
            click.echo("then run the same command again")
            return
        sheet_read = import_sheet(book, sheet, by=by)
        click.echo(
            f"{format_count(len(sheet_read.marked), singular='mark', plural='marks')} given, {sheet_read.unchanged} there already"
        )
        for conflict in sheet_read.conflicts:
            click.echo(printable(conflict))
        click.echo(refresh_after_marking(book, out=out, assignment=assignment))
    sys.exit(NEEDS_PERSON if sheet_read.conflicts else DONE)
