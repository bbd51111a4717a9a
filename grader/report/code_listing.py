"""Colours a piece of a student's code by its grammar, as escaped HTML with classes only.

One expression finds the few kinds of words that the style sheet tells apart. It need not be
Python: what a student left half typed is shown as it stands.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from functools import lru_cache

from markupsafe import Markup, escape

from grader.report.text_format import clean

LONGEST = 20_000
_QUOTED = (
    r'"""(?:\\[\s\S]|[^\\])*?(?:"""|\Z)',
    r"'''(?:\\[\s\S]|[^\\])*?(?:'''|\Z)",
    r'"(?:\\[\s\S]|[^"\\\n])*"?',
    r"'(?:\\[\s\S]|[^'\\\n])*'?",
)
_CODE = re.compile(
    rf"""
      (?P<text>[rbuf]{{0,2}}(?:{"|".join(_QUOTED)}))
    | (?P<note>\#[^\n]*)
    | (?P<name>^[ \t]*@[\w.]+ | (?<=\bdef[ ])\w+ | (?<=\bclass[ ])\w+ | \b__\w+__\b)
    | (?P<word>\b(?:{"|".join(keyword.kwlist)})\b)
    | (?P<number>(?<![\w.])(?:0x[\da-f_]+|0b[01_]+|0o[0-7_]+
        |(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d[\d_]*)?j?))
    | \w+
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)


@lru_cache(maxsize=128)  # a cell stands beside several items, and in many submissions
def listing(source: str) -> Markup:
    """The code, ready to stand inside a `<pre>`."""
    cleaned = clean(source).strip("\n")
    shown = "".join(_coloured(cleaned[:LONGEST])).rstrip("\n")
    coloured = Markup(shown)  # noqa: S704 - every piece of it was escaped
    if len(cleaned) <= LONGEST:
        return coloured
    return coloured + Markup("\n… {} more characters").format(len(cleaned) - LONGEST)


def _coloured(source: str) -> Iterator[str]:
    place = 0
    for found in _CODE.finditer(source):
        kind = found.lastgroup
        if kind is not None and (kind != "word" or found.group() in keyword.kwlist):
            yield str(escape(source[place : found.start()]))
            yield f'<span class="c-{kind}">{escape(found.group())}</span>'
            place = found.end()
    yield str(escape(source[place:]))
