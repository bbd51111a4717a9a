"""Colours a piece of a student's code by its grammar, as escaped HTML with classes only."""

from __future__ import annotations

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grader.report.wording import clean

LONGEST = 20_000


def listing(source: str) -> Markup:
    """The code, ready to stand inside a `<pre>`."""
    cleaned = clean(source).strip("\n")
    shown = cleaned[:LONGEST]
    html = highlight(
        shown, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True, classprefix="c-")
    )
    coloured = Markup(html.rstrip("\n"))  # noqa: S704 - Pygments escapes what it colours
    if len(cleaned) <= LONGEST:
        return coloured
    return coloured + Markup("\n… {} more characters").format(len(cleaned) - LONGEST)
