"""`grade init`: creates a new assignment."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from grader.cli.shared_options import FOLDER


@click.command("init", short_help="Create a small, complete assignment.")
@click.argument("name")
@click.option("--title", help="Title (default: NAME).")
@click.option(
    "--into",
    type=FOLDER,
    default=Path(),
    help="Folder that holds, or will hold, rubrics/ and reference/ (default: the current one).",
)
def init_command(*, name: str, title: str | None, into: Path) -> None:
    """Create the assignment NAME: a small one, complete, that passes `grade validate` at once.

    Writes rubrics/NAME.toml, reference/NAME.ipynb, cases, mutants, a workflow for CI, .gitignore
    and a README. A rubric that exists is an error; other files that exist are left as they are.
    """
    from grader.authoring.new_assignment import create_assignment

    for path in create_assignment(name, title=title or name, root=into):
        click.echo(f"created {path}")
    change_folder = "" if into == Path() else f"cd {shlex.quote(str(into))} && "
    click.echo(f"\nNow: {change_folder}grade validate {name}")
