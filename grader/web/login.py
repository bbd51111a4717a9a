"""The entrance of a shared console: a name and its password, tried only so often."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grader.gradebook import leases, team
from grader.report.text_format import one_line
from grader.web.console import Console, Visit
from grader.web.page_rendering import bare
from grader.web.passwords import fits


def door(request: Request) -> Response:
    """Where people sign in."""
    console: Console = request.app.state.console
    return bare("sign_in.html", rubric=console.rubric, trouble="", name="")


def sign_in(request: Request) -> Response:
    """Let somebody in, or say no in words that tell nothing of who is known."""
    console: Console = request.app.state.console
    form = dict(request.scope["form"])
    name = one_line(form.get("name", ""))
    who = (f"name {name}", f"from {request.client.host if request.client else ''}")
    wait = console.throttle.wait_s(*who)
    if wait > 0:
        told = f"Too many tries. Wait {wait + 1:.0f} s, then try again."
        later = bare("sign_in.html", status=429, rubric=console.rubric, trouble=told, name=name)
        later.headers["Retry-After"] = f"{wait + 1:.0f}"
        return later
    if not fits(form.get("password", ""), team.secret_of(console.book, name)):
        console.throttle.failed(*who)
        told = "That name and password don't fit."
        return bare("sign_in.html", status=403, rubric=console.rubric, trouble=told, name=name)
    console.throttle.succeeded(*who)
    session = console.sessions.enter(name, owner=name == request.app.state.owner)
    answer = RedirectResponse("/", 303)
    request.app.state.gate.welcome(answer, session)
    return answer


def sign_out(visit: Visit) -> Response:
    """End a session."""
    leases.let_go(visit.console.book, holder=visit.session.holder)
    visit.console.sessions.leave(visit.session)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(visit.console.rules.cookie)
    return answer
