"""Sets the console's templates into pages, and knows the files that pages load."""

from __future__ import annotations

import functools
import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse

from grader.report.markdown_html import prose
from grader.report.page_template import environment, own_text
from grader.report.text_format import number
from grader.web.console import Visit

HERE = Path(__file__).parent
STATIC = HERE / "static"
TYPES = {".css": "text/css", ".js": "text/javascript"}


def page(visit: Visit, template: str, *, status: int = 200, **view: Any) -> HTMLResponse:
    """The page of that template, for somebody who is in."""
    session, console = visit.session, visit.console
    return bare(
        template,
        status=status,
        rubric=console.rubric,
        session=session,
        csrf=session.csrf,
        said=session.hear(),
        shared=console.rules.shared,
        **view,
    )


def bare(template: str, *, status: int = 200, **view: Any) -> HTMLResponse:
    """The page of that template, for anybody."""
    made = environment(HERE / "templates").get_template(template)
    made.environment.filters.update(signed=signed, markdown=prose)
    return HTMLResponse(made.render(static=_addresses(), **view), status)


def signed(points: Fraction) -> str:
    """Points with their sign: '+2', '\u22121.5'."""
    return f"+{number(points)}" if points >= 0 else f"\u2212{number(-points)}"


@functools.cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """The files that pages load, by name: content and media type."""
    style = own_text("style.css") + (STATIC / "console.css").read_text("utf-8")
    scripts = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.js")}
    told = {"console.css": style, **scripts}
    return {name: (text.encode(), TYPES[Path(name).suffix]) for name, text in told.items()}


@functools.cache
def _addresses() -> dict[str, str]:
    """Addresses that change when a file does, so that browsers may keep it for good."""
    return {
        name: f"/static/{hashlib.sha256(data).hexdigest()[:12]}/{name}"
        for name, (data, _) in static_files().items()
    }
