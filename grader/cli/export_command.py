"""`grade export`: files for learning management systems, spreadsheets and programs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.exit_codes import DONE, NEEDS_PERSON

if TYPE_CHECKING:
    from grader.exports import ListedStudent
    from grader.pipeline.export_run import ExportResult

Command = Callable[..., None]


@click.group("export")
def export_command() -> None:
    """Write grades as a file that another program reads.

    Each command takes FOLDER, what `grade` wrote (default: graded), and writes to FOLDER/exports or
    --out. What waits for marks is an empty cell and is listed; nobody is guessed.

    Exit code 0: written. 1: written, but somebody was left out. 2: not written.
    """


def _format_command(name: str) -> Callable[[Command], Command]:
    """A command of the group, with what every format takes."""

    def decorate(function: Command) -> Command:
        decorated: Any = function
        for option in (
            click.option(
                "--out", type=click.Path(path_type=Path), help="File or folder to write to."
            ),
            click.option(
                "--assignment", metavar="ID", help="Rubric it was graded by (default: the default)."
            ),
            click.argument(
                "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("graded")
            ),
        ):
            decorated = option(decorated)
        command: Command = export_command.command(name)(decorated)
        return command

    return decorate


_into_option = click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that you downloaded, to be filled; it is not changed itself.",
)
_partial_option = click.option(
    "--so-far", is_flag=True, help="Who waits for marks gets what is earned so far, said as such."
)


@_format_command("csv")
def csv_command(**options: Any) -> None:
    """The gradebook as CSV: a row a student, a column an item."""
    _run_export("csv", **options)


@_format_command("json")
def json_command(**options: Any) -> None:
    """All results as one JSON document."""
    _run_export("json", **options)


@_format_command("nbgrader")
def nbgrader_command(**options: Any) -> None:
    """The table that `nbgrader export` writes."""
    _run_export("nbgrader", **options)


@_format_command("canvas")
@_into_option
@click.option("--column", metavar="HEADER", default="", help="Assignment to fill, or its number.")
@_partial_option
def canvas_command(**options: Any) -> None:
    """Fill one column of a gradebook downloaded from Canvas (--into)."""
    _run_export("canvas", **options)


@_format_command("moodle")
@_into_option
@click.option("--column", metavar="HEADER", default="", help="Column of grades (default: found).")
@click.option("--comments", metavar="HEADER", default="", help="Column for a line of comment, too.")
@_partial_option
def moodle_command(**options: Any) -> None:
    """Fill the grading worksheet downloaded from a Moodle assignment (--into)."""
    _run_export("moodle", **options)


@_format_command("gradescope")
def gradescope_command(**options: Any) -> None:
    """A results.json for each submission, as Gradescope's harness reads it."""
    _run_export("gradescope", **options)


@_format_command("feedback")
@click.option(
    "--for",
    "lms",
    type=click.Choice(["plain", "canvas", "moodle"]),
    default="plain",
    show_default=True,
    help="Where it will be uploaded.",
)
@_into_option
@_partial_option
def feedback_command(**options: Any) -> None:
    """A zip of the reports, each named so that it finds its student."""
    _run_export("feedback", **options)


@export_command.command("autograder")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("autograder.zip"),
    show_default=True,
    help="Zip to write. The reference is in it.",
)
@click.option("--assignment", metavar="ID", help="Rubric to grade by (default: the default one).")
@click.option(
    "--requirements",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What pip installs there, in the place of what is needed here.",
)
@click.option(
    "--isolation",
    type=click.Choice(["full", "namespaces", "reduced"]),
    help="Insist on a level of isolation there.",
)
@click.option("--allow-unsandboxed", is_flag=True, help="Grade there even where nothing isolates.")
def autograder_command(
    *,
    out: Path,
    assignment: str | None,
    requirements: Path | None,
    isolation: str | None,
    allow_unsandboxed: bool,
) -> None:
    """An autograder for Gradescope that runs this program there."""
    from grader.pipeline.autograder_kit import pack_autograder

    options = [*(("--isolation", isolation) if isolation else ())]
    options += ["--allow-unsandboxed"] if allow_unsandboxed else []
    size = pack_autograder(
        root=Path.cwd(),
        assignment=assignment,
        out=out,
        requirements=requirements,
        options=options,
    )
    click.echo(f"{out}: {size / 1_000_000:.1f} MB, with the reference in it: keep it to yourself.")


def _run_export(
    name: str,
    *,
    folder: Path,
    assignment: str | None,
    out: Path | None,
    into: Path | None = None,
    **format_options: Any,
) -> None:
    # Imported here so that --help answers at once.
    from grader.exports import ExportOptions
    from grader.pipeline.export_run import ExportRequest, write_export

    order = ExportRequest(
        format=name,
        folder=folder,
        root=Path.cwd(),
        assignment=assignment,
        out=out,
        into=into,
        wish=ExportOptions(**format_options),
    )
    written = write_export(order)
    _print_summary(written)
    sys.exit(NEEDS_PERSON if written.needs_person else DONE)


def _print_summary(written: ExportResult) -> None:
    """Say what was written and who was not, on standard error."""
    from grader.report.text_format import printable

    export = written.export
    lines = [f"{export.summary[:1].upper()}{export.summary[1:]}."]
    lines += _list_students("No number yet", export.pending)
    lines += _list_students("Left out, for you to look at", export.left_out)
    if written.ungraded:
        lines += ["", f"Not graded yet: {', '.join(written.ungraded)}"]
    lines += ["", *export.notes] if export.notes else []
    paths = written.paths
    lines += [
        "",
        str(paths[0]) if len(paths) == 1 else f"{len(paths)} files in {paths[0].parent}",
    ]
    click.echo(printable("\n".join(lines)))


def _list_students(title: str, lines: tuple[ListedStudent, ...]) -> list[str]:
    return (
        ["", f"{title} ({len(lines)}):", *(f"  {line.label}: {line.reason}" for line in lines)]
        if lines
        else []
    )
