"""Highlight a piece of a student's code as escaped HTML that has classes only.

One regular expression finds the few kinds of words that the style sheet distinguishes. The code
need not be valid Python: half-typed code is shown as it is.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from functools import lru_cache

from markupsafe import Markup, escape

from grader.report.text_format import clean

MAX_CHARACTERS = 20_000
MAX_OTHER = 1_500
"""Characters of code in another language that are set in colors: its lexers are not ours."""
OTHER_LANGUAGES = frozenset(
    {"bash", "c", "c++", "cpp", "css", "go", "html", "java", "javascript", "js", "json", "julia"}
    | {"latex", "matlab", "r", "rust", "sh", "shell", "sql", "tex", "toml", "xml", "yaml", "yml"}
)
_CLASSES = (("Keyword", "word"), ("Literal.String", "text"), ("Literal.Number", "number"))
_NAMES = (("Comment", "note"), ("Name.Function", "name"), ("Name.Class", "name"))
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


@lru_cache(maxsize=128)  # a cell is shown beside several items, and in many submissions
def highlight_code(source: str) -> Markup:
    """Return the code, ready to stand inside a `<pre>`."""
    cleaned = clean(source).strip("\n")
    html = "".join(_highlight(cleaned[:MAX_CHARACTERS])).rstrip("\n")
    highlighted = Markup(html)  # noqa: S704 - every piece of it was escaped
    if len(cleaned) <= MAX_CHARACTERS:
        return highlighted
    return highlighted + Markup("\n… {} more characters").format(len(cleaned) - MAX_CHARACTERS)


def highlight_other(source: str, *, language: str) -> Markup:
    """Return code in another language than Python, in colors where Pygments knows it."""
    cleaned = clean(source)
    if language not in OTHER_LANGUAGES or len(cleaned) > MAX_OTHER:
        return escape(cleaned)
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415 - few pages need it

    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    return Markup("").join(_set_token(str(kind), text) for kind, text in lexer.get_tokens(cleaned))


def _set_token(kind: str, text: str) -> Markup:
    for prefix, name in (*_CLASSES, *_NAMES):
        if kind.startswith(f"Token.{prefix}"):
            return Markup('<span class="c-{}">{}</span>').format(name, text)
    return escape(text)


def _highlight(source: str) -> Iterator[str]:
    position = 0
    for match in _CODE.finditer(source):
        kind = match.lastgroup
        if kind is not None and (kind != "word" or match.group() in keyword.kwlist):
            yield str(escape(source[position : match.start()]))
            yield f'<span class="c-{kind}">{escape(match.group())}</span>'
            position = match.end()
    yield str(escape(source[position:]))
