"""`grade backup`: a copy of the gradebook, whoever is writing in it."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.shared_options import FILE, folder_argument


@click.command("backup", short_help="Copy the gradebook safely while it is in use.")
@folder_argument
@click.option(
    "--to", type=FILE, help="File to write (default: FOLDER/backups/, by the time of day)."
)
def backup_command(*, folder: Path, to: Path | None) -> None:
    """Copy the gradebook of FOLDER (default: graded) while others may write in it.

    The copy holds all grades and marks as they are at one moment, and the secret seed: keep it as
    private as the folder. To go back to it, put it where FOLDER/gradebook.db is.
    """
    from datetime import UTC, datetime

    from grader.errors import UsageError
    from grader.folder import OutputFolder
    from grader.gradebook.backup import back_up_gradebook
    from grader.report.text_format import printable

    if (folder / OutputFolder.ADDRESS_FILE).is_file():
        raise UsageError(f"{folder}: its gradebook is in PostgreSQL; copy it with pg_dump")
    now = datetime.now(UTC)
    backup_path = to or folder / "backups" / f"gradebook-{now:%Y%m%dT%H%M%SZ}.db"
    size = back_up_gradebook(folder / OutputFolder.DATABASE_FILE, to=backup_path)
    click.echo(f"{printable(str(backup_path))}: {size / 1e6:.1f} MB, checked and complete")
