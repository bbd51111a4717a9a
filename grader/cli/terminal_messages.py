"""Prints messages, whose lines are broken between words at a terminal."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

import click

_COLUMNS = re.compile(r" *(?:\S+ {2,})*")
"""The indentation of a line, and its columns but the last."""


def print_message(message: str, *, err: bool = True) -> None:
    """Print a message; what is no terminal gets its lines as they are."""
    if (sys.stderr if err else sys.stdout).isatty():
        width = shutil.get_terminal_size().columns
        message = "\n".join(_break_line(line, width=width) for line in message.splitlines())
    click.echo(message, err=err)


def _break_line(line: str, *, width: int) -> str:
    """Break a line between words; what follows begins where its last column does."""
    start = _COLUMNS.match(line)
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * (start.end() if start else 0),
        break_long_words=False,
        break_on_hyphens=False,
    )
