"""Options that several commands take, each written down once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from grader.settings import PeopleFiles

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
GRADED = Path("graded")

folder_argument = click.argument("folder", type=FOLDER, default=GRADED)
python_option = click.option(
    "--python", metavar="PATH", help="Python for notebooks (default: this one)."
)
parts_option = click.option(
    "--parts",
    "location_overrides",
    type=click.Path(path_type=Path),
    help="CSV that tells in which cells items are answered (see `grade parts`).",
)


def assignment_option(help_text: str) -> Decorator:
    """Return the option `--assignment`, whose default differs by command."""
    return click.option("--assignment", metavar="ID", help=help_text)


def out_option(help_text: str, *, default: Path) -> Decorator:
    """Return the option `--out` for a folder."""
    return click.option("--out", type=FOLDER, default=default, show_default=True, help=help_text)


def jobs_option(what: str) -> Decorator:
    """Return the option `--jobs`."""
    return click.option("-j", "--jobs", type=click.IntRange(1), help=f"{what} (default: cores).")


def unsandboxed_option(verb: str) -> Decorator:
    """Return the option `--allow-unsandboxed`."""
    return click.option(
        "--allow-unsandboxed",
        "unsandboxed",
        is_flag=True,
        help=f"{verb} even where there is no sandbox.",
    )


_PEOPLE_OPTIONS = (
    click.option("--roster", type=FILE, help="CSV of the course: id, name, e-mail, section."),
    click.option("--no-roster", is_flag=True, help="Forget the roster of earlier runs."),
    click.option("--extensions", type=FILE, help="CSV: id, due date with UTC offset."),
    click.option("--times", type=FILE, help="CSV: id, submission time."),
    click.option("--show-ids", is_flag=True, help="Show students whole ids on their pages."),
)


def people_options(command: Command) -> Command:
    """Give a command the options that say who is in the course; the gradebook remembers them."""
    for option in reversed(_PEOPLE_OPTIONS):
        command = option(command)
    return command


def take_people_files(options: dict[str, Any]) -> PeopleFiles:
    """Remove the people options from all options of a command, and return them as settings."""
    from grader.settings import PeopleFiles

    names = ("roster", "no_roster", "extensions", "times", "show_ids")
    return PeopleFiles(**{name: options.pop(name) for name in names})
