"""Renders the console's templates, and holds the static files that pages load."""

from __future__ import annotations

import functools
import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse

from grader.gradebook.criterion_edits import criteria_digest
from grader.model import shorten
from grader.report.markdown_html import render_markdown
from grader.report.page_template import read_asset, template_environment
from grader.report.text_format import format_number, one_line
from grader.web.console import Visit

WEB_FOLDER = Path(__file__).parent
STATIC = WEB_FOLDER / "static"
SNIPPET_LENGTH = 150
"""Characters of an answer in a list."""
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}


def render_page(
    visit: Visit, template: str, *, status: int = 200, error_message: str = "", **context: Any
) -> HTMLResponse:
    """Render a template for somebody who is signed in.

    Args:
        visit: the request.
        template: the name of the template.
        status: the HTTP status of a page without an error message.
        error_message: why the form on the page was refused; the status is 422 then.
        context: the variables of the template.
    """
    session, console = visit.session, visit.console
    return render_public_page(
        template,
        status=422 if error_message else status,
        error_message=error_message,
        rubric=console.rubric,
        session=session,
        csrf=session.csrf,
        news=session.take_message(),
        shared=console.rules.shared,
        **context,
    )


def render_public_page(template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a template for anybody."""
    jinja_template = template_environment(WEB_FOLDER / "templates").get_template(template)
    jinja_template.environment.filters.update(
        signed=signed_points,
        markdown=render_markdown,
        snippet=_snippet,
        criteria_digest=criteria_digest,
    )
    return HTMLResponse(jinja_template.render(static=_static_urls(), **context), status)


def signed_points(points: Fraction) -> str:
    """Return points with their sign: '+2', '\u22121.5'."""
    return f"+{format_number(points)}" if points >= 0 else f"\u2212{format_number(-points)}"


def _snippet(text: str) -> str:
    return shorten(one_line(text[: 2 * SNIPPET_LENGTH]), most=SNIPPET_LENGTH)


@functools.cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Return the static files by name: content and media type."""
    # console.css comes before the styles of single pages, which may go beyond it.
    sheets = [STATIC / "console.css", *sorted(STATIC.glob("*.css"))]
    style = read_asset("style.css") + "".join(p.read_text("utf-8") for p in dict.fromkeys(sheets))
    scripts = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.js")}
    texts = {"console.css": style, **scripts}
    return {name: (text.encode(), MEDIA_TYPES[Path(name).suffix]) for name, text in texts.items()}


@functools.cache
def _static_urls() -> dict[str, str]:
    """Return addresses that change when a file does, so that browsers may keep it for good."""
    return {
        name: f"/static/{hashlib.sha256(data).hexdigest()[:12]}/{name}"
        for name, (data, _) in static_files().items()
    }
