"""`grade parts`: in which cells each question is answered, for a person to correct."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.shared_options import folder_argument


@click.command("parts")
@folder_argument
@click.option("--all", "every", is_flag=True, help="List what is sure, too.")
def parts_command(*, folder: Path, every: bool) -> None:
    r"""Print as CSV where answers in FOLDER (default: graded) were found, where that is unsure.

    \b
    Correct the cells, remove the rows you did not look at, and give the file back:
      grade parts > parts.csv
      grade again --parts parts.csv

    Cells are written 7, '7 9', 7-9 or none; an empty one takes an earlier correction back.
    """
    from grader.pipeline.location_overrides import folder_locations_csv

    click.echo(folder_locations_csv(folder, include_sure=every), nl=False)
