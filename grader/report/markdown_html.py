"""Shows a student's Markdown as HTML in which nothing runs, loads or links away."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from markupsafe import Markup

from grader.report.text_format import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

LONGEST = 20_000
_MATH = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
_WITHOUT_ATTRIBUTES = frozenset({"th_open", "td_open"})
"""Tables align their columns by style attributes, which the page's policy forbids."""


def prose(text: str) -> Markup:
    """The Markdown as HTML: raw HTML escaped, links and pictures as words, math left as text."""
    cleaned = clean(text)
    tokens = list(_blocks(_markdown().parse(cleaned[:LONGEST])))
    html = _markdown().renderer.render(tokens, _markdown().options, {})
    shown = Markup(html)  # noqa: S704 - markdown-it escapes all text, and HTML is off
    if len(cleaned) <= LONGEST:
        return shown
    left_out = Markup('<p class="muted">The text goes on; {} characters are left out here.</p>')
    return shown + left_out.format(len(cleaned) - LONGEST)


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - slow to import, for the first page

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.inline.ruler.before("escape", "math", _math_as_text)
    return markdown


def _math_as_text(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it calls it so
    found = _MATH.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("text", "", 0).content = found.group()
    state.pos = found.end()
    return True


def _blocks(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "p"  # the page's own headings stay in order
            if token.nesting == 1:
                token.attrSet("class", "said-heading")
        elif token.type in _WITHOUT_ATTRIBUTES:
            token.attrs = {"scope": "col"} if token.type == "th_open" else {}
        if token.children:
            token.children = list(_inlines(token.children))
        yield token


def _inlines(tokens: Iterable[Token]) -> Iterator[Token]:
    addresses: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            addresses.append(str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            yield _text(f" ({addresses.pop()})")
        elif token.type == "image":
            yield _text(f"[picture: {token.content or 'without a name'}]")
        else:
            yield token


def _text(content: str) -> Token:
    from markdown_it.token import Token  # noqa: PLC0415 - see `_markdown`

    return Token("text", "", 0, content=content)
