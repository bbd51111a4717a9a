"""Every command that the documents show is one that the program understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from grader.cli import cli

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/**/*.md")])
BLOCK = re.compile(r"^(?: {4,}|\$ |(?:cd [\w-]+ && )?(?=grade ))\$? ?(?:.*&& )?grade (.+)$")
INLINE = re.compile(r"`grade ([a-z][^`]*)`")
ELIDED = re.compile(r"…|\.\.\.|\||\[|^or$")
"""What stands in a text for words that are left out, or for a choice."""


def shown_in(page: str) -> Iterator[str]:
    """Yield the words after `grade` of each command in blocks and in the text."""
    for line in page.splitlines():
        if block := BLOCK.match(line):
            yield re.split(r"\s#|\s>|\s\||\s&&", block[1])[0]
        else:
            yield from INLINE.findall(line)


def find_command(args: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """Return the command that words call (or the last group on the way), and what is left."""
    if args and args[0] not in cli.commands:
        args = ["run", *args]
    command: click.Command = cli
    context = click.Context(cli, info_name="grade")
    while isinstance(command, click.Group) and args and args[0] in command.commands:
        command = command.commands[args[0]]
        context = click.Context(command, info_name=args[0], parent=context)
        args = args[1:]
    return command, context, args


def misunderstood(words: str) -> str | None:
    """Return what the program would say of a command's options and words, without running it."""
    args = shlex.split(words)
    if any(ELIDED.search(arg) for arg in args):
        return None
    command, context, args = find_command(args)
    if isinstance(command, click.Group):
        return f"no command {args[0]}" if args else None
    try:
        values, left, _ = command.make_parser(context).parse_args([*args])
        for parameter in command.params:
            if isinstance(parameter.type, click.Choice) and parameter.name in values:
                parameter.type_cast_value(context, values[parameter.name])
    except click.BadOptionUsage as error:
        # A text names an option as such: "with `grade mark --sheet`".
        return None if args[-1] == error.option_name else error.format_message()
    except click.UsageError as error:
        return error.format_message()
    return f"too many words: {left}" if left else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_of_a_page_are_understood(page: Path) -> None:
    faults = {words: misunderstood(words) for words in shown_in(page.read_text("utf-8"))}

    assert {words: fault for words, fault in faults.items() if fault} == {}


def test_blocks_and_texts_are_read() -> None:
    page = "    grade run a --out b  # c\n$ grade again\nSay `grade check x.ipynb` or `grade`.\n"

    assert list(shown_in(page)) == ["run a --out b ", "again", "check x.ipynb"]
    assert len(list(shown_in((ROOT / "README.md").read_text("utf-8")))) > 8


@pytest.mark.parametrize(
    ("words", "understood"),
    [
        ("submissions/ --all", True),
        ("export canvas --into FILE", True),
        ("push canvas", True),
        ("marks export --to marks.json", True),
        ("again --no-such-option", False),
        ("export paper", False),
        ("mark --sheet", True),
        ("marks ate", False),
        ("backup one two three", False),
    ],
)
def test_a_command_that_is_not_there_is_noticed(words: str, *, understood: bool) -> None:
    assert (misunderstood(words) is None) is understood
