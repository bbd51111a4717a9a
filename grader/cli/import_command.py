"""`grade import`: brings an assignment of nbgrader or otter-grader here."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared_options import FOLDER

if TYPE_CHECKING:
    from grader.importing.imported_assignment import ImportedAssignment

into_option = click.option(
    "--into",
    type=FOLDER,
    default=Path(),
    help="Folder that holds, or will hold, rubrics/ and reference/ (default: the current one).",
)
id_option = click.option("--id", "assignment_id", help="Id of the assignment here.")
SOURCE = click.Path(exists=True, path_type=Path)


@click.group("import")
def import_command() -> None:
    """Bring an assignment of another grader here: questions, points, solutions and tests.

    Nothing of it is run. What is not understood is listed here and in the rubric, and
    `grade validate` fails until somebody has settled it.
    """


@import_command.command("nbgrader")
@click.argument("source", type=SOURCE)
@into_option
@id_option
def import_nbgrader(*, source: Path, into: Path, assignment_id: str | None) -> None:
    """Bring SOURCE here: a notebook, an assignment's folder, or a whole course of nbgrader's.

    Item ids are the cells' `grade_id`. Writes rubrics/ID.toml, rubrics/ID/ and reference/.
    """
    from grader.importing.nbgrader_source import read_nbgrader

    for assignment in read_nbgrader(source, assignment_id=assignment_id):
        write_and_tell(assignment, into=into)


@import_command.command("otter")
@click.argument("source", type=SOURCE)
@click.option(
    "--solution",
    type=SOURCE,
    help="The solved notebook, which passes the autograder's tests; a zip needs it.",
)
@into_option
@id_option
def import_otter(
    *, source: Path, solution: Path | None, into: Path, assignment_id: str | None
) -> None:
    """Bring SOURCE here: a master notebook, or an autograder of otter-grader's.

    The autograder is its zip, or a notebook that `otter assign` made, with tests in its metadata.

    Item ids are the questions' names. Writes rubrics/ID.toml, rubrics/ID/ and reference/.
    """
    from grader.importing.otter_assignment import read_master_assignment
    from grader.importing.otter_solution import has_tests
    from grader.importing.otter_source import read_autograder, read_tested_notebook

    if source.suffix.lower() == ".ipynb" and has_tests(source):
        assignment = read_tested_notebook(source, solution=solution, assignment_id=assignment_id)
    elif source.suffix.lower() != ".zip":
        assignment = read_master_assignment(source, assignment_id=assignment_id)
    elif solution is None:
        raise click.UsageError("a zip has no solved notebook in it: name one by --solution")
    else:
        assignment = read_autograder(source, solution=solution, assignment_id=assignment_id)
    write_and_tell(assignment, into=into)


def write_and_tell(assignment: ImportedAssignment, *, into: Path) -> None:
    """Write an assignment's files; tell what they are, and what a person must settle."""
    from grader.importing.assignment_files import write_assignment

    for path in write_assignment(assignment, root=into):
        click.echo(f"created {path}")
    kinds = [item.kind for item in assignment.items]
    automatic, written = kinds.count("auto"), kinds.count("written")
    click.echo(f"{assignment.id}: {automatic} automatic questions, {written} for a person to mark")
    for sentence in assignment.left_out:
        click.echo(f"note: {sentence}")
    for entry in assignment.unsettled:
        cell = f", cell {entry.cell}" if entry.cell else ""
        click.echo(f"to settle: {entry.file}{cell}: {entry.text}")
    change_folder = "" if into == Path() else f"cd {shlex.quote(str(into))} && "
    click.echo(f"\nNow: {change_folder}grade validate {assignment.id}")
