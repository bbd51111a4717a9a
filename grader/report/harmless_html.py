"""Lets harmless HTML of a student's through: tags of a list, with hardly an attribute.

Every other tag is shown as it was typed. `nh3` has the last word, and closes what was left open,
so that nothing a student writes reaches beyond its own answer.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from markupsafe import Markup, escape

_SHOWN = frozenset(
    {
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "del",
        "ins",
        "strike",
        "sub",
        "sup",
        "kbd",
        "code",
        "pre",
        "samp",
        "var",
        "mark",
        "small",
        "big",
        "br",
        "hr",
        "p",
        "div",
        "blockquote",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "caption",
        "details",
        "summary",
    }
)
_DROPPED = frozenset({"span", "font", "center", "section"})
"""Tags that only carry styles, which the page's policy forbids."""
_HEADING = re.compile(r"h[1-6]")
_ATTRIBUTES = {
    "details": {"open"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
}
_CLASSES = {"p": {"said-heading"}, "ul": {"contains-task-list"}, "li": {"task-list-item"}}
_MARKUP = re.compile(
    r"<!--.*?-->|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*)"
    r"(?P<rest>(?:\s(?:[^<>\"']|\"[^\"<>]*\"|'[^'<>]*')*)?)/?>",
    re.DOTALL,
)
_HREF = re.compile(r"\bhref\s*=\s*[\"']?\s*(https?://[^\s\"'<>]+)", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*[\"']([^\"'<>]*)[\"']", re.IGNORECASE)


def mark_up(source: str, *, set_text: Callable[[str], str]) -> str:
    """Return raw HTML with its listed tags, and every other tag as text.

    Args:
        source: What was typed.
        set_text: Sets the text between tags as HTML.
    """
    parts: list[str] = []
    done = 0
    for match in _MARKUP.finditer(source):
        parts += [set_text(html.unescape(source[done : match.start()])), _tag(match)]
        done = match.end()
    return "".join([*parts, set_text(html.unescape(source[done:]))])


def _tag(match: re.Match[str]) -> str:
    name = (match["name"] or "").lower()
    is_end = bool(match["end"])
    if name in _SHOWN:
        return match.group()
    if _HEADING.fullmatch(name):
        return "</p>" if is_end else '<p class="said-heading">'
    if name == "a":
        address = _HREF.search(match["rest"])
        return str(escape(f"({address[1]}) ")) if address and not is_end else ""
    if name == "img":
        alternative = _ALT.search(match["rest"])
        return str(escape(f"[picture: {alternative[1] if alternative else 'without a name'}]"))
    return "" if name in _DROPPED or not name else str(escape(match.group()))


def sanitize(source: str) -> Markup:
    """Return HTML with the listed tags and attributes alone, and every tag closed."""
    import nh3  # noqa: PLC0415 - for the first page

    cleaned = nh3.clean(
        source,
        tags=set(_SHOWN),
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=set(),
        link_rel=None,
    )
    return Markup(cleaned)  # noqa: S704 - this is what the library is for
