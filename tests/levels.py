"""The levels of isolation that the command knows, and the options that force one."""

from __future__ import annotations

from typing import Literal

from grader.cli.run_command import run_command

Level = Literal["none", "reduced", "namespaces", "full"]
LEVELS: tuple[Level, ...] = ("none", "reduced", "namespaces", "full")


def offered() -> tuple[Level, ...]:
    """The levels that can be asked for; `none` alone while the command has no such option."""
    known = any("--isolation" in parameter.opts for parameter in run_command.params)
    return LEVELS if known else ("none",)


def options(level: Level) -> tuple[str, ...]:
    """The options that ask for a level."""
    if offered() == ("none",):
        return ()
    allowed = ("--allow-unsandboxed",) if level == "none" else ()
    return ("--isolation", level, *allowed)
