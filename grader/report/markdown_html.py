"""Render a student's Markdown as HTML in which nothing runs, loads or links away."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from grader.report.formulas import Formula, find_formula
from grader.report.text_format import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MAX_CHARACTERS = 20_000
_MAX_FORMULA_LINES = 100
_FORMULA_OPENINGS = ("$$", "\\[", "\\\\[", "\\begin{")
_WITHOUT_ATTRIBUTES = frozenset({"th_open", "td_open"})
"""Tables align their columns by style attributes, which the page's policy forbids."""


def render_markdown(text: str) -> Markup:
    """Render Markdown: raw HTML is escaped, links and pictures become text, formulas MathML."""
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
    markdown.inline.ruler.before("escape", "formula", _read_inline_formula)
    markdown.block.ruler.before(
        "fence", "formula_block", _read_formula_block, {"alt": ["paragraph", "blockquote", "list"]}
    )
    markdown.add_render_rule("formula", _write_formula)
    return markdown


def _read_inline_formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it calls it so
    formula = find_formula(state.src, state.pos)
    if formula is None:
        return False
    if not silent:
        _push_formula(state, formula)
    state.pos = formula.end
    return True


def _read_formula_block(
    state: StateBlock,
    start: int,
    end: int,
    silent: bool,  # noqa: FBT001 - as above
) -> bool:
    """Read a formula that has lines of its own, whose signs would else begin lists and headings."""
    first = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not state.src.startswith(_FORMULA_OPENINGS, first):
        return False
    line = start
    while line < min(end, start + _MAX_FORMULA_LINES) and not state.isEmpty(line):
        if state.sCount[line] < state.blkIndent:
            break
        line += 1
    text = state.getLines(start, line, state.blkIndent, False).lstrip()
    formula = find_formula(text, 0)
    if formula is None or text[formula.end :].partition("\n")[0].strip(" \t.,;"):
        return False
    if not silent:
        state.line = start + formula.source.count("\n") + 1
        state.push("paragraph_open", "p", 1)
        _push_formula(state, formula)
        state.push("paragraph_close", "p", -1)
    return True


def _push_formula(state: StateInline | StateBlock, formula: Formula) -> None:
    token = state.push("formula", "", 0)
    token.content, token.meta = formula.source, {"formula": formula}


def _write_formula(_renderer: object, tokens: Sequence[Token], at: int, *_: object) -> str:
    formula: Formula = tokens[at].meta["formula"]
    return str(formula.set_formula())


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
