"""`grade export`: files for learning management systems, spreadsheets and programs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.exit_codes import DONE, PERSON

if TYPE_CHECKING:
    from grader.exports import Line
    from grader.pipeline.export_run import Written

Command = Callable[..., None]


@click.group("export")
def export_command() -> None:
    """Write grades as a file that another program reads.

    Each command takes FOLDER, what `grade` wrote (default: graded), and writes to FOLDER/exports or
    --out. What waits for marks is an empty cell and is listed; nobody is guessed.

    Exit code 0: written. 1: written, but somebody was left out. 2: not written.
    """


def _format(name: str) -> Callable[[Command], Command]:
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


_into = click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that you downloaded, to be filled; it is not changed itself.",
)
_so_far = click.option(
    "--so-far", is_flag=True, help="Who waits for marks gets what is earned so far, said as such."
)


@_format("csv")
def csv_command(**options: Any) -> None:
    """The gradebook as CSV: a row a student, a column an item."""
    _run("csv", **options)


@_format("json")
def json_command(**options: Any) -> None:
    """All results as one JSON document."""
    _run("json", **options)


@_format("nbgrader")
def nbgrader_command(**options: Any) -> None:
    """The table that `nbgrader export` writes."""
    _run("nbgrader", **options)


@_format("canvas")
@_into
@click.option("--column", metavar="HEADER", default="", help="Assignment to fill, or its number.")
@_so_far
def canvas_command(**options: Any) -> None:
    """Fill one column of a gradebook downloaded from Canvas (--into)."""
    _run("canvas", **options)


@_format("moodle")
@_into
@click.option("--column", metavar="HEADER", default="", help="Column of grades (default: found).")
@click.option("--comments", metavar="HEADER", default="", help="Column for a line of comment, too.")
@_so_far
def moodle_command(**options: Any) -> None:
    """Fill the grading worksheet downloaded from a Moodle assignment (--into)."""
    _run("moodle", **options)


@_format("gradescope")
def gradescope_command(**options: Any) -> None:
    """A results.json for each submission, as Gradescope's harness reads it."""
    _run("gradescope", **options)


@_format("feedback")
@click.option(
    "--for",
    "lms",
    type=click.Choice(["plain", "canvas", "moodle"]),
    default="plain",
    show_default=True,
    help="Where it will be uploaded.",
)
@_into
@_so_far
def feedback_command(**options: Any) -> None:
    """A zip of the reports, each named so that it finds its student."""
    _run("feedback", **options)


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
    from grader.pipeline.autograder_kit import pack

    options = [*(("--isolation", isolation) if isolation else ())]
    options += ["--allow-unsandboxed"] if allow_unsandboxed else []
    size = pack(
        root=Path.cwd(),
        assignment=assignment,
        out=out,
        requirements=requirements,
        options=options,
    )
    click.echo(f"{out}: {size / 1_000_000:.1f} MB, with the reference in it: keep it to yourself.")


def _run(
    name: str,
    *,
    folder: Path,
    assignment: str | None,
    out: Path | None,
    into: Path | None = None,
    **wishes: Any,
) -> None:
    # Imported here so that --help answers at once.
    from grader.exports import Wish
    from grader.pipeline.export_run import Order, export

    order = Order(
        format=name,
        folder=folder,
        root=Path.cwd(),
        assignment=assignment,
        out=out,
        into=into,
        wish=Wish(**wishes),
    )
    written = export(order)
    _tell(written)
    sys.exit(PERSON if written.needs_person else DONE)


def _tell(written: Written) -> None:
    """Say what was written and who was not, on standard error."""
    from grader.report.text_format import printable

    export = written.export
    lines = [f"{export.done[:1].upper()}{export.done[1:]}."]
    lines += _listed("No number yet", export.waiting)
    lines += _listed("Left out, for you to look at", export.left)
    if written.unread:
        lines += ["", f"Not graded yet: {', '.join(written.unread)}"]
    lines += ["", *export.notes] if export.notes else []
    places = written.places
    lines += [
        "",
        str(places[0]) if len(places) == 1 else f"{len(places)} files in {places[0].parent}",
    ]
    click.echo(printable("\n".join(lines)))


def _listed(title: str, who: tuple[Line, ...]) -> list[str]:
    return (
        ["", f"{title} ({len(who)}):", *(f"  {line.who}: {line.why}" for line in who)]
        if who
        else []
    )
