"""`grade fetch`: submissions from a learning management system, by its API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.shared_options import FOLDER, Command

if TYPE_CHECKING:
    from grader.canvas.fetching import FetchResult
    from grader.canvas.requester import CanvasRequester

INSTALL = "Canvas needs one more package: pip install 'notebook-grader[canvas]'"


@click.group("fetch")
def fetch_group() -> None:
    """Fetch submissions from where students submit them."""


def canvas_option(command: Command) -> Command:
    """Give a command the option that says where Canvas is; the token is never an option."""
    return click.option(
        "--url", metavar="ADDRESS", help="Where Canvas is (default: the variable CANVAS_URL)."
    )(command)


@fetch_group.command("canvas")
@click.argument("course", type=click.IntRange(1))
@click.argument("assignment", type=click.IntRange(1))
@click.option("--out", type=FOLDER, help="Folder to write to (default: canvas-COURSE-ASSIGNMENT).")
@click.option("--all-attempts", is_flag=True, help="Fetch files of earlier attempts, too.")
@canvas_option
def fetch_canvas_command(
    *, course: int, assignment: int, out: Path | None, all_attempts: bool, url: str | None
) -> None:
    """Fetch an assignment from Canvas, with roster and extensions.

    COURSE and ASSIGNMENT are the numbers in its address: /courses/COURSE/assignments/ASSIGNMENT.
    The token is read from the variable CANVAS_TOKEN, or from a keyring. The same command again
    fetches what is new.
    """
    requester = open_requester(url)
    from grader.canvas.course import RemoteAssignment
    from grader.canvas.fetching import AssignmentFetcher
    from grader.submissions.fetch_manifest import CanvasSource

    source = CanvasSource(url=requester.original_url, course=course, assignment=assignment)
    result = AssignmentFetcher(
        RemoteAssignment(source, requester=requester),
        folder=out or Path(f"canvas-{course}-{assignment}"),
        on_file=show_count("file"),
    ).fetch(all_attempts=all_attempts)
    _print_result(result)
    raise SystemExit(NEEDS_PERSON if result.faults else DONE)


def show_count(singular: str) -> Callable[[int, int], None]:
    """Return what shows in one line of a terminal how far something is."""
    is_terminal = sys.stderr.isatty()

    def show(number: int, count: int) -> None:
        if is_terminal:
            end = "\n" if number == count else ""
            click.echo(f"\r{singular} {number} of {count}{end}", nl=False, err=True)

    return show


def open_requester(url: str | None) -> CanvasRequester:
    """Return what speaks with Canvas.

    Raises:
        UsageError: A package, the address or the token is missing.
    """
    from grader import settings
    from grader.errors import UsageError

    try:
        from grader.canvas.requester import CanvasRequester
    except ImportError as error:
        raise UsageError(INSTALL) from error
    from grader.canvas.access import open_access

    address, token = settings.canvas_variables()
    access = open_access(address=url or address, token=token)
    return CanvasRequester(access, notify=lambda line: click.echo(line, err=True))


def _print_result(result: FetchResult) -> None:
    """Print what was fetched, and how to go on."""
    import shlex

    from grader.canvas.fetching import EXTENSIONS, ROSTER
    from grader.report.text_format import format_count, printable

    submissions = format_count(result.submissions, singular="submission")
    students = format_count(result.students, singular="student")
    files = format_count(result.fetched_files, singular="file")
    lines = [
        f"{result.title}: {submissions}, {students}, {result.extensions} with another due date.",
        f"{files} fetched, {result.kept_files} there already.",
    ]
    if result.faults:
        lines += ["", f"Not fetched, for you to look at ({len(result.faults)}):"]
        lines += [f"  {fault}" for fault in result.faults]
    folder = shlex.quote(str(result.folder))
    words = f"grade {folder} --roster {folder}/{ROSTER}"
    if result.extensions:
        words += f" --extensions {folder}/{EXTENSIONS}"
    lines += ["", f"Next: {words}"]
    click.echo(printable("\n".join(lines)))
