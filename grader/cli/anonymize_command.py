"""`grade anonymize`: a copy of a graded class without names."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("anonymize")
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
def anonymize_command(*, folder: Path, to: Path, key: Path | None, assignment: str | None) -> None:
    """Copy pages, CSV and JSON of FOLDER (default: graded) without names and ids.

    For research, or for a complaint that others are to judge. Who is who stands in a file of its
    own: keep it apart. Texts of answers and code are searched for the names and ids of everyone in
    the class; pictures are left out. The gradebook is not copied. Read the copy before you pass it
    on: what nobody could know to be a name, a nickname say, is still there.
    """
    from grader.cli.rubric_of import load_rubric_for_folder
    from grader.privacy import write_anonymized_copy
    from grader.report.text_format import format_count, printable

    key_path = key or to.with_name(f"{to.name}-key.csv")
    rubric = load_rubric_for_folder(folder, assignment=assignment)
    copied = write_anonymized_copy(folder, to=to, key=key_path, rubric=rubric)
    people_count = format_count(copied.people, singular="person", plural="people")
    submission_count = format_count(copied.submissions, singular="submission", plural="submissions")
    click.echo(printable(f"{to}: {submission_count} of {people_count}, without names"))
    if copied.pictures:
        picture_count = format_count(
            copied.pictures, singular="picture was", plural="pictures were"
        )
        click.echo(f"{picture_count} left out: a name may stand on them")
    click.echo(printable(f"{key_path}: who is who; keep it apart from the copy"))
