"""Turns a notebook's code into one Python script for programs that parse and never run it.

What only IPython reads becomes a comment, and so does what Python can't parse: such programs leave
out a file with a syntax error, and a copy would get away by one.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

_CELL_MAGIC = re.compile(r"(?:[ \t]*(?:\#[^\n]*)?\n)*[ \t]*%%(?!%)")
_LINE_MAGIC = re.compile(
    r"^(?P<indent>[ \t]*)"
    r"(?:(?P<name>[^\W\d][\w.,\t ]*=[ \t]*)(?=[%!])|(?=[%!?]|[\w.]+\?{1,2}[ \t]*$))"
    r"(?P<magic>(?:[^\n]*\\\n)*[^\n]*)",
    re.MULTILINE,
)
"""Matches `%time f()`, `!pip install x`, `files = !ls`, `?f` and `f?`, and the lines that go on."""
_GOES_ON = re.compile(r"[ \t)\]}]|(?:elif|else|except|finally)\b|$")
"""Matches the start of a line that goes on with the statement above it."""


def script_of(sources: Iterable[str]) -> str:
    """Return the code of cells, in order, as a script that Python parses."""
    return "\n\n".join(filter(None, map(_parsable, sources))) + "\n"


def parses(source: str) -> bool:
    """Return whether Python parses a text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # students' code earns some, such as for "\d"
        try:
            ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _parsable(source: str) -> str:
    source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip("\n")
    if parses(source):
        return source
    magic = _CELL_MAGIC.match(source)
    if magic is not None:
        end = source.find("\n", magic.end())
        body = _LINE_MAGIC.sub(_without_magic, source[end + 1 :]) if end != -1 else ""
        rest = body if parses(body) else _as_comment(body)  # the body of `%%bash` is no Python
        return f"{_as_comment(source[: end if end != -1 else None])}\n{rest}".rstrip("\n")
    plain = _LINE_MAGIC.sub(_without_magic, source)
    if parses(plain):
        return plain
    return "\n".join(part if parses(part) else _as_comment(part) for part in _statements(plain))


def _without_magic(match: re.Match[str]) -> str:
    """Return a line that does nothing in place of a magic, which it keeps as a comment."""
    statement = f"{match['name']}None" if match["name"] else "pass"
    magic = match["magic"].replace("\\\n", " ")
    return f"{match['indent']}{statement}  # {magic}"


def _statements(source: str) -> Iterator[str]:
    """Yield the parts of a text that begin at its left edge."""
    part: list[str] = []
    for line in source.split("\n"):
        if part and not _GOES_ON.match(line):
            yield "\n".join(part)
            part = []
        part.append(line)
    yield "\n".join(part)


def _as_comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in text.split("\n")) if text else ""
