"""`grade anonymise`: a copy of a graded class without names."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("anonymise")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("graded"))
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write the copy to; it must not be there yet.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write who is who to (default: beside the copy, TO-key.csv).",
)
@click.option("--assignment", metavar="ID", help="Rubric it was graded by (default: as it says).")
def anonymise_command(*, folder: Path, to: Path, key: Path | None, assignment: str | None) -> None:
    """Copy pages, CSV and JSON of FOLDER (default: graded) without names and ids.

    For research, or for a complaint that others are to judge. Who is who stands in a file of its
    own: keep it apart. Texts of answers and code are searched for the names and ids of everyone in
    the class; pictures are left out. The gradebook is not copied. Read the copy before you pass it
    on: what nobody could know to be a name, a nickname say, is still there.
    """
    from grader.cli.rubric_of import rubric_of
    from grader.privacy import copy_without_names
    from grader.report.text_format import counted, printable

    place = key or to.with_name(f"{to.name}-key.csv")
    rubric = rubric_of(folder, assignment=assignment)
    copied = copy_without_names(folder, to=to, key=place, rubric=rubric)
    who = counted(copied.people, one="person", many="people")
    what = counted(copied.submissions, one="submission", many="submissions")
    click.echo(printable(f"{to}: {what} of {who}, without names"))
    if copied.pictures:
        left = counted(copied.pictures, one="picture was", many="pictures were")
        click.echo(f"{left} left out: a name may stand on them")
    click.echo(printable(f"{place}: who is who; keep it apart from the copy"))
