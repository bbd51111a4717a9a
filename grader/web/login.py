"""Handles signing in to a shared console, one's own password, and signing out."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grader.gradebook import leases, team
from grader.report.text_format import one_line
from grader.web.console import Console, Visit, local_path
from grader.web.page_rendering import render_page, render_public_page
from grader.web.passwords import MIN_PASSWORD_LENGTH, hash_password, is_outdated, verify_password


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
        message = f"Too many attempts. Try again in {wait + 1:.0f} s."
        retry_response = _render_form(
            request, next_path=next_path, status=429, error_message=message, name=name
        )
        retry_response.headers["Retry-After"] = f"{wait + 1:.0f}"
        return retry_response
    password, stored_hash = form.get("password", ""), team.password_hash_for(console.book, name)
    if not verify_password(password, stored_hash):
        console.throttle.record_failure(*throttle_keys)
        return _render_form(
            request,
            next_path=next_path,
            status=403,
            error_message="Wrong name or password.",
            name=name,
        )
    console.throttle.record_success(*throttle_keys)
    if stored_hash is not None and is_outdated(stored_hash):
        team.register_grader(console.book, name, secret=hash_password(password))
    session = console.sessions.start(name, owner=name == request.app.state.owner)
    response = RedirectResponse(local_path(next_path), 303)
    request.app.state.gate.set_session_cookie(response, session)
    return response


def show_password(visit: Visit, *, error_message: str = "") -> Response:
    """Show the form for a new password of one's own, and why one that was sent is refused."""
    _require_registered(visit)
    return render_page(
        visit, "password.html", error_message=error_message, shortest=MIN_PASSWORD_LENGTH
    )


def _require_registered(visit: Visit) -> str:
    """Return the hash of the visitor's password.

    Raises:
        HTTPException: they came in without one.
    """
    stored_hash = team.password_hash_for(visit.console.book, visit.session.name)
    if stored_hash is None:
        raise HTTPException(404, "You signed in by a link, without a password.")
    return stored_hash


def change_password(visit: Visit) -> Response:
    """Change one's own password; every other session of that name ends."""
    console, name, stored_hash = visit.console, visit.session.name, _require_registered(visit)
    # As at the sign-in: whoever finds a browser open must not guess there for ever.
    throttle_keys = (f"name {name}", f"from {visit.peer}")
    wait = console.throttle.wait_s(*throttle_keys)
    if wait > 0:
        message = f"Too many attempts. Try again in {wait + 1:.0f} s."
        return show_password(visit, error_message=message)
    new_password = visit.field("new")
    if len(new_password) < MIN_PASSWORD_LENGTH:
        message = f"The new password needs at least {MIN_PASSWORD_LENGTH} characters."
        return show_password(visit, error_message=message)
    if new_password != visit.field("again"):
        return show_password(visit, error_message="The new passwords differ.")
    if not verify_password(visit.field("password"), stored_hash):
        console.throttle.record_failure(*throttle_keys)
        return show_password(visit, error_message="That is not your current password.")
    console.throttle.record_success(*throttle_keys)
    team.register_grader(console.book, name, secret=hash_password(new_password))
    console.sessions.end_all_of(name, but=visit.session)
    visit.session.message = "Password changed. You were signed out everywhere else."
    return RedirectResponse("/team", 303)


def sign_out(visit: Visit) -> Response:
    """End the session."""
    leases.release_leases(visit.console.book, holder=visit.session.holder)
    visit.console.sessions.end(visit.session)
    # Not to the overview: a request of htmx is refused there, and the page would stay.
    response = RedirectResponse("/sign-in" if visit.console.rules.shared else "/", 303)
    response.delete_cookie(visit.console.rules.cookie)
    return response
