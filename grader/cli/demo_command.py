"""`grade demo`: copies an example course into a folder, and grades it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import click

from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.shared_options import FOLDER


@click.command("demo", short_help="Copy an example course and grade it.")
@click.argument("name", required=False)
@click.option("--into", type=FOLDER, help="Folder to create (default: NAME-demo).")
@click.option("--list", "listed", is_flag=True, help="List the courses that come along.")
@click.option("--copy-only", is_flag=True, help="Copy the course, and grade nothing.")
def demo_command(*, name: str | None, into: Path | None, listed: bool, copy_only: bool) -> None:
    """Copy the example course NAME (default: the first) into a folder, and grade it.

    Its students are invented. Afterwards try `grade mark` there, change the rubric, or `grade
    validate`.
    """
    from grader.authoring.demo_courses import copy_course, demo_courses

    courses = list(demo_courses())
    if listed:
        click.echo("\n".join(courses))
        return
    name = name or courses[0]
    folder = into or Path(f"{name}-demo")
    copy_course(name, into=folder)
    click.echo(f"copied to {folder}")
    if copy_only:
        return
    command = [sys.executable, "-m", "grader", "submissions"]
    code = subprocess.run(command, cwd=folder, check=False).returncode  # noqa: S603 - our own program
    if code not in {DONE, NEEDS_PERSON}:
        sys.exit(code)
    click.echo(
        f"\nOpen {folder / 'graded' / 'index.html'}. To grade written answers, if there are any:"
    )
    click.echo(f"    cd {shlex.quote(str(folder))} && grade mark")
