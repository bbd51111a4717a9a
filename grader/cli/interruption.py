"""Says what a command keeps that is stopped by Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grader.cli.terminal_messages import print_message


@contextmanager
def tell_interruption(describe: Callable[[], str]) -> Iterator[None]:
    """Print what is kept where the block is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        print_message(describe())
        raise
