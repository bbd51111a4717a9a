"""Render a student's Markdown as HTML in which nothing runs, loads or links away."""

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

MAX_CHARACTERS = 20_000
_MATH = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
_WITHOUT_ATTRIBUTES = frozenset({"th_open", "td_open"})
"""Tables align their columns by style attributes, which the page's policy forbids."""


def render_markdown(text: str) -> Markup:
    """Render Markdown: raw HTML is escaped, links and pictures become text, math stays text."""
    cleaned = clean(text)
    tokens = list(_clean_blocks(_markdown().parse(cleaned[:MAX_CHARACTERS])))
    html = _markdown().renderer.render(tokens, _markdown().options, {})
    rendered = Markup(html)  # noqa: S704 - markdown-it escapes all text, and HTML is off
    if len(cleaned) <= MAX_CHARACTERS:
        return rendered
    truncation_note = Markup(
        '<p class="muted">The text goes on; {} characters are left out here.</p>'
    )
    return rendered + truncation_note.format(len(cleaned) - MAX_CHARACTERS)


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - slow to import, for the first page

    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.inline.ruler.before("escape", "math", _math_as_text)
    return markdown


def _math_as_text(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it calls it so
    match = _MATH.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("text", "", 0).content = match.group()
    state.pos = match.end()
    return True


def _clean_blocks(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "p"  # the page's own headings stay in order
            if token.nesting == 1:
                token.attrSet("class", "said-heading")
        elif token.type in _WITHOUT_ATTRIBUTES:
            token.attrs = {"scope": "col"} if token.type == "th_open" else {}
        if token.children:
            token.children = list(_clean_inlines(token.children))
        yield token


def _clean_inlines(tokens: Iterable[Token]) -> Iterator[Token]:
    addresses: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            addresses.append(str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            yield _text_token(f" ({addresses.pop()})")
        elif token.type == "image":
            yield _text_token(f"[picture: {token.content or 'without a name'}]")
        else:
            yield token


def _text_token(content: str) -> Token:
    from markdown_it.token import Token  # noqa: PLC0415 - see `_markdown`

    return Token("text", "", 0, content=content)
