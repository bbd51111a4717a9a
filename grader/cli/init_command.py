"""`grade init`: begins a new assignment."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.shared_options import FOLDER


@click.command("init")
@click.argument("name")
@click.option("--title", help="How people call it (default: NAME).")
@click.option(
    "--into",
    type=FOLDER,
    default=Path(),
    help="Folder that holds rubrics/ and reference/, or is to hold them (default: this one).",
)
def init_command(*, name: str, title: str | None, into: Path) -> None:
    """Begin the assignment NAME: a small one, complete, that passes `grade validate` at once.

    Writes rubrics/NAME.toml, reference/NAME.ipynb, cases, mutants, a workflow for CI and a README;
    never over a file that is there.
    """
    from grader.authoring.new_assignment import create_assignment

    for path in create_assignment(name, title=title or name, root=into):
        click.echo(f"made {path}")
    click.echo("\nNow: grade validate " + name)
