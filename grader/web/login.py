"""Handles signing in to a shared console, by name and password, and signing out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grader.gradebook import leases, team
from grader.report.text_format import one_line
from grader.web.console import Console, Visit, local_path
from grader.web.page_rendering import render_public_page
from grader.web.passwords import verify_password


def show_sign_in(request: Request) -> Response:
    """Show the form for signing in."""
    return _render_form(request, next_path=request.query_params.get("next", ""))


def _render_form(
    request: Request, *, next_path: str, status: int = 200, error_message: str = "", name: str = ""
) -> Response:
    console: Console = request.app.state.console
    return render_public_page(
        "sign_in.html",
        status=status,
        rubric=console.rubric,
        error_message=error_message,
        name=name,
        next_path=local_path(next_path),
    )


def sign_in(request: Request) -> Response:
    """Start a session, or refuse without saying whether the name is known."""
    console: Console = request.app.state.console
    form = dict(request.scope["form"])
    name, next_path = one_line(form.get("name", "")), form.get("next", "")
    throttle_keys = (f"name {name}", f"from {request.client.host if request.client else ''}")
    wait = console.throttle.wait_s(*throttle_keys)
    if wait > 0:
        message = f"Too many tries. Wait {wait + 1:.0f} s, then try again."
        retry_response = _render_form(
            request, next_path=next_path, status=429, error_message=message, name=name
        )
        retry_response.headers["Retry-After"] = f"{wait + 1:.0f}"
        return retry_response
    if not verify_password(form.get("password", ""), team.password_hash_for(console.book, name)):
        console.throttle.record_failure(*throttle_keys)
        return _render_form(
            request,
            next_path=next_path,
            status=403,
            error_message="Wrong name or password.",
            name=name,
        )
    console.throttle.record_success(*throttle_keys)
    session = console.sessions.start(name, owner=name == request.app.state.owner)
    response = RedirectResponse(local_path(next_path), 303)
    request.app.state.gate.set_session_cookie(response, session)
    return response


def sign_out(visit: Visit) -> Response:
    """End the session."""
    leases.release_leases(visit.console.book, holder=visit.session.holder)
    visit.console.sessions.end(visit.session)
    # Not to the overview: a request of htmx is refused there, and the page would stay.
    response = RedirectResponse("/sign-in" if visit.console.rules.shared else "/", 303)
    response.delete_cookie(visit.console.rules.cookie)
    return response
