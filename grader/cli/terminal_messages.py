"""Prints messages beside the output: on standard error, broken between words at a terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap

import click


def print_message(message: str) -> None:
    """Print a message; what is no terminal gets its lines as they are."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        message = "\n".join(_break_line(line, width=width) for line in message.splitlines())
    click.echo(message, err=True)


def _break_line(line: str, *, width: int) -> str:
    """Break a line between words; what follows is indented as its beginning is."""
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
