"""`grade import`: brings an assignment of nbgrader or otter-grader here."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.shared_options import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.importing.imported_assignment import ImportedAssignment
    from grader.importing.nbgrader_gradebook import PeerGradebook

into_option = click.option(
    "--into",
    type=FOLDER,
    default=Path(),
    help="Folder that holds, or will hold, rubrics/ and reference/ (default: the current one).",
)
id_option = click.option("--id", "assignment_id", help="Id of the assignment here.")
SOURCE = click.Path(exists=True, path_type=Path)


@click.group("import", short_help="Import an assignment of nbgrader or otter-grader.")
def import_command() -> None:
    """Import an assignment of another grader: questions, points, solutions and tests.

    Nothing of it is run. What is not understood is listed here and in the rubric, and
    `grade validate` fails until somebody has settled it.
    """


@import_command.command("nbgrader")
@click.argument("source", type=SOURCE)
@click.option(
    "--gradebook",
    type=click.Path(exists=True, path_type=Path, dir_okay=False),
    help="nbgrader's gradebook.db: its students, and the points and comments that people gave.",
)
@into_option
@id_option
def import_nbgrader(
    *, source: Path, gradebook: Path | None, into: Path, assignment_id: str | None
) -> None:
    """Import SOURCE: a notebook, an assignment's folder, or a whole course of nbgrader's.

    Item ids are the cells' `grade_id`. Writes rubrics/ID.toml, rubrics/ID/ and reference/; with
    --gradebook also imported/, whose marks each run takes. Assignments that are here already are
    left as they are then.
    """
    from grader.importing.assignment_files import rubric_path
    from grader.importing.nbgrader_gradebook import read_peer_gradebook
    from grader.importing.nbgrader_source import course_folder, read_nbgrader

    records = read_peer_gradebook(gradebook) if gradebook else None
    assignments = read_nbgrader(source, assignment_id=assignment_id)
    for assignment in assignments:
        path = into / rubric_path(assignment)
        if records and path.exists():
            click.echo(f"{path} is there already, and stays as it is")
        else:
            write_and_tell(assignment, into=into)
    if records:
        write_records_and_tell(records, assignments, into=into, course=course_folder(source))


def write_records_and_tell(
    gradebook: PeerGradebook,
    assignments: Sequence[ImportedAssignment],
    *,
    into: Path,
    course: Path,
) -> None:
    """Write roster and marks of a gradebook; tell what they are, and what to look at."""
    from grader.importing.imported_records import write_records
    from grader.report.text_format import printable

    copies = (course / "autograded", gradebook.path.parent / "autograded")
    autograded = next((path for path in copies if path.is_dir()), copies[0])
    written = write_records(gradebook, assignments, root=into, autograded=autograded)
    click.echo()
    for path in written.created:
        click.echo(f"created {path}")
    for sentence in written.summary:
        click.echo(printable(sentence))
    for remark in written.remarks:
        click.echo(printable(f"look at: {remark}"))
    click.echo("The next `grade` of these submissions takes the marks, by the name of nbgrader.")


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
    click.echo(f"{assignment.id}: {automatic} automatic questions, {written} to grade by hand")
    for sentence in assignment.left_out:
        click.echo(f"note: {sentence}")
    for entry in assignment.unsettled:
        cell = f", cell {entry.cell}" if entry.cell else ""
        click.echo(f"to settle: {entry.file}{cell}: {entry.text}")
    change_folder = "" if into == Path() else f"cd {shlex.quote(str(into))} && "
    click.echo(f"\nNow: {change_folder}grade validate {assignment.id}")
