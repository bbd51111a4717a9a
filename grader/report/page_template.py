"""Render templates to pages with one style sheet, at most one script, and nothing to load."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

from grader.report.flag_text import flag_text
from grader.report.formulas import set_code
from grader.report.markdown_html import render_markdown
from grader.report.saved_outputs_view import quote_location
from grader.report.text_format import (
    CELLS,
    VERDICTS,
    capitalize_first,
    clean,
    format_count,
    format_number,
    format_seconds,
    points_with_unit,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def render_report_page(template: str, *, script: str = "", **view: Any) -> str:
    """Render a template; `script` names a file beside it that the page may run."""
    style = read_asset("style.css")
    code = read_asset(script) if script else ""
    return (
        template_environment()
        .get_template(template)
        .render(
            style=_trusted(style), script=_trusted(code), policy=_policy(style, script=code), **view
        )
    )


def preload_templates() -> None:
    """Load and compile the templates of the first page ahead of time."""
    for name in ("student.html", "item.html", "parts.html", "saved.html", "base.html"):
        template_environment().get_template(name)
    render_markdown("")


@functools.cache
def read_asset(name: str) -> str:
    """Read a file beside the templates."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@functools.cache
def template_environment(*extra_folders: Path) -> Environment:
    """Make an environment that looks for templates in these folders first, then here."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - a tenth of a second, for the first page

    environment = Environment(
        loader=FileSystemLoader((*extra_folders, _TEMPLATES)),
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_presentable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        anchor=anchor,
        number=format_number,
        points=points_with_unit,
        seconds=format_seconds,
        counted=format_count,
        quote=quote,
        flag_text=flag_text,
        set_code=set_code,
        capital=capitalize_first,
        quote_location=quote_location,
    )
    environment.globals.update(VERDICTS=VERDICTS, CELLS=CELLS)
    return environment


def anchor(name: str) -> str:
    """Turn a name into a part of an HTML id that links can point to."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)


def _presentable(value: object) -> object:
    """Clean whatever a template prints; the environment then escapes it."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return clean(value)
    return format_number(value) if isinstance(value, Fraction) else value


def _trusted(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - our own file, never a student's text


@functools.cache  # called with a few files of our own, which don't change
def _policy(style: str, *, script: str) -> str:
    allowed = [f"style-src {_hash_source(style)}"]
    if script:
        allowed.append(f"script-src {_hash_source(script)}")
    return "; ".join(
        ["default-src 'none'", "img-src data:", *allowed, "base-uri 'none'", "form-action 'none'"]
    )


def _hash_source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
