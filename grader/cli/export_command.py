"""`grade export`: files for learning management systems, spreadsheets and programs."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.shared_options import FILE, Command, Decorator, assignment_option, folder_argument

if TYPE_CHECKING:
    from grader.pipeline.export_run import ExportResult


@click.group("export", short_help="Write grades as a file for another program.")
def export_command() -> None:
    """Write grades as a file that another program reads.

    Each command takes FOLDER, what `grade` wrote (default: graded), and writes to FOLDER/exports or
    --out. What is ungraded is an empty cell and is listed; no student is guessed.

    Exit code 0: written. 1: written, but somebody was left out. 2: not written.
    """


def _run_export(
    name: str,
    *,
    folder: Path,
    assignment: str | None,
    out: Path | None,
    into: Path | None = None,
    **format_options: Any,
) -> None:
    from grader.exports import ExportOptions, read_download
    from grader.pipeline.export_run import write_export

    written = write_export(
        name,
        folder=folder,
        root=Path.cwd(),
        assignment=assignment,
        out=out,
        options=ExportOptions(into=read_download(into) if into else None, **format_options),
    )
    _print_summary(written)
    sys.exit(NEEDS_PERSON if written.needs_person else DONE)


def _print_summary(written: ExportResult) -> None:
    """Print what was written, and who was not."""
    from grader.report.text_format import printable

    export, paths = written.export, written.paths
    lines = [f"{export.summary[:1].upper()}{export.summary[1:]}."]
    for title, students in (
        ("No number yet", export.pending),
        ("Left out, for you to look at", export.left_out),
    ):
        if students:
            lines += ["", f"{title} ({len(students)}):"]
            lines += [f"  {student.label}: {student.reason}" for student in students]
    if written.ungraded:
        lines += ["", f"Not graded yet: {', '.join(written.ungraded)}"]
    lines += ["", *export.notes] if export.notes else []
    lines += ["", str(paths[0]) if len(paths) == 1 else f"{len(paths)} files in {written.folder}"]
    click.echo(printable("\n".join(lines)))


_ASSIGNMENT = assignment_option("Rubric it was graded by (default: the default).")
_OUT = click.option("--out", type=click.Path(path_type=Path), help="File or folder to write to.")


def _column_option(name: str, help_text: str) -> Decorator:
    return click.option(name, metavar="HEADER", default="", help=help_text)


_INTO = click.option(
    "--into",
    type=FILE,
    help="The file that you downloaded, to be filled; it is not changed itself.",
)
_SO_FAR = click.option(
    "--so-far",
    is_flag=True,
    help="Give students with ungraded answers their score so far, labeled as such.",
)
_FORMATS: tuple[tuple[str, str, tuple[Decorator, ...]], ...] = (
    ("csv", "The gradebook as CSV: a row per student, a column per question.", ()),
    ("json", "All results as one JSON document.", ()),
    ("nbgrader", "The table that `nbgrader export` writes.", ()),
    (
        "canvas",
        "Fill one column of a gradebook downloaded from Canvas (--into).",
        (_INTO, _column_option("--column", "Assignment to fill, or its number."), _SO_FAR),
    ),
    (
        "moodle",
        "Fill the grading worksheet downloaded from a Moodle assignment (--into).",
        (
            _INTO,
            _column_option("--column", "Column of grades (default: found)."),
            _column_option("--comments", "Column for a line of comment, too."),
            _SO_FAR,
        ),
    ),
    ("gradescope", "A results.json for each submission, as Gradescope's harness reads it.", ()),
    (
        "feedback",
        "A zip of the reports, each named so that it finds its student.",
        (
            click.option(
                "--for",
                "lms",
                type=click.Choice(["plain", "canvas", "moodle"]),
                default="plain",
                show_default=True,
                help="Where it will be uploaded.",
            ),
            _INTO,
            _SO_FAR,
        ),
    ),
    ("jplag", "Code as JPlag takes it to look for copies: a .py for each submission.", ()),
    ("dolos", "Code as Dolos takes it to look for copies: a .py for each submission.", ()),
)
"""Name, help and own options of each format; `folder`, `--assignment` and `--out` all take."""

for format_name, help_text, own_options in _FORMATS:
    format_callback: Command = partial(_run_export, format_name)
    format_options: tuple[Decorator, ...] = (folder_argument, _ASSIGNMENT, _OUT, *own_options)
    for add_option in reversed(format_options):
        format_callback = add_option(format_callback)
    export_command.command(format_name, help=help_text)(format_callback)


@export_command.command("autograder")
@click.option(
    "--out",
    type=FILE,
    default=Path("autograder.zip"),
    show_default=True,
    help="Zip to write. The reference is in it.",
)
@assignment_option("Assignment to grade (default: the default one).")
@click.option(
    "--requirements",
    type=FILE,
    help="What pip installs there, instead of what is needed here.",
)
@click.option(
    "--isolation",
    type=click.Choice(["full", "namespaces", "reduced"]),
    help="Insist on a level of isolation there.",
)
@click.option(
    "--allow-unsandboxed", is_flag=True, help="Grade there even where there is no sandbox."
)
def autograder_command(
    *, out: Path, isolation: str | None, allow_unsandboxed: bool, **options: Any
) -> None:
    """An autograder for Gradescope that runs this program there."""
    from grader.errors import UsageError
    from grader.exports.autograder import build_autograder_zip
    from grader.folder import write_atomically

    run_options = ["--isolation", isolation] if isolation else []
    run_options += ["--allow-unsandboxed"] if allow_unsandboxed else []
    packed = build_autograder_zip(root=Path.cwd(), options=run_options, **options)
    try:
        write_atomically(out, packed)
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror}") from error
    click.echo(
        f"{out}: {len(packed) / 1_000_000:.1f} MB, with the reference in it: keep it to yourself."
    )
