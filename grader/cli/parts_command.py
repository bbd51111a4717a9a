"""`grade parts`: in which cells each item is answered, for a person to correct."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.shared_options import folder_argument


@click.command("parts", short_help="List answers whose cells are uncertain, as CSV.")
@folder_argument
@click.option("--all", "include_sure", is_flag=True, help="List the certain answers, too.")
def parts_command(*, folder: Path, include_sure: bool) -> None:
    """Print a CSV of the answers in FOLDER (default: graded) whose cells are uncertain.

    \b
    Correct the cells, remove rows you did not look at, and give the file back:
      grade parts > parts.csv
      grade again --parts parts.csv

    In the column `cells` write 7, 7 9, 7-9 or none; leave it empty to undo an earlier correction.
    """  # noqa: D301 - click wants the mark itself
    from grader.pipeline.location_overrides import folder_locations_csv

    click.echo(folder_locations_csv(folder, include_sure=include_sure), nl=False)
