"""Finds an answer that is no word of its own: the option that is marked in 'True or **False**?'."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.notebook.prompt_search import StreamWord

_TAG = r"(?:b|u|i|em|strong|mark|ins|del|s|strike|font|span|code)"
_OPEN = rf"(?:\*{{1,3}}|_{{1,3}}|~~|==|`|[\[(]|<{_TAG}\b[^<>]{{0,100}}>)+"
_CLOSE = rf"[?.!]?(?:\*{{1,3}}|_{{1,3}}|~~|==|`|[\])]|</{_TAG}\s*>)+"
_OR = r"(?:\s+(?:or|oder|ou|o)\s+|\s*/\s*)"
_WORD = r"[^\W\d_]+"
_MARKED = (
    re.compile(rf"(?<!\w){_OPEN}(?P<one>{_WORD}){_CLOSE}{_OR}(?P<two>{_WORD})(?!\w)"),
    re.compile(rf"(?<!\w)(?P<one>{_WORD}){_OR}{_OPEN}(?P<two>{_WORD}){_CLOSE}"),
    re.compile(rf"~~(?P<one>{_WORD}){_OR.replace('+', '*')}~~\s*(?P<two>{_WORD})(?!\w)"),
    re.compile(rf"(?<!\w)(?P<one>{_WORD})\s*~~{_OR.replace('+', '*')}(?P<two>{_WORD})~~"),
)
_CHOICE = re.compile(rf"(?<!\w)(?P<one>{_WORD}){_OR}(?P<two>{_WORD})(?!\w)")


def marked_options(line: str, *, start: int, end: int) -> Iterator[str]:
    """Yield choices of which one option is marked or struck out, as they stand in a line.

    Args:
        line: The line.
        start: The column where a prompt begins in it.
        end: The column where it ends.
    """
    for pattern in _MARKED:
        for match in pattern.finditer(line):
            if match.start("one") >= start and match.end("two") <= end:
                yield match[0]


def option_left(prompt: str, words: Sequence[StreamWord]) -> StreamWord | None:
    """Return the option of a prompt's choice from which the other was deleted, in other words."""
    for choice in _CHOICE.finditer(prompt):
        options = {choice["one"].casefold(), choice["two"].casefold()}
        left = [word for word in words if word.text in options]
        if len(left) == 1:
            return left[0]
    return None
