"""The options by which a run hears of people; what it was told, the gradebook remembers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from grader.settings import PeopleFiles

_FILE = click.Path(path_type=Path, dir_okay=False)
_OPTIONS = (
    click.option("--roster", type=_FILE, help="CSV of the course: ids, names, e-mails, sections."),
    click.option("--no-roster", is_flag=True, help="Forget the roster of earlier runs."),
    click.option(
        "--extensions", type=_FILE, help="CSV of ids and due dates of their own, with offsets."
    ),
    click.option("--times", type=_FILE, help="CSV of ids and times of handing in."),
    click.option("--show-ids", is_flag=True, help="Show students whole ids on their pages."),
)


def people_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def people_files(options: dict[str, Any]) -> PeopleFiles:
    """What the options say."""
    from grader.settings import PeopleFiles

    return PeopleFiles(**options)
