"""`grade anonymize`: a copy of a graded class without names."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.shared_options import FILE, FOLDER, assignment_option, folder_argument


@click.command("anonymize", short_help="Copy pages, CSV and JSON without names and ids.")
@folder_argument
@click.option(
    "--to",
    type=FOLDER,
    required=True,
    help="Folder to write the copy to; it must not be there yet.",
)
@click.option(
    "--key", type=FILE, help="File to write who is who to (default: beside the copy, TO-key.csv)."
)
@assignment_option("Rubric it was graded by (default: as it says).")
def anonymize_command(*, folder: Path, to: Path, key: Path | None, assignment: str | None) -> None:
    """Copy pages, CSV and JSON of FOLDER (default: graded) without names and ids.

    For research, or for a complaint that others are to judge. Who is who is in a file of its
    own: keep it apart. Texts of answers and code are searched for the names and ids of everyone in
    the class; pictures are left out. The gradebook is not copied. Read the copy before you pass it
    on: what nobody could know to be a name, a nickname say, is still there.
    """
    from grader.cli.graded_folder import load_rubric_for_folder
    from grader.privacy import write_anonymized_copy
    from grader.report.text_format import format_count, printable

    key_path = key or to.with_name(f"{to.name}-key.csv")
    rubric = load_rubric_for_folder(folder, assignment=assignment)
    copied = write_anonymized_copy(folder, to=to, key=key_path, rubric=rubric)
    people = format_count(copied.people, singular="person", plural="people")
    submissions = format_count(copied.submissions, singular="submission")
    click.echo(printable(f"{to}: {submissions} of {people}, without names"))
    if copied.pictures:
        pictures = format_count(copied.pictures, singular="picture was", plural="pictures were")
        click.echo(f"{pictures} left out: a name may be on them")
    click.echo(printable(f"{key_path}: who is who; keep it apart from the copy"))
