"""Render a student's Markdown as HTML in which nothing runs, loads or links away."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from grader.report.code_listing import highlight_code, highlight_other
from grader.report.formulas import Formula, find_formula, set_formulas
from grader.report.harmless_html import mark_up, sanitize
from grader.report.text_format import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token
    from markdown_it.utils import EnvType

MAX_CHARACTERS = 20_000
_MAX_FORMULA_LINES = 100
_FORMULA_OPENINGS = ("$$", "\\[", "\\\\[", "\\begin{")
_CELLS = frozenset({"th_open", "td_open"})
"""They align their columns by style attributes, which the page's policy forbids."""
_PICTURE = re.compile(r"\(picture (\d{1,3})\)")
_KEPT = re.compile("\ue000(\\d+)\ue001")
_CHECKBOX = "task-list-item-checkbox"
_PYTHON = frozenset({"python", "python3", "py", "ipython", "ipython3"})


def render_markdown(text: str, *, pictures: Sequence[str] = ()) -> Markup:
    """Render Markdown as Jupyter shows it: harmless HTML, formulas as MathML, links as text.

    Args:
        text: The Markdown.
        pictures: `data:` addresses of what it calls "(picture 1)" and so on.
    """
    cleaned = clean(text)
    kept = _Kept(pictures=pictures)
    environment = {"kept": kept}
    markdown = _markdown()
    tokens = markdown.parse(cleaned[:MAX_CHARACTERS], environment)
    html = markdown.renderer.render(
        list(_clean_blocks(tokens, kept=kept)), markdown.options, environment
    )
    rendered = kept.put_back(sanitize(html))
    if len(cleaned) <= MAX_CHARACTERS:
        return rendered
    truncation_note = Markup(
        '<p class="muted">The text goes on; {} characters are left out here.</p>'
    )
    return rendered + truncation_note.format(len(cleaned) - MAX_CHARACTERS)


class _Kept:
    """Keeps pieces of our own making out of what is sanitized, as signs no cleaned text holds."""

    def __init__(self, *, pictures: Sequence[str]) -> None:
        self._pictures = pictures
        self._pieces: list[Markup] = []

    def keep(self, piece: Markup) -> str:
        """Keep a piece, and return what stands for it."""
        self._pieces.append(piece)
        return f"\ue000{len(self._pieces) - 1}\ue001"

    def put_back(self, html: Markup) -> Markup:
        """Put each piece back where it belongs."""
        put = _KEPT.sub(lambda match: str(self._pieces[int(match[1])]), str(html))
        return Markup(put)  # noqa: S704 - sanitized, and pieces of our own

    def set_pictures(self, text: str) -> str:
        """Return a text in which pictures that belong to it are kept ones."""
        return _PICTURE.sub(self._set_picture, text)

    def set_text(self, text: str) -> str:
        """Return a text between raw tags as HTML, with its formulas and pictures."""
        has_formulas = "$" in text or "\\" in text
        return self.set_pictures(self.keep(set_formulas(text)) if has_formulas else escape(text))

    def _set_picture(self, match: re.Match[str]) -> str:
        number = int(match[1])
        if not 1 <= number <= len(self._pictures) or not self._pictures[number - 1]:
            return match.group()
        image = Markup('<img class="picture" src="{}" alt="Picture {} of the answer">')
        return self.keep(image.format(self._pictures[number - 1], number))


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - slow to import, for the first page
    from mdit_py_plugins.footnote import footnote_plugin  # noqa: PLC0415
    from mdit_py_plugins.tasklists import tasklists_plugin  # noqa: PLC0415

    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    markdown.use(tasklists_plugin).use(footnote_plugin, inline=False)
    markdown.inline.ruler.before("escape", "formula", _read_inline_formula)
    markdown.block.ruler.before(
        "fence", "formula_block", _read_formula_block, {"alt": ["paragraph", "blockquote", "list"]}
    )
    markdown.add_render_rule("formula", _write_formula)
    markdown.add_render_rule("fence", _write_fence)
    markdown.add_render_rule("footnote_anchor", lambda *_: "")
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


def _write_formula(
    _renderer: object, tokens: Sequence[Token], at: int, _options: object, environment: EnvType
) -> str:
    formula: Formula = tokens[at].meta["formula"]
    return str(environment["kept"].keep(formula.set_formula()))


def _write_fence(
    _renderer: object, tokens: Sequence[Token], at: int, _options: object, environment: EnvType
) -> str:
    """Write code in a fence, in colors where its language is named."""
    source = tokens[at].content
    language = tokens[at].info.strip().lower().partition(" ")[0]
    is_python = language in _PYTHON
    code = highlight_code(source) if is_python else highlight_other(source, language=language)
    return str(environment["kept"].keep(Markup("<pre><code>{}</code></pre>\n").format(code)))


def _clean_blocks(tokens: Iterable[Token], *, kept: _Kept) -> Iterator[Token]:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "p"  # the page's own headings stay in order
            if token.nesting == 1:
                token.attrSet("class", "said-heading")
        elif token.type in _CELLS:
            _, _, side = str(token.attrGet("style") or "").partition(":")
            token.attrs = {"align": side} if side else {}
            if token.type == "th_open":
                token.attrSet("scope", "col")
        elif token.type == "html_block":
            token.content = mark_up(token.content, set_text=kept.set_text)
        if token.children:
            token.children = list(_clean_inlines(token.children, kept=kept))
        yield token


def _clean_inlines(tokens: Iterable[Token], *, kept: _Kept) -> Iterator[Token]:
    addresses: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            addresses.append(str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            yield _text_token(f" ({addresses.pop()})")
        elif token.type == "image":
            yield _text_token(f"[picture: {token.content or 'without a name'}]")
        elif token.type == "html_inline" and _CHECKBOX in token.content:
            yield _text_token("\u2611" if "checked" in token.content else "\u2610")
        else:
            if token.type == "html_inline":
                token.content = mark_up(token.content, set_text=kept.set_text)
            elif token.type == "text":
                token.content = kept.set_pictures(token.content)
            yield token


def _text_token(content: str) -> Token:
    from markdown_it.token import Token  # noqa: PLC0415 - see `_markdown`

    return Token("text", "", 0, content=content)
